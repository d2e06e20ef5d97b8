"""Headers: what they lack and bring, as it is kept of files and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from framework.batch import Seen
from framework.feed import Feed, MissingColumns, NewColumns
from framework.law.layout import Layout, Rejected, quoted
from framework.law.members import has_member
from framework.names import RESCUED

__all__ = ["column_warnings", "ignored", "missing", "seen"]


def missing(feed: Feed, layout: Layout | Rejected) -> tuple[str, ...]:
    """The schema's columns that files of a layout do not have. Without any (a JSON file without an object has none,
    and a rejected file no layout) none is missed."""
    present = {name for name, _ in layout.fields} if isinstance(layout, Layout) else set()
    return tuple(
        column.name
        for column in feed.columns
        if present and column.from_source and not column.added and column.name not in present
    )


def ignored(layout: Layout | Rejected) -> tuple[str, ...]:
    """The fields of files of a layout that feed no column, each name once."""
    if not isinstance(layout, Layout) or not layout.fields:
        return ()
    used = {index for _, index in layout.fields}
    names = [name for index, name in enumerate(layout.names) if index not in used]
    return tuple(dict.fromkeys((*names, *layout.others)))


def seen(feed: Feed, layout: Layout | Rejected, encoding: str, *, header: bool) -> Seen:
    """What is kept of a file that was opened; `header` says that a record of it named its fields."""
    if isinstance(layout, Rejected):
        return Seen(encoding=encoding, lacks=layout.lacks, brings=layout.brings)
    have = dict(layout.fields)
    added = tuple(column.name for column in feed.columns if column.added and column.name in have)
    types = {column.name: column.type for column in feed.columns}
    members = {".".join((name, *path)): has_member(types[name], path) for name, path in layout.members}
    left_out = (*ignored(layout), *(name for name, may in members.items() if not may))
    added = (*added, *(name for name, may in members.items() if may))
    names = layout.names if header else ()
    return Seen(missing(feed, layout), left_out, names, encoding, layout.numbers, added=added)


def column_warnings(feed: Feed, files: Iterable[Seen]) -> Iterator[str]:
    """A sentence for the columns that files miss, and one for those that are ignored."""
    files = tuple(files)
    keep = feed.schema_contract.missing_columns is MissingColumns.KEEP
    then = "rows keep what they have" if keep else "NULL or the default there"
    for columns, count in Counter(each.missing for each in files if each.missing).items():
        yield f"{_columns(columns)} missing in {_files(count)}: {then}"
    for columns, count in Counter(each.ignored for each in files if each.ignored).items():
        if feed.schema_contract.new_columns is NewColumns.RESCUE:
            yield f"{_columns(columns)} not in the schema: rescued into {RESCUED} from {_files(count)}"
        else:
            yield f"{_columns(columns)} ignored in {_files(count)}: not in the schema"
    for columns, count in Counter(each.added for each in files if each.added).items():
        yield f"{_columns(columns)} not in the schema: loaded as text from {_files(count)}"
    for columns, count in Counter(each.numbers for each in files if each.numbers).items():
        what = "a number has no leading zeros and 15 digits; if they are codes, format the cells as text"
        yield f"{_columns(columns)} text, with numbers in {_files(count)}: {what}"


def _columns(names: Sequence[str]) -> str:
    return f"column {quoted(names)} is" if len(names) == 1 else f"columns {quoted(names)} are"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"

"""Layout: which field of a file's records feeds which column, decided from the header alone.

Columns are found by header name (case-insensitive, byte-order mark and surrounding blanks removed),
never by position; only files without a header are read by position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from framework.feed import Column, Feed, MissingColumns, NewColumns

__all__ = [
    "Field",
    "Kind",
    "Layout",
    "Rejected",
    "column_warnings",
    "csv_layout",
    "ignored",
    "json_layout",
    "missing",
    "own_layout",
]


class Kind(StrEnum):
    """What a field is: text that stands for a value, a JSON value, or a value that has its type already."""

    TEXT = "text"
    JSON = "json"
    TYPED = "typed"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a file's records: its name as it stands in the file, and what it is."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Rejected:
    """The whole file is refused; `reason` is a sentence for the person who sent it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Layout:
    """`record` are the fields of a file's records (their number is the record's width); `fields` pairs each column
    that the file has with the index of its field."""

    record: tuple[Field, ...]
    fields: tuple[tuple[str, int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the record's fields."""
        return tuple(field.name for field in self.record)

    def index(self, column: str) -> int | None:
        return dict(self.fields).get(column)


def missing(feed: Feed, layout: Layout | Rejected) -> tuple[str, ...]:
    """The schema's columns that files of a layout do not have. Without any (a JSON file without an object has none,
    and a rejected file no layout) none is missed."""
    present = {name for name, _ in layout.fields} if isinstance(layout, Layout) else set()
    return tuple(
        column.name for column in feed.columns if present and column.from_source and column.name not in present
    )


def ignored(layout: Layout | Rejected) -> tuple[str, ...]:
    """The fields of files of a layout that feed no column."""
    if not isinstance(layout, Layout) or not layout.fields:
        return ()
    used = {index for _, index in layout.fields}
    return tuple(name for index, name in enumerate(layout.names) if index not in used)


def column_warnings(files: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Iterator[str]:
    """A sentence for the columns that files miss, and one for those that are ignored, given both of each file."""
    both = [(tuple(lacks), tuple(brings)) for lacks, brings in files]
    for columns, count in Counter(lacks for lacks, _ in both if lacks).items():
        yield f"{_columns(columns)} missing in {_files(count)}: NULL or the default there"
    for columns, count in Counter(brings for _, brings in both if brings).items():
        yield f"{_columns(columns)} ignored in {_files(count)}: not in the schema"


def _columns(names: Sequence[str]) -> str:
    return f"column {_quoted(names)} is" if len(names) == 1 else f"columns {_quoted(names)} are"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def csv_layout(feed: Feed, header: Sequence[str] | None) -> Layout | Rejected:
    """The layout of a CSV file with this header; None = `header: false`, fields by position."""
    columns = [column for column in feed.columns if column.from_source]
    if header is None:
        return _in_order([column.name for column in columns], columns, Kind.TEXT)
    names = tuple(name.strip().lstrip("\ufeff").strip() for name in header)
    twice = sorted(name for name, count in Counter(name.lower() for name in names if name).items() if count > 1)
    if twice:
        return Rejected(f"the header names {_quoted(twice)} more than once; every column needs a name of its own")
    return _match(feed, columns, names, Kind.TEXT)


def json_layout(feed: Feed, keys: Sequence[str]) -> Layout | Rejected:
    """The layout of a JSON file in whose records these keys occur."""
    columns = [column for column in feed.columns if column.from_source]
    twice = sorted(key for key, count in Counter(key.lower() for key in keys).items() if count > 1)
    wanted = {name.lower() for column in columns for name in column.source_names}
    if set(twice) & wanted:
        return Rejected(f"the keys {_quoted(twice)} occur in several spellings; a column needs one name")
    return _match(feed, columns, tuple(keys), Kind.JSON)


def own_layout(feed: Feed, kind: Kind) -> Layout:
    """The layout of a file that has every column under the name that the schema prefers."""
    columns = [column for column in feed.columns if column.from_source]
    return _in_order([column.source_names[0] for column in columns], columns, kind)


def _in_order(names: Sequence[str], columns: Sequence[Column], kind: Kind) -> Layout:
    fields = tuple((column.name, index) for index, column in enumerate(columns))
    return Layout(tuple(Field(name, kind) for name in names), fields)


def _match(feed: Feed, columns: Sequence[Column], names: tuple[str, ...], kind: Kind) -> Layout | Rejected:
    at = {name.lower(): index for index, name in enumerate(names) if name}
    fields = []
    for column in columns:
        found = next((at[name.lower()] for name in column.source_names if name.lower() in at), None)
        if found is not None:
            fields.append((column.name, found))
    return _refuse(feed, columns, names, fields) or Layout(tuple(Field(name, kind) for name in names), tuple(fields))


def _refuse(
    feed: Feed, columns: Sequence[Column], names: Sequence[str], fields: Sequence[tuple[str, int]]
) -> Rejected | None:
    present = {name for name, _ in fields}
    missing = [column for column in columns if column.name not in present]
    needed = [column for column in missing if column.name in (*feed.target.keys, *feed.target.sequence_by)]
    if needed:
        found = _found(names) + _separator_hint(feed, names)
        return Rejected(f"there is no {_wanted(needed)} in the file; it has {found}")
    contract = feed.schema_contract
    if missing and contract.missing_columns is MissingColumns.REJECT_FILE:
        return Rejected(f"there is no {_wanted(missing)} in the file (schema_contract.missing_columns: reject_file)")
    used = {index for _, index in fields}
    new = [name for index, name in enumerate(names) if index not in used]
    if new and contract.new_columns is NewColumns.REJECT_FILE:
        return Rejected(f"the file has columns that the schema does not: {_quoted(new)} (new_columns: reject_file)")
    return None


def _wanted(columns: Sequence[Column]) -> str:
    return "column " + ", ".join(" or ".join(map(repr, column.source_names)) for column in columns)


def _found(names: Sequence[str]) -> str:
    return f"{_quoted(names)}" if names else "no columns"


def _quoted(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(repr(name if len(name) <= 40 else name[:40] + "…") for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _separator_hint(feed: Feed, names: Sequence[str]) -> str:
    sep = feed.source.csv.sep
    other = next((mark for mark in (";", ",", "\t", "|") if mark != sep and len(names) == 1 and mark in names[0]), None)
    return f"; is the separator {other!r} and not {sep!r} (source.options.sep)?" if other else ""

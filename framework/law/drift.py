"""Drift: what is different in a batch's files from the file before, and what is done about it.

Only differences are told: a column that every file lacks is told of the first one, and again when it was there
meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from framework.batch import FileOutcome, Seen
from framework.feed import Feed, MissingColumns, NewColumns
from framework.law.layout import header_names
from framework.names import RESCUED, ChangeKind, SchemaChange
from framework.types import DataType, Scalar

__all__ = ["change_in_words", "file_changes"]

_MOST = 1_000
"""Changes that are told of one batch: files may have a name of its own in every record."""
_REJECTED = "reject_file"
_NEW = {
    str(NewColumns.IGNORE): "is not in the schema: ignored",
    str(NewColumns.ADD): "is not in the schema: loaded as text",
    str(NewColumns.RESCUE): f"is not in the schema: rescued into {RESCUED}",
}
_MISSING = {
    str(MissingColumns.SET_NULL): "is missing: NULL or the default there",
    str(MissingColumns.KEEP): "is missing: rows keep what they have",
}


def file_changes(feed: Feed, outcomes: Iterable[FileOutcome], before: Seen | None) -> tuple[SchemaChange, ...]:
    """What is different from file to file; `before` is what the file that was loaded last was seen to be (None = there
    was none)."""
    found = _changes(feed, outcomes, before)
    told = list(islice(found, _MOST))
    if more := sum(1 for _ in found):
        told.append(
            SchemaChange(None, ChangeKind.NEW_COLUMN, f"(and {more} more changes)", None, None, told[-1].action)
        )
    return tuple(told)


def _changes(feed: Feed, outcomes: Iterable[FileOutcome], before: Seen | None) -> Iterator[SchemaChange]:
    contract = feed.schema_contract
    types = {column.name: column.type for column in feed.columns}
    ignored = str(NewColumns.IGNORE if contract.new_columns is NewColumns.ADD else contract.new_columns)
    last, header = before or Seen(), before.header if before is not None else ()
    for outcome in outcomes:
        file, seen = outcome.file.shown, outcome.seen
        if outcome.rejected is not None:
            yield from _refused(feed, file, seen, types, header)
            continue
        for name in seen.missing:
            if name not in last.missing:
                action = str(contract.missing_columns)
                yield SchemaChange(file, ChangeKind.MISSING_COLUMN, name, str(types[name]), None, action)
        known = set(last.ignored)
        for name in seen.ignored:
            if name not in known:
                yield SchemaChange(file, ChangeKind.NEW_COLUMN, name, None, None, ignored)
        for name in seen.added:
            if name not in last.added:
                type_ = types.get(name, Scalar("string"))  # of a member within a column, too
                yield SchemaChange(file, ChangeKind.NEW_COLUMN, name, None, str(type_), str(NewColumns.ADD))
        last, header = seen, seen.header or header


def _refused(
    feed: Feed, file: str, seen: Seen, types: dict[str, DataType], header: Sequence[str]
) -> Iterator[SchemaChange]:
    """The columns for which a file is rejected."""
    if seen.lacks and seen.brings:
        names, to = header_names(feed, header), ", ".join(seen.brings[:8])
        for column in seen.lacks:
            yield SchemaChange(file, ChangeKind.RENAMED, column, names.get(column, column), to, _REJECTED)
        return
    for column in seen.lacks:
        yield SchemaChange(file, ChangeKind.MISSING_COLUMN, column, str(types[column]), None, _REJECTED)
    for name in seen.brings:
        yield SchemaChange(file, ChangeKind.NEW_COLUMN, name, None, None, _REJECTED)


def change_in_words(change: Mapping[str, str | None]) -> str:
    """A sentence for a change, by the names that it has in reports and in the control table. What a newer version calls
    otherwise is told as it stands."""
    column, was, now, action = (change[name] or "" for name in ("column", "from", "to", "action"))
    match change["kind"]:
        case ChangeKind.NEW_COLUMN:
            return f"column {column} {_NEW.get(action, 'is not in the schema: the file is rejected')}"
        case ChangeKind.MISSING_COLUMN:
            return f"column {column} {_MISSING.get(action, 'is missing: the file is rejected')}"
        case ChangeKind.RENAMED:
            return f"column {column} ({was}) is missing and {now} has come: the file is rejected"
        case ChangeKind.ADDED:
            return f"column {column} was added as {now}"
        case ChangeKind.WIDENED:
            return f"column {column} became {now}, it was {was}"
        case ChangeKind.KEYS:
            return f"keys are {now}, the target was loaded with {was}: refused"
        case kind:
            return f"{kind}: {column}"

"""Layout: which field of a file's records feeds which column, decided from the header alone.

Columns are found by header name, never by position, and names are the same that a person reads as the same; only
files without a header are read by position.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from framework.feed import Column, Feed, MissingColumns, NewColumns, NullKeys, RenamedColumns
from framework.law.hints import lacking
from framework.types import DataType

__all__ = [
    "AROUND",
    "Field",
    "Kind",
    "Layout",
    "Rejected",
    "csv_layout",
    "found_layout",
    "has_keys",
    "header_names",
    "json_layout",
    "json_paths",
    "key_names",
    "named_layout",
    "own_layout",
    "quoted",
    "renamed",
    "same_name",
    "typed_layout",
    "with_numbers",
]

_OTHERS = 10_000
"""Keys that are told of a file beside those that columns want."""
_UNSEEN = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad]")
"""Letters that nobody sees."""
AROUND = " \t\r\n\ufeff\u00a0"
"""What stands around names without being part of them."""


class Kind(StrEnum):
    """What a field is: text that stands for a value, a JSON value, or a value that has its type already."""

    TEXT = "text"
    JSON = "json"
    TYPED = "typed"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a file's records: its name as it stands in the file, what it is, and the type that its values have
    in the file, where they have one. `steps` are the names on the way to a field within fields."""

    name: str
    kind: Kind = Kind.TEXT
    type: DataType | None = None
    steps: tuple[str, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """The names on the way to it, at least one."""
        return self.steps or (self.name,)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The whole file is refused; `reason` is a sentence for the person who sent it. `lacks` and `brings` are the
    columns for which: with both, one may be the other by another name."""

    reason: str
    lacks: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """`record` are the fields of a file's records (their number is the record's width); `fields` pairs each column
    that the file has with the index of its field; `others` are keys of its records that are no fields of them, which
    files of one layout need not have in common, and `numbers` columns of texts that are numbers in the file."""

    record: tuple[Field, ...]
    fields: tuple[tuple[str, int], ...]
    others: tuple[str, ...] = field(default=(), compare=False)
    numbers: tuple[str, ...] = field(default=(), compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the record's fields."""
        return tuple(field.name for field in self.record)

    @property
    def used(self) -> list[int]:
        """The indexes of the fields that some column has, ascending."""
        return sorted({index for _, index in self.fields})

    def index(self, column: str) -> int | None:
        return dict(self.fields).get(column)


def with_numbers(layout: Layout, columns: tuple[str, ...]) -> Layout:
    """The layout of a file in which these columns of texts are numbers."""
    return replace(layout, numbers=columns)


def csv_layout(feed: Feed, header: Sequence[str] | None) -> Layout | Rejected:
    """The layout of a CSV file with this header; None = `header: false`, fields by position."""
    columns = [column for column in feed.columns if column.from_source]
    if header is None:
        return _in_order([column.name for column in columns], columns, Kind.TEXT)
    names = [name.strip(AROUND) for name in header]
    most = feed.source.limits.columns
    if len(names) > most:
        return Rejected(f"the header has {len(names)} columns; a file may have {most} (limits.columns)")
    found = _match(feed, columns, names)
    if isinstance(found, Rejected):
        return found
    return Layout(tuple(Field(name) for name in names), tuple(found.items()))


def named_layout(feed: Feed, names: Sequence[str]) -> Layout | Rejected:
    """The layout of a file whose records have these fields."""
    found = _match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    return Layout(tuple(Field(name) for name in names), tuple(found.items()))


def found_layout(feed: Feed, names: Sequence[str], kind: Kind = Kind.TEXT) -> Layout | Rejected:
    """The layout of a file in whose records these names occur; its records have those that columns want."""
    found = _match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    used = sorted(set(found.values()))
    fields = tuple((column, used.index(index)) for column, index in found.items())
    others = tuple(name for index, name in enumerate(names) if index not in set(used))[:_OTHERS]
    return Layout(tuple(Field(names[index], kind) for index in used), fields, others)


def key_names(feed: Feed) -> tuple[str, ...]:
    """The columns of the records without which a line is no header: keys and sequence, or else all."""
    columns = [column.name for column in feed.columns if column.from_source]
    wanted = {*feed.target.keys, *feed.target.sequence_by}
    return tuple(name for name in columns if name in wanted) or tuple(columns)


def has_keys(feed: Feed, names: Sequence[str]) -> bool:
    """Whether a line with these names can be the header of a file."""
    columns = [column for column in feed.columns if column.from_source]
    found, _ = _matched(columns, [name.strip(AROUND) for name in names])
    return all(name in found for name in key_names(feed))


def json_layout(feed: Feed, keys: Sequence[str], paths: Sequence[tuple[str, ...]] = ()) -> Layout | Rejected:
    """The layout of a JSON file in whose records these keys occur, and these paths (of `json_paths`); its records have
    the fields that columns want."""
    known = set(map(same_name, keys))
    steps = {".".join(path): path for path in paths if same_name(".".join(path)) not in known}
    names = [*keys, *steps]
    found = _match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    used = sorted(set(found.values()))
    fields = tuple((column, used.index(index)) for column, index in found.items())
    record = tuple(Field(names[index], Kind.JSON, steps=steps.get(names[index], ())) for index in used)
    taken = {*(names[index] for index in used), *(field.path[0] for field in record)}
    return Layout(record, fields, tuple(key for key in keys if key not in taken)[:_OTHERS])


def json_paths(feed: Feed) -> list[tuple[str, ...]]:
    """The paths into records that columns' names may be."""
    names = (name for column in feed.columns if column.from_source for name in column.source_names)
    return [tuple(name.split(".")) for name in dict.fromkeys(names) if "." in name.strip(".")]


def typed_layout(feed: Feed, names: Sequence[str], types: Sequence[DataType | None]) -> Layout | Rejected:
    """The layout of a file whose fields have names and types by a schema of its own; its records have those that
    columns want."""
    most = feed.source.limits.columns
    if len(names) > most:
        return Rejected(f"the file has {len(names)} columns; a file may have {most} (limits.columns)")
    found = _match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    used = sorted(set(found.values()))
    fields = tuple((column, used.index(index)) for column, index in found.items())
    others = tuple(name for index, name in enumerate(names) if index not in set(used))
    return Layout(tuple(Field(names[index], Kind.TYPED, types[index]) for index in used), fields, others)


def same_name(name: str) -> str:
    """What names that a person reads as the same have in common: case, Unicode form, byte-order marks, and blanks of
    any kind around and between make no difference."""
    seen = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(_UNSEEN.sub("", seen).split())


def own_layout(feed: Feed, kind: Kind) -> Layout:
    """The layout of a file that has every column under the name that the schema prefers."""
    columns = [column for column in feed.columns if column.from_source]
    return _in_order([column.source_names[0] for column in columns], columns, kind)


def _in_order(names: Sequence[str], columns: Sequence[Column], kind: Kind) -> Layout:
    fields = tuple((column.name, index) for index, column in enumerate(columns))
    return Layout(tuple(Field(name, kind) for name in names), fields)


def renamed(feed: Feed, header: Sequence[str], before: Sequence[str]) -> Rejected | None:
    """Why a file with this header is refused after one with the header `before`: a column that was there is gone, and
    a name has come that no column wants, so that one may be the other. None where that is not so, or allowed."""
    if not header or not before or feed.schema_contract.renamed_columns is RenamedColumns.SET_NULL:
        return None
    columns = [column for column in feed.columns if column.from_source]
    now, then = _matched(columns, header)[0], _matched(columns, before)[0]
    known = {"", *map(same_name, before)}
    gone = [column.name for column in columns if column.name in then and column.name not in now]
    come = [name for index, name in enumerate(header) if index not in now.values() and same_name(name) not in known]
    if not gone or not come:
        return None
    old = [before[then[name]] for name in gone]
    reason = (
        f"{quoted(old)}, which the file before had, is gone, and {quoted(come)} has come, which no column wants: "
        f"if it was renamed, say source_name: [{come[0]}, {old[0]}] at the column {gone[0]}; "
        "if not, schema_contract.renamed_columns: set_null"
    )
    return Rejected(reason, tuple(gone), tuple(come))


def header_names(feed: Feed, header: Sequence[str]) -> dict[str, str]:
    """By column, the name that a header has for it."""
    found, _ = _matched([column for column in feed.columns if column.from_source], header)
    return {column: header[index] for column, index in found.items()}


def _match(feed: Feed, columns: Sequence[Column], names: Sequence[str]) -> dict[str, int] | Rejected:
    """The index of the name that each column has in the file, for those that have one; or why the file is refused."""
    found, twice = _matched(columns, names)
    if twice:
        return Rejected(f"the file names {quoted(twice)} more than once, or in several spellings; which is it?")
    return _refuse(feed, columns, names, list(found.items())) or found


def _matched(columns: Sequence[Column], names: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """The index of the name that each column has, for those that have one, and the names that are there twice."""
    at: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        at.setdefault(same_name(name), []).append(index)
    at.pop("", None)
    exactly = {name: column.name for column in columns for name in column.source_names}
    found: dict[str, int] = {}
    twice: list[str] = []
    for column in columns:
        wanted = next((name for name in column.source_names if same_name(name) in at), None)
        if wanted is None:
            continue
        same = at[same_name(wanted)]
        own = [index for index in same if exactly.get(names[index], column.name) == column.name] or same
        found[column.name] = own[0]
        twice += [names[own[0]]] if len(own) > 1 else []
    return found, twice


def _refuse(
    feed: Feed, columns: Sequence[Column], names: Sequence[str], fields: Sequence[tuple[str, int]]
) -> Rejected | None:
    present = {name for name, _ in fields}
    missing = [column for column in columns if column.name not in present]
    keys = feed.target.keys
    if feed.target.null_keys is NullKeys.MATCH and present & set(keys):
        keys = ()  # a key column that is not there is NULL in all rows
    needed = [column for column in missing if column.name in (*keys, *feed.target.sequence_by)]
    if needed:
        hint = lacking(feed, needed, names)
        reason = f"there is no {_wanted(needed)} in the file; it has {_found(names)}{hint}"
        return Rejected(reason, tuple(column.name for column in needed))
    contract = feed.schema_contract
    if missing and contract.missing_columns is MissingColumns.REJECT_FILE:
        reason = f"there is no {_wanted(missing)} in the file (schema_contract.missing_columns: reject_file)"
        return Rejected(reason, tuple(column.name for column in missing))
    used = {index for _, index in fields}
    new = [name for index, name in enumerate(names) if index not in used]
    if new and contract.new_columns is NewColumns.REJECT_FILE:
        reason = f"the file has columns that the schema does not: {quoted(new)} (new_columns: reject_file)"
        return Rejected(reason, brings=tuple(new))
    return None


def _wanted(columns: Sequence[Column]) -> str:
    return "column " + ", ".join(" or ".join(map(repr, column.source_names)) for column in columns)


def _found(names: Sequence[str]) -> str:
    return f"{quoted(names)}" if names else "no columns"


def quoted(names: Sequence[str], most: int = 8) -> str:
    """Names as messages tell them, not all of many."""
    shown = ", ".join(repr(name if len(name) <= 40 else name[:40] + "…") for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

"""Layout: which field of a file's records feeds which column, decided from the header alone.

Columns are found by header name, never by position, and names are the same that a person reads as the same; only
files without a header are read by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from framework.feed import Column, Feed, NewColumns
from framework.law.matched import Rejected, header_names, match, matched, quoted, renamed, same_name
from framework.law.members import has_structs, members_of_type
from framework.types import DataType

__all__ = [
    "AROUND",
    "Field",
    "Kind",
    "Layout",
    "Rejected",
    "csv_layout",
    "found_layout",
    "growing",
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
class Layout:
    """`record` are the fields of a file's records (their number is the record's width); `fields` pairs each column
    that the file has with the index of its field; `rescued` are the fields that no column wants and that are kept;
    `others` are keys of its records that are no fields of them, which
    files of one layout need not have in common, and so are `members`: columns with the paths of what their structs
    have in the file and not in the schema, where such are added; `numbers` are columns of texts that are numbers in
    the file."""

    record: tuple[Field, ...]
    fields: tuple[tuple[str, int], ...]
    rescued: tuple[int, ...] = ()
    others: tuple[str, ...] = field(default=(), compare=False)
    numbers: tuple[str, ...] = field(default=(), compare=False)
    members: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the record's fields."""
        return tuple(field.name for field in self.record)

    @property
    def used(self) -> list[int]:
        """The indexes of the fields whose values are wanted, ascending."""
        return sorted({*self.rescued, *(index for _, index in self.fields)})

    def index(self, column: str) -> int | None:
        return dict(self.fields).get(column)


def with_numbers(layout: Layout, columns: tuple[str, ...]) -> Layout:
    """The layout of a file in which these columns of texts are numbers."""
    return replace(layout, numbers=columns)


def csv_layout(feed: Feed, header: Sequence[str] | None) -> Layout | Rejected:
    """The layout of a CSV file with this header; None = `header: false`, fields by position."""
    columns = [column for column in feed.columns if column.from_source]
    if header is None:
        columns = [column for column in columns if not column.added]
        return _in_order([column.name for column in columns], columns, Kind.TEXT)
    names = [name.strip(AROUND) for name in header]
    most = feed.source.limits.columns
    if len(names) > most:
        return Rejected(f"the header has {len(names)} columns; a file may have {most} (limits.columns)")
    found = match(feed, columns, names)
    if isinstance(found, Rejected):
        return found
    return _rescuing(feed, Layout(tuple(Field(name) for name in names), tuple(found.items())))


def named_layout(feed: Feed, names: Sequence[str]) -> Layout | Rejected:
    """The layout of a file whose records have these fields."""
    found = match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    return Layout(tuple(Field(name) for name in names), tuple(found.items()))


def found_layout(feed: Feed, names: Sequence[str], kind: Kind = Kind.TEXT) -> Layout | Rejected:
    """The layout of a file in whose records these names occur; its records have those that columns want."""
    found = match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    used = _wanted_fields(feed, found, range(len(names)))
    if isinstance(used, Rejected):
        return used
    fields = tuple((column, used.index(index)) for column, index in found.items())
    others = tuple(name for index, name in enumerate(names) if index not in set(used))[:_OTHERS]
    return _rescuing(feed, Layout(tuple(Field(names[index], kind) for index in used), fields, others=others))


def key_names(feed: Feed) -> tuple[str, ...]:
    """The columns of the records without which a line is no header: keys and sequence, or else all."""
    columns = [column.name for column in feed.columns if column.from_source]
    wanted = {*feed.target.keys, *feed.target.sequence_by}
    return tuple(name for name in columns if name in wanted) or tuple(columns)


def has_keys(feed: Feed, names: Sequence[str]) -> bool:
    """Whether a line with these names can be the header of a file."""
    columns = [column for column in feed.columns if column.from_source]
    found, _ = matched(columns, [name.strip(AROUND) for name in names])
    return all(name in found for name in key_names(feed))


def json_layout(
    feed: Feed,
    keys: Sequence[str],
    paths: Sequence[tuple[str, ...]] = (),
    members: Sequence[tuple[str, tuple[str, ...]]] = (),
) -> Layout | Rejected:
    """The layout of a JSON file in whose records these keys occur, these paths (of `json_paths`), and in columns these
    members that their types do not have; its records have the fields that columns want."""
    known = set(map(same_name, keys))
    steps = {".".join(path): path for path in paths if same_name(".".join(path)) not in known}
    names = [*keys, *steps]
    found = match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    ways = {steps[names[index]][0] for index in found.values() if names[index] in steps}
    used = _wanted_fields(feed, found, [index for index, key in enumerate(keys) if key not in ways])
    if isinstance(used, Rejected):
        return used
    fields = tuple((column, used.index(index)) for column, index in found.items())
    record = tuple(Field(names[index], Kind.JSON, steps=steps.get(names[index], ())) for index in used)
    taken = {*(names[index] for index in used), *(field.path[0] for field in record)}
    others = tuple(key for key in keys if key not in taken)[:_OTHERS]
    return _bounded(feed, replace(_rescuing(feed, Layout(record, fields, others=others)), members=tuple(members)))


def growing(feed: Feed) -> dict[str, Column]:
    """The columns of a feed to which files may add members, by each of their names as `same_name` has it."""
    if feed.schema_contract.new_columns is not NewColumns.ADD:
        return {}
    some = [column for column in feed.columns if column.from_source and has_structs(column.declared or column.type)]
    return {same_name(name): column for column in some for name in column.source_names}


def _bounded(feed: Feed, layout: Layout) -> Layout | Rejected:
    """The layout, unless structs in the file have more members beside the schema's than a file may have columns."""
    most = feed.source.limits.columns
    if len(layout.members) > most:
        return Rejected(f"columns of the file have {len(layout.members)} more members; {most} may be (limits.columns)")
    return layout


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
    found = match(feed, [column for column in feed.columns if column.from_source], names)
    if isinstance(found, Rejected):
        return found
    used = _wanted_fields(feed, found, range(len(names)))
    if isinstance(used, Rejected):
        return used
    fields = tuple((column, used.index(index)) for column, index in found.items())
    others = tuple(name for index, name in enumerate(names) if index not in set(used))
    record = tuple(Field(names[index], Kind.TYPED, types[index]) for index in used)
    at = {column.name: types[found[column.name]] for column in growing(feed).values() if column.name in found}
    own = {column.name: column.declared or column.type for column in growing(feed).values()}
    members = [(name, path) for name, type_ in at.items() if type_ for path in members_of_type(type_, own[name])]
    return _bounded(feed, replace(_rescuing(feed, Layout(record, fields, others=others)), members=tuple(members)))


def _rescuing(feed: Feed, layout: Layout) -> Layout:
    """The layout with the fields that are rescued: those with a name that no column wants."""
    if feed.schema_contract.new_columns is not NewColumns.RESCUE or not layout.fields:
        return layout
    used = {index for _, index in layout.fields}
    return replace(layout, rescued=tuple(i for i, name in enumerate(layout.names) if i not in used and name))


def _wanted_fields(feed: Feed, found: Mapping[str, int], every: Sequence[int]) -> list[int] | Rejected:
    """The fields that records have: those that columns want, and all where new columns are loaded too."""
    used = set(found.values())
    if feed.schema_contract.new_columns in (NewColumns.ADD, NewColumns.RESCUE):
        used |= set(every)
    most = feed.source.limits.columns
    if len(used) > most:
        return Rejected(f"the records of the file have {len(used)} names; a file may have {most} (limits.columns)")
    return sorted(used)


def own_layout(feed: Feed, kind: Kind) -> Layout:
    """The layout of a file that has every column under the name that the schema prefers."""
    columns = [column for column in feed.columns if column.from_source]
    return _in_order([column.source_names[0] for column in columns], columns, kind)


def _in_order(names: Sequence[str], columns: Sequence[Column], kind: Kind) -> Layout:
    fields = tuple((column.name, index) for index, column in enumerate(columns))
    return Layout(tuple(Field(name, kind) for name in names), fields)

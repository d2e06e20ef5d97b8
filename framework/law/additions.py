"""Additions: columns that files bring and the schema does not have, with `new_columns: add`.

A batch is then staged and merged by a feed that has them too, as texts behind its own columns; so what an engine does
is what it does for any feed. Which they are is kept in the batch's manifest, and so passed on to the next one: in rows
of files that do not have them they are NULL, as other columns are. Members that files bring within structs are texts
at the end of these: the column is kept with its grown type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from framework.batch import FileOutcome, Manifest
from framework.feed import Column, Feed, NewColumns
from framework.law.layout import Layout, Rejected, same_name
from framework.law.members import grown, lacks, with_member
from framework.law.naming import column_name
from framework.names import AUDIT_COLUMNS, CHANGE, DELETED_AT, END_AT, RESCUED, SEQUENCE, START_AT, Added
from framework.types import Scalar, parse_type

__all__ = ["added_by", "added_columns", "brought", "lacking", "laid_out", "with_added"]

_OWN = ("_feed", "_batch", RESCUED, *AUDIT_COLUMNS, CHANGE, SEQUENCE, DELETED_AT, START_AT, END_AT)
"""Names that tables have for Landfeed."""


def with_added(feed: Feed, added: Iterable[Added]) -> Feed:
    """The feed with these columns behind its own, but for those that its schema has by now."""
    if feed.schema_contract.new_columns is not NewColumns.ADD:
        return feed
    added = tuple(added)
    feed = _grown(feed, [each for each in added if each.grows])
    known = _known(feed)
    new = []
    for each in (each for each in added if not each.grows):
        names = {same_name(each.name), same_name(each.source_name)}
        if known.isdisjoint(names):
            known |= names
            new.append(Column(each.name, parse_type(each.type), (each.source_name,), added=True))
    if not new:
        return feed
    target = feed.target
    fixed = {*target.keys, *target.sequence_by}
    if {column.name for column in feed.columns} <= {*fixed, *target.ignore_null_updates}:  # it says: all columns
        ignored = (*target.ignore_null_updates, *(column.name for column in new))
        target = replace(target, ignore_null_updates=ignored)
    return replace(feed, columns=(*feed.columns, *new), target=target)


def _grown(feed: Feed, added: Sequence[Added]) -> Feed:
    """The feed whose columns have the members that these have more."""
    columns = list(feed.columns)
    for each in added:
        for index, column in enumerate(columns):
            type_ = grown(column.type, parse_type(each.type)) if column.name == each.name else column.type
            if type_ != column.type:
                columns[index] = replace(column, type=type_, declared=column.declared or column.type)
    return replace(feed, columns=tuple(columns)) if added else feed


def added_by(feed: Feed, before: Feed, outcomes: Iterable[FileOutcome]) -> tuple[Added, ...]:
    """The columns that are added to a feed, `before` its files were opened or by those of them that are loaded; and
    those with members that any file brought, since staging has these."""
    loaded = {name for outcome in outcomes if outcome.rejected is None for name in outcome.seen.added}
    wanted = loaded | {each.name for each in added_columns(before)}
    return tuple(each for each in added_columns(feed) if each.grows or each.name in wanted)


def added_columns(feed: Feed) -> tuple[Added, ...]:
    """The columns that were added to a feed."""
    some = (each for each in feed.columns if each.added or each.declared is not None)
    return tuple(Added(each.name, str(each.type), each.source_names[0]) for each in some)


def lacking(manifest: Manifest) -> set[str]:
    """The columns that some loaded file of a batch does not have."""
    added = {each.name for each in manifest.added if not each.grows}
    seen = [outcome.seen for outcome in manifest.loaded]
    return {column for each in seen for column in (*each.missing, *(added - set(each.added)))}


def brought(
    feed: Feed, layouts: Iterable[Layout | Rejected], there: Sequence[tuple[str, str]] = ()
) -> tuple[Added, ...]:
    """The columns that files of these layouts bring to a feed that adds them. `there` are the target's columns (name,
    type): one of theirs that the schema does not have keeps its name and type. A name that a file has twice is left
    out, since it cannot be told which of them counts."""
    if feed.schema_contract.new_columns is not NewColumns.ADD:
        return ()
    layouts = tuple(layouts)
    known, found = _known(feed), _members(feed, layouts)
    taken = known | {column.name.lower() for column in feed.columns} | {name.lower() for name in _OWN}
    tables = {name.lower(): (name, type_) for name, type_ in there if name.lower() not in taken}
    for layout in layouts:
        for name in _new(layout):
            if same_name(name) in known:
                continue
            known.add(same_name(name))
            table = tables.get(name.lower())
            if table is not None and _usable(table[1]):
                taken.add(table[0].lower())
                found.append(Added(*table, name))
            else:
                taken |= set(tables)
                found.append(Added(column_name(name, taken), "string", name))
    return tuple(found)


def _members(feed: Feed, layouts: Sequence[Layout | Rejected]) -> list[Added]:
    """The columns in which files of these layouts have members that they do not have."""
    types = {column.name: column.type for column in feed.columns}
    for layout in layouts:
        for column, path in layout.members if isinstance(layout, Layout) else ():
            if lacks(types[column], path):
                types[column] = with_member(types[column], path)
    return [
        Added(column.name, str(types[column.name]), column.source_names[0])
        for column in feed.columns
        if types[column.name] != column.type
    ]


def laid_out(feed: Feed, layout: Layout | Rejected) -> Layout | Rejected:
    """The layout with the fields of the columns that were added to the feed since it was told."""
    if isinstance(layout, Rejected):
        return layout
    have, at = {name for name, _ in layout.fields}, {same_name(name): name for name in _new(layout)}
    new = [
        (column.name, layout.names.index(at[same_name(column.source_names[0])]))
        for column in feed.columns
        if column.added and column.name not in have and same_name(column.source_names[0]) in at
    ]
    return replace(layout, fields=(*layout.fields, *new)) if new else layout


def _known(feed: Feed) -> set[str]:
    return {same_name(name) for column in feed.columns for name in (column.name, *column.source_names)}


def _new(layout: Layout | Rejected) -> Iterator[str]:
    """The names of the fields that no column has, without those that are there twice, also in other spellings."""
    if isinstance(layout, Rejected) or not layout.fields:
        return
    used = set(layout.used)
    counted: dict[str, int] = {}
    for name in layout.names:
        counted[same_name(name)] = counted.get(same_name(name), 0) + 1
    for index, name in enumerate(layout.names):
        if index not in used and same_name(name) and counted[same_name(name)] == 1:
            yield name


def _usable(type_: str) -> bool:
    try:
        return isinstance(parse_type(type_), Scalar) or type_.startswith("decimal")
    except ValueError:
        return False

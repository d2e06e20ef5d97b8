"""What the cases of rows say, written by delta-rs in one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias, assert_never

import duckdb
from deltalake import CommitProperties, DeltaTable, write_deltalake

from framework.law.change import Change, Delete, Insert, Match, Update
from framework.law.counts import Counts, Written
from framework.law.dialects import DATAFUSION, DUCKDB
from framework.law.merging import clauses, partners

__all__ = ["Writer", "write_rows"]

Writer: TypeAlias = Callable[[DeltaTable, duckdb.DuckDBPyRelation, Change, Counts, CommitProperties], Written]
"""Writes rows that carry their cases (`framework.law.merging.CASE`), of which there are so many of each, to a table;
what it wrote, by its own count. A commit without rows still carries its properties."""


def write_rows(
    target: DeltaTable, rows: duckdb.DuckDBPyRelation, change: Change, counts: Counts, properties: CommitProperties
) -> Written:
    """The `Writer` of this engine: what only inserts is appended, which leaves all files of the table alone."""
    rows, change = _as_spelled_there(target, rows, change)
    writes = {change.cases[index].write for index in change.writing if counts.get(index)}
    inserts = [write for write in writes if isinstance(write, Insert)]
    if len(inserts) == len(writes) <= 1:
        return _append(target, rows, inserts[0].columns if inserts else change.columns, properties)
    if change.match is None:
        raise ValueError("a change without a match only inserts")
    return _merge(target, rows, change, change.match, properties)


def _as_spelled_there(
    target: DeltaTable, rows: duckdb.DuckDBPyRelation, change: Change
) -> tuple[duckdb.DuckDBPyRelation, Change]:
    """The rows, and what is written of them, with the columns as the table spells them. Names of columns ignore case,
    but delta-rs takes a name in other letters for another column: it adds it, or leaves NULL in the table's own."""
    lower = {field.name.lower(): field.name for field in target.schema().fields}
    spelling = {name: lower.get(name.lower(), name) for name in rows.columns}
    if all(there == name for name, there in spelling.items()):
        return rows, change
    renamed = (f"{DUCKDB.name(name)} AS {DUCKDB.name(there)}" for name, there in spelling.items())
    match = change.match and replace(change.match, keys=_spelled(change.match.keys, spelling))
    cases = []
    for case in change.cases:
        write = case.write
        if isinstance(write, Insert | Update):
            write = replace(write, columns=_spelled(write.columns, spelling))
        cases.append(replace(case, write=write))
    return rows.project(", ".join(renamed)), replace(change, match=match, cases=tuple(cases))


def _spelled(columns: tuple[str, ...], spelling: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(spelling.get(column, column) for column in columns)


def _append(
    target: DeltaTable, rows: duckdb.DuckDBPyRelation, columns: tuple[str, ...], properties: CommitProperties
) -> Written:
    listed = rows.project(DUCKDB.names(columns))
    write_deltalake(target, listed, mode="append", schema_mode="merge", commit_properties=properties)
    return Written(target.history(1)[0]["operationMetrics"]["num_added_rows"])


def _merge(
    target: DeltaTable, rows: duckdb.DuckDBPyRelation, change: Change, match: Match, properties: CommitProperties
) -> Written:
    merger = target.merge(
        rows,
        predicate=partners(match, DATAFUSION),
        source_alias="s",
        target_alias="t",
        commit_properties=properties,
    )
    for clause in clauses(change, DATAFUSION, classified=True):
        match clause.write:
            case Insert(columns):
                merger = merger.when_not_matched_insert(_taken(columns), clause.condition)
            case Update(columns):
                merger = merger.when_matched_update(_taken(columns), clause.condition)
            case Delete():
                merger = merger.when_matched_delete(clause.condition)
            case _:
                assert_never(clause.write)
    metrics = merger.execute()
    return Written(*(metrics[f"num_target_rows_{what}"] for what in ("inserted", "updated", "deleted")))


def _taken(columns: tuple[str, ...]) -> dict[str, str]:
    """Assignments of columns of the source to those of the target."""
    return {DATAFUSION.name(column): DATAFUSION.column("s", column) for column in columns}

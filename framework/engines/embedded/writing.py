"""What the cases of rows say, written by delta-rs in one commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

import duckdb
from deltalake import CommitProperties, DeltaTable, write_deltalake

from framework.law.change import Change, Counts, Delete, Insert, Match, Update, Written
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
    writes = {change.cases[index].write for index in change.writing if counts.get(index)}
    inserts = [write for write in writes if isinstance(write, Insert)]
    if len(inserts) == len(writes) <= 1:
        return _append(target, rows, inserts[0].columns if inserts else change.columns, properties)
    if change.match is None:
        raise ValueError("a change without a match only inserts")
    return _merge(target, rows, change, change.match, properties)


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

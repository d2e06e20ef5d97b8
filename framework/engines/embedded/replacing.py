"""Replacing: the batch takes the place of the target's rows, all or those with its values, in one commit."""

from __future__ import annotations

import duckdb
from deltalake import CommitProperties, DeltaTable, write_deltalake

from framework.law.change import Change, Replace
from framework.law.dialects import DATAFUSION, DUCKDB
from framework.law.replacing import replaced, values_of

__all__ = ["replace_rows"]


def replace_rows(
    db: duckdb.DuckDBPyConnection, target: DeltaTable, change: Change, what: Replace, properties: CommitProperties
) -> int:
    """Write the rows of the view `s` over the target; how many rows of them there were."""
    where = None
    if what.columns:
        where = replaced(what.columns, db.execute(values_of(what.columns, "s", DUCKDB)).fetchall(), DATAFUSION)
    rows = db.sql(f"SELECT {DUCKDB.names(change.columns)} FROM s")
    write_deltalake(
        target,
        rows,
        mode="overwrite",
        predicate=where,
        schema_mode=None if where else "merge",
        commit_properties=properties,
    )
    return int(target.history(1)[0]["operationMetrics"]["num_added_rows"])

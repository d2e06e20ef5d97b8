"""Replacing: the batch takes the place of the target's rows, all or those with its values, in one commit."""

from __future__ import annotations

import duckdb
from deltalake import CommitProperties, DeltaTable, write_deltalake

from framework.law.change import Change
from framework.law.dialects import DUCKDB

__all__ = ["replace_rows"]


def replace_rows(
    db: duckdb.DuckDBPyConnection, target: DeltaTable, change: Change, properties: CommitProperties
) -> int:
    """Write the rows of the view `s` over the target; how many rows it then holds of them."""
    rows = db.sql(f"SELECT {DUCKDB.names(change.columns)} FROM s")
    write_deltalake(target, rows, mode="overwrite", commit_properties=properties)
    return int(target.history(1)[0]["operationMetrics"]["num_added_rows"])

"""The values that references allow, in temporary tables that are called as their checks."""

from __future__ import annotations

import duckdb
from deltalake import QueryBuilder

from framework.engines.delta import DeltaTables
from framework.engines.delta_errors import translated
from framework.feed import Feed
from framework.law.dialects import DATAFUSION, DUCKDB
from framework.law.references import allowed, references, refuse_unknown

__all__ = ["collect", "may_shuffle"]

_SHUFFLES = 100_000
"""Values from which on a join may have no room in memory, and DuckDB then gives its rows in another order."""


def collect(db: duckdb.DuckDBPyConnection, tables: DeltaTables, feed: Feed) -> None:
    """Make the tables, each with the column `value`. Raises LandfeedError when another table is not there any more."""
    for check, reference in references(feed):
        delta = tables.open(reference.table)
        if delta is None:
            refuse_unknown(feed, {})
            continue
        with translated(reference.table):
            reader = QueryBuilder().register("t", delta).execute(allowed(reference, "t", DATAFUSION))
            db.register("there", reader)
            db.execute(f"CREATE OR REPLACE TEMP TABLE {DUCKDB.name(check.name)} AS SELECT DISTINCT value FROM there")
            db.unregister("there")


def may_shuffle(db: duckdb.DuckDBPyConnection, feed: Feed) -> bool:
    """Whether rows may come in another order than they had, for the size of these tables."""
    names = [DUCKDB.name(check.name) for check, _ in references(feed)]
    counts = (db.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names)
    return any(count is not None and count[0] > _SHUFFLES for count in counts)

"""The batch's checks, over the table `batch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from framework.batch import Checked
from framework.feed import Check, Feed
from framework.law.batch_checks import (
    SAMPLES,
    aggregates,
    failing,
    outcomes,
    required,
    row_counts,
    sample,
    sample_columns,
)
from framework.law.checks import batch_checks, row_checks
from framework.law.dialects import DUCKDB
from framework.names import AUDIT_COLUMNS

__all__ = ["check_batch", "check_clean"]


def check_batch(
    db: duckdb.DuckDBPyConnection, feed: Feed, clean: str, audit: Mapping[str, str], paths: Sequence[str]
) -> Sequence[Checked]:
    """What came of the checks. `clean` is the condition of rows that are staged if no other row of their key beats
    them, `audit` the SQL of the audit columns, `paths` are those of the files. Raises PolicyError."""
    if not feed.checks:
        return ()
    values = {**audit, **{column.name: f"v{index}" for index, column in enumerate(feed.columns)}}
    counts = _first(db, row_counts(feed), "batch")
    staged = f"batch WHERE {clean} AND rowid NOT IN (SELECT id FROM losers)"
    found = _first(db, aggregates(feed, values, DUCKDB), staged)

    def samples(check: Check) -> list[str]:
        names = sample_columns(feed, check)
        items = ", ".join(["_file", *(DUCKDB.as_text(values[name]) for name in names)])
        rows = db.execute(f"SELECT {items} FROM batch WHERE {failing(feed, check)} ORDER BY rowid LIMIT {SAMPLES}")
        return [sample(paths[index], names, texts) for index, *texts in rows.fetchall()]

    return required(feed, outcomes(feed, counts, found), samples)


def check_clean(db: duckdb.DuckDBPyConnection, feed: Feed, staged: str) -> Sequence[Checked] | None:
    """What came of the checks where every row passes those of rows; `staged` is a query of the rows of staging. None
    where that does not tell, because what checks look at is masked there. Raises PolicyError."""
    batch = batch_checks(feed)
    if batch and any(column.mask is not None for column in feed.columns):
        return None
    names = [*(column.name for column in feed.columns), *AUDIT_COLUMNS]
    numbered = ", ".join(f"{DUCKDB.name(name)} AS v{index}" for index, name in enumerate(names))
    items = aggregates(feed, {name: f"v{index}" for index, name in enumerate(names)}, DUCKDB)
    found = _first(db, items, f"(SELECT {numbered} FROM {staged})")
    return required(feed, outcomes(feed, [0] * len(row_checks(feed)), found), lambda _: ())


def _first(db: duckdb.DuckDBPyConnection, items: Sequence[str], source: str) -> Sequence[int]:
    """The one row of a query, nothing for no items."""
    return (db.execute(f"SELECT {', '.join(items)} FROM {source}").fetchone() or ()) if items else ()

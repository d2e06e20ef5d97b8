"""How far DuckDB is in the files that it reads, asked from other threads while it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import duckdb

from framework.opening import SourceFile

__all__ = ["PROGRESS", "watched"]

PROGRESS = ["enable_progress_bar", "enable_progress_bar_print"]
"""What of DuckDB's configuration this needs to set."""
_LARGE = 8 << 20
"""Bytes of files from which on it is worth asking."""


@contextmanager
def watched(db: duckdb.DuckDBPyConnection, sources: Sequence[SourceFile]) -> Iterator[None]:
    """While the block runs a statement that reads these files, they tell what share of it is done."""
    if sum(source.file.size for source in sources) < _LARGE:
        yield
        return
    db.execute("SET enable_progress_bar_print = false")
    db.execute("SET enable_progress_bar = true")
    lock, running, furthest = threading.Lock(), True, 0.0

    def share() -> float:
        nonlocal furthest
        with lock:  # the connection is not closed meanwhile
            if running:
                with suppress(duckdb.Error):
                    furthest = max(furthest, db.query_progress() / 100)  # -1 before it knows
            return furthest

    for source in sources:
        source.share = share
    try:
        yield
        furthest = 1.0
    finally:
        with lock:
            running = False  # the setting stays: the transaction may have failed, and takes no statement

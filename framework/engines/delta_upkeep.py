"""Upkeep of tables by delta-rs: small files written together, files that nobody needs deleted, old bad rows too."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime

from deltalake import DeltaTable, QueryBuilder

from framework.engine import Upkeep
from framework.engines.delta import DeltaTables
from framework.engines.delta_errors import translated
from framework.law.dialects import DATAFUSION
from framework.names import Table
from framework.types import Scalar

__all__ = ["expire", "upkeep"]

_LOG_DAYS = 30
_DAYS = re.compile(r"(?:interval )?(\d+) days?")
_ENTRY = re.compile(r"\d{20}\.json")
_SMALL = 16 << 20
"""Bytes up to which a file is small. Larger files are left alone: a merge rewrites those in which rows change."""


def upkeep(tables: DeltaTables, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
    """See `Engine.upkeep`. A commit is made only where there is something to do."""
    delta, compacted = tables.open(table), 0
    if delta is None:
        return Upkeep()
    tables.writable(delta, table)
    with translated(table):
        if compact and (compacted := _small(delta)) and not dry_run:
            compacted = int(delta.optimize.compact(target_size=_SMALL)["numFilesRemoved"])
        doomed = delta.vacuum(dry_run=True, full=True)
        if tables.local:  # it names those too that an earlier one deleted
            doomed = [path for path in doomed if os.path.exists(f"{tables.uri(table)}/{path}")]
        sizes = [os.path.getsize(f"{tables.uri(table)}/{path}") for path in doomed] if tables.local else None
        if doomed and not dry_run:
            delta.vacuum(dry_run=False, full=True)
        entries = _old_entries(tables, table, delta)
        if (entries or (not tables.local and (compacted or doomed))) and not dry_run:
            delta.update_incremental()
            delta.create_checkpoint()
            delta.cleanup_metadata()
            entries -= _old_entries(tables, table, delta)
    return Upkeep(compacted, len(doomed), sum(sizes) if sizes is not None else None, entries)


def _old_entries(tables: DeltaTables, table: Table, delta: DeltaTable) -> int:
    """How many entries of a local table's log are past their retention; in a bucket they are not counted."""
    if not tables.local:
        return 0
    said = _DAYS.fullmatch(delta.metadata().configuration.get("delta.logRetentionDuration") or "")
    before = time.time() - (int(said[1]) if said else _LOG_DAYS) * 86_400
    log = f"{tables.uri(table)}/_delta_log"
    versions = (name for name in os.listdir(log) if _ENTRY.fullmatch(name) and int(name[:20]) < delta.version())
    return sum(os.path.getmtime(f"{log}/{name}") < before for name in versions)


def _small(delta: DeltaTable) -> int:
    """How many files are small; one alone stays what it is."""
    sizes = delta.get_add_actions().column("size_bytes").to_pylist()
    small = sum(isinstance(size, int) and size < _SMALL for size in sizes)
    return small if small > 1 else 0


def expire(tables: DeltaTables, table: Table, feed: str, before: datetime, *, dry_run: bool) -> int:
    """See `Engine.expire`."""
    delta = tables.open(table)
    if delta is None:
        return 0
    moment = DATAFUSION.value(f"{before.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00", Scalar("timestamp"))
    where = f"_feed = {DATAFUSION.text(feed)} AND _quarantined_at < {moment}"
    with translated(table):
        found = QueryBuilder().register("t", delta).execute(f"SELECT count(*) AS n FROM t WHERE {where}").read_all()
        rows = int(found.column("n").to_pylist()[0])
        if rows and not dry_run:
            delta.delete(where)
    return rows

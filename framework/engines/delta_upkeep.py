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

__all__ = ["expire", "size", "upkeep"]

_LOG_DAYS = 30
_DAYS = re.compile(r"(?:interval )?(\d+) days?")
_ENTRY = re.compile(r"\d{20}\.json")
_CHECKPOINT = re.compile(r"\d{20}\.checkpoint(\..*)?\.parquet")
_ENTRIES = 20
"""Entries of a log after which a checkpoint is made."""
_SMALL = 16 << 20
"""Bytes up to which a file is small. Larger files are left alone: a merge rewrites those in which rows change."""


def size(tables: DeltaTables, table: Table) -> int | None:
    """How many bytes the table's files have, None when there is no table."""
    delta = tables.open(table)
    if delta is None:
        return None
    actions = delta.get_add_actions(flatten=True)
    return sum(actions.column("size_bytes").to_pylist()) if actions.num_rows else 0


def upkeep(tables: DeltaTables, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
    """See `Engine.upkeep`. A commit is made only where there is something to do."""
    delta, compacted = tables.open(table), 0
    if delta is None:
        return Upkeep()
    tables.writable(delta, table)
    entries = _old_entries(tables, table)
    with translated(table):
        if compact and (compacted := _small(delta)) and not dry_run:
            compacted = int(delta.optimize.compact(target_size=_SMALL)["numFilesRemoved"])
        doomed = delta.vacuum(dry_run=True, full=True)
        if tables.local:  # it names those too that an earlier one deleted
            doomed = [path for path in doomed if os.path.exists(f"{tables.uri(table)}/{path}")]
        sizes = [os.path.getsize(f"{tables.uri(table)}/{path}") for path in doomed] if tables.local else None
        if doomed and not dry_run:
            delta.vacuum(dry_run=False, full=True)
        if not dry_run and _checkpoint_due(tables, table, delta):
            delta.update_incremental()
            delta.create_checkpoint()
        if not dry_run and (entries or not tables.local):
            delta.cleanup_metadata()  # which commits have done by themselves, if there was one
            entries -= _old_entries(tables, table)
    return Upkeep(compacted, len(doomed), sum(sizes) if sizes is not None else None, entries)


def _checkpoint_due(tables: DeltaTables, table: Table, delta: DeltaTable) -> bool:
    """Whether the log has many entries since its last checkpoint: old ones can only go that are behind one."""
    checkpoints = _versions(tables, table, _CHECKPOINT) if tables.local else {}
    return delta.version() - max(checkpoints, default=0) >= _ENTRIES


def _old_entries(tables: DeltaTables, table: Table) -> int:
    """How many entries of a table's log are past their retention, and not needed to read what is not; in a bucket they
    are not counted."""
    if not tables.local:
        return 0
    delta = tables.open(table)
    said = _DAYS.fullmatch((delta.metadata().configuration if delta else {}).get("delta.logRetentionDuration") or "")
    before = time.time() - (int(said[1]) if said else _LOG_DAYS) * 86_400
    entries, checkpoints = (_versions(tables, table, pattern) for pattern in (_ENTRY, _CHECKPOINT))
    first = max((version for version in checkpoints if entries.get(version, before) < before), default=0)
    return sum(version < first for version in entries)


def _versions(tables: DeltaTables, table: Table, pattern: re.Pattern[str]) -> dict[int, float]:
    """The files of a local table's log of a kind, by version, with the times of their last change."""
    log = f"{tables.uri(table)}/_delta_log"
    names = (name for name in os.listdir(log) if pattern.fullmatch(name))
    return {int(name[:20]): os.path.getmtime(f"{log}/{name}") for name in names}


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

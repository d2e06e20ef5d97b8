"""Upkeep: what gathers over the days is made small again, or deleted when a feed's settings say so.

Each feed is looked after under its lease, so no batch is under way; an unfinished one keeps all that it may need. Files
of tables go when no version of the last days needs them: readers of an older one are not cut off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from framework.engine import Upkeep
from framework.errors import Busy, Conflict, Failure, LandfeedError, expected
from framework.feed import Feed
from framework.law.deliveries import archived_in
from framework.law.modes import memory_table
from framework.leases import Leases
from framework.ledger import CLOSED, CONTROL_TABLES
from framework.names import File, Status, Table
from framework.plan.world import World
from framework.runs.archives import files_in_archive

__all__ = ["Looked", "maintain", "maintain_control"]

_CONTROL = "control tables"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was done for a feed, or would be: by table what upkeep did, how many old rows of the quarantine and which
    old files of the archive were deleted."""

    feed: str
    status: Status = Status.NOTHING_TO_DO
    tables: dict[str, Upkeep] = field(default_factory=dict)
    quarantine_rows: int = 0
    archive_files: tuple[File, ...] = ()
    error: Failure | None = None

    @property
    def archive_bytes(self) -> int:
        return sum(file.size for file in self.archive_files)

    def as_dict(self) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "status": str(self.status),
            "tables": [{"table": name, **asdict(done)} for name, done in self.tables.items()],
            "quarantine_rows": self.quarantine_rows,
            "archive_files": [file.shown for file in self.archive_files],
            "archive_bytes": self.archive_bytes,
            "error": asdict(self.error) if self.error else None,
        }


def maintain(feeds: Sequence[Feed], world: World, leases: Leases, wait: float, *, dry_run: bool) -> Iterator[Looked]:
    """Look after the tables and the archive of each feed; with `dry_run` only tell what would be done. One that is
    busy, or where something fails, stops no other."""
    latest = world.ledger.latest()
    for feed in feeds:
        last = latest.get(feed.name)
        try:
            with leases.hold(feed.name, wait):
                idle = last is None or last.state in CLOSED
                yield _of_feed(feed, world, idle=idle, dry_run=dry_run)
        except (Busy, Conflict):
            yield Looked(feed.name, Status.BUSY)
        except Exception as raised:
            error = expected(raised)
            error.hide(world.hide)
            yield Looked(feed.name, Status.FAILED, error=error.failure)


def _of_feed(feed: Feed, world: World, *, idle: bool, dry_run: bool) -> Looked:
    now, engine = world.clock(), world.engine
    rows = 0
    if feed.quarantine.retention is not None and idle:
        rows = engine.expire(feed.quarantine.table, feed.name, now - feed.quarantine.retention, dry_run=dry_run)
    tables = [feed.target.table, feed.quarantine.table, memory_table(feed)]
    done = {table.name: engine.upkeep(table, compact=True, dry_run=dry_run) for table in tables if table is not None}
    if idle:  # an unfinished batch may need a version of staging
        done[feed.target.staging.name] = engine.upkeep(feed.target.staging, compact=False, dry_run=dry_run)
    files = tuple(_old_files(feed, world, now)) if feed.archive.retention is not None else ()
    if not dry_run:
        files = tuple(file for file in files if world.storage(feed).delete(file))
    changed = rows or files or any(each != Upkeep() for each in done.values())
    return Looked(feed.name, Status.SUCCEEDED if changed else Status.NOTHING_TO_DO, done, rows, files)


def _old_files(feed: Feed, world: World, now: datetime) -> Iterator[File]:
    """Loaded files that are older than they have to be, by the days of their folders."""
    first = (now - (feed.archive.retention or timedelta.max)).date().isoformat()
    for file in files_in_archive(feed, world.storage(feed)):
        found = archived_in(file.name)
        if found is not None and found[0] < first:
            yield file


def maintain_control(schema: str, world: World, *, dry_run: bool) -> Looked:
    """Look after Landfeed's own tables."""
    done = {}
    for name in CONTROL_TABLES:
        table = Table(f"{schema}.{name}")
        try:
            done[table.name] = world.engine.upkeep(table, compact=True, dry_run=dry_run)
        except Conflict:  # somebody writes to it; the next time will do
            continue
        except LandfeedError as error:
            return Looked(_CONTROL, Status.FAILED, done, error=error.failure)
    changed = any(each != Upkeep() for each in done.values())
    return Looked(_CONTROL, Status.SUCCEEDED if changed else Status.NOTHING_TO_DO, done)

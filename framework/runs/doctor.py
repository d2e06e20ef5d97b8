"""Doctor: folders, space, clocks, tables and leases looked at, each finding with what to do. Changes no table."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from framework.errors import Busy, LandfeedError
from framework.feed import Feed
from framework.leases import Leases
from framework.names import Table
from framework.plan.world import World
from framework.runs.remembered import clock_behind

__all__ = ["Finding", "Health", "examine"]

_LITTLE_SPACE = 1 << 30
"""Free bytes below which a disk is told."""


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, a sentence, and what to do (None when nothing is to be done)."""

    subject: str
    health: Health
    message: str
    hint: str | None = None


def examine(feeds: Sequence[Feed], world: World, leases: Leases) -> Iterator[Finding]:
    """Look at everything that a run of these feeds needs."""
    yield from _disk("temporary folder", tempfile.gettempdir)
    if world.tables is not None and "://" not in world.tables:
        yield from _disk("tables", lambda: _there(world.tables or "/"))
    yield from _ledger(world)
    for feed in feeds:
        yield _told(f"{feed.name}: landing", partial(_landing, feed, world))
        yield _lease(feed, leases)
        tables = {"target": feed.target.table, "staging": feed.target.staging, "quarantine": feed.quarantine.table}
        for kind, table in tables.items():
            yield _told(f"{feed.name}: {kind}", partial(_table, feed, table, world))


def _told(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, Health.OK, look())
    except LandfeedError as error:
        return Finding(subject, Health.ERROR, error.message, error.hint)


def _disk(subject: str, folder: Callable[[], str]) -> Iterator[Finding]:
    try:
        path = folder()
        free = shutil.disk_usage(path).free
    except OSError as error:
        yield Finding(
            subject, Health.ERROR, f"cannot be looked at: {error}", "give the runner a folder that it may write"
        )
        return
    if not os.access(path, os.W_OK | os.X_OK):
        yield Finding(subject, Health.ERROR, f"{path} cannot be written", "give the runner the right to write there")
    elif free < _LITTLE_SPACE:
        yield Finding(subject, Health.WARNING, f"{path} has {free / 1e6:,.0f} MB left", "free space there")
    else:
        yield Finding(subject, Health.OK, f"{path} has {free / 1e9:,.1f} GB left")


def _there(path: str) -> str:
    """The folder, or the first one above it that exists."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def _ledger(world: World) -> Iterator[Finding]:
    """What is recorded, and whether the clock is behind it."""
    try:
        latest = world.ledger.latest()
    except LandfeedError as error:
        yield Finding("ledger", Health.ERROR, error.message, error.hint)
        return
    yield Finding("ledger", Health.OK, f"{len(latest)} feed(s) recorded")
    if (behind := clock_behind(latest, world)) is not None:
        yield Finding("clock", Health.WARNING, behind, "set it right; tables do not go by it")
    else:
        yield Finding("clock", Health.OK, "not behind what is recorded")


def _landing(feed: Feed, world: World) -> str:
    files = sum(1 for _ in world.storage(feed).list(feed.source.path, recursive=feed.source.recursive))
    return f"{files:,} file(s) in {feed.source.path}"


def _lease(feed: Feed, leases: Leases) -> Finding:
    subject = f"{feed.name}: lease"
    try:
        with leases.hold(feed.name, 0):
            return Finding(subject, Health.OK, "free")
    except Busy as error:
        return Finding(subject, Health.WARNING, error.message, error.hint)
    except LandfeedError as error:
        return Finding(subject, Health.ERROR, error.message, error.hint)


def _table(feed: Feed, table: Table, world: World) -> str:
    state = world.engine.state(table, feed.name)
    if state is None:
        return f"{table} is not there yet"
    if (why := world.keeping.damage(table)) is not None:
        raise LandfeedError(why, "put the file back from a backup; see docs/reliability.md", code="table_damaged")
    return f"{table} is at version {state.version}, batch {state.seq or 0}"

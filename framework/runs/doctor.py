"""Doctor: folders, rights, space, clocks, tables, leases, limits and versions looked at, each finding with what to do.
Changes no table."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from framework import __version__
from framework.errors import Busy, LandfeedError
from framework.feed import ArchiveAction, Feed
from framework.leases import Leases
from framework.machine import most_open_files
from framework.names import Table
from framework.plan.world import World
from framework.runs.remembered import SKEW, clock_behind

__all__ = ["Finding", "Health", "examine"]

_LITTLE_SPACE = 1 << 30
"""Free bytes below which a disk is told."""
_FEW_DESCRIPTORS = 64
_PUT_BACK = "put the file back from a backup; see docs/reliability.md"


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
    yield _engine(world)
    yield _descriptors()
    yield from _disk("temporary folder", tempfile.gettempdir)
    if world.tables is not None and "://" not in world.tables:
        yield from _disk("tables", lambda: _there(world.tables or "/"))
    yield from _ledger(world)
    for feed in feeds:
        yield _landing(feed, world)
        for kind, path in _archives(feed).items():
            yield from _disk(f"{feed.name}: {kind}", partial(_there, path))
        yield _lease(feed, leases)
        tables = {"target": feed.target.table, "staging": feed.target.staging, "quarantine": feed.quarantine.table}
        for kind, table in tables.items():
            yield _told(f"{feed.name}: {kind}", partial(_table, feed, table, world))


_PACKAGES = {"embedded": ("duckdb", "deltalake"), "spark": ("pyspark", "delta-spark", "deltalake")}


def _engine(world: World) -> Finding:
    """Which versions are at work; on Databricks some come with the runtime and are no packages."""
    found = [f"landfeed {__version__}", f"Python {platform.python_version()}"]
    for package in _PACKAGES[world.engine_name]:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return Finding("engine", Health.OK, f"{world.engine_name}: {', '.join(found)}")


def _descriptors() -> Finding:
    most = most_open_files()
    if most < _FEW_DESCRIPTORS:
        hint = "raise the limit (ulimit -n), or take fewer --jobs"
        return Finding("open files", Health.WARNING, f"this process may open {most} files", hint)
    return Finding("open files", Health.OK, f"{most:,} may be open")


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
    torn = next((why for table in world.ledger.tables if (why := world.keeping.damage(table)) is not None), None)
    if torn is not None:
        yield Finding("ledger", Health.ERROR, torn, _PUT_BACK)
    else:
        yield Finding("ledger", Health.OK, f"{len(latest)} feed(s) recorded")
    if (behind := clock_behind(latest, world)) is not None:
        yield Finding("clock", Health.WARNING, behind, "set it right; tables do not go by it")
    else:
        yield Finding("clock", Health.OK, "not behind what is recorded")


def _landing(feed: Feed, world: World) -> Finding:
    subject, path = f"{feed.name}: landing", feed.source.path
    try:
        files = list(world.storage(feed).list(path, recursive=feed.source.recursive))
    except LandfeedError as error:
        return Finding(subject, Health.ERROR, error.message, error.hint)
    if _leave(feed) and "://" not in path and not os.access(path, os.W_OK | os.X_OK):
        hint = "give the runner the right to write there, or set archive.on_success: keep"
        return Finding(subject, Health.ERROR, f"files cannot be moved out of {path}", hint)
    ahead = sum(file.modified > (world.clock() + SKEW).timestamp() * 1e9 for file in files)
    if ahead:
        message = f"{ahead:,} of {len(files):,} file(s) in {path} have times in the future"
        return Finding(subject, Health.WARNING, message, "compare the clocks; `order_by: modified` goes by these times")
    return Finding(subject, Health.OK, f"{len(files):,} file(s) in {path}")


def _leave(feed: Feed) -> bool:
    """Whether good files leave landing, by being moved or deleted."""
    return feed.archive.on_success in (ArchiveAction.MOVE, ArchiveAction.DELETE)


def _archives(feed: Feed) -> dict[str, str]:
    """Local folders to which files go, by what they are."""
    folders = {"rejected": feed.archive.rejected_path}
    if feed.archive.on_success in (ArchiveAction.MOVE, ArchiveAction.COPY):
        folders = {"archive": feed.archive.path, **folders}
    return {kind: path for kind, path in folders.items() if "://" not in path}


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
        raise LandfeedError(why, _PUT_BACK, code="table_damaged")
    return f"{table} is at version {state.version}, batch {state.seq or 0}"

"""Keeping of the tables below a local root, for every engine: their files are looked at, mended and synced.

A power cut keeps what was synced and any part of what was not: a renamed file may be in its new place while what was
written before is not, and a file may have its size and none of its bytes. So before a batch's files leave landing,
everything is synced that its commits, and all others since the feed's batch before, brought to the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import takewhile
from urllib.parse import unquote

from framework.batch import transaction_id
from framework.engines.delta import DeltaTables
from framework.engines.local_log import Action, actions_of, versions
from framework.errors import LandfeedError
from framework.machine import own_work
from framework.names import Table

__all__ = ["LocalKeeping"]

_MAGIC = b"PAR1"
"""The last bytes of a Parquet file, which are written last."""
_SYNCS_AT_ONCE = 8
_NEWEST = 3
"""Entries of a log that are looked at first: others than this process may have added the last ones."""


class LocalKeeping:
    """Implements `framework.keeping.Keeping`. Without `sync` a power cut may lose what was loaded last."""

    def __init__(self, tables: DeltaTables, *, sync: bool) -> None:
        self._tables, self._sync = tables, sync
        self._settled: dict[Table, int] = {}

    def mend(self, table: Table, *, data: bool = True) -> str | None:
        log, aside = self._log(table), None
        with own_work(log), suppress(FileNotFoundError):  # another runner does the same
            while (entries := versions(log)) and _is_torn(path := f"{log}/{entries[-1]:020}.json", data=data):
                if any(name.startswith(f"{entries[-1]:020}.checkpoint") for name in os.listdir(log)):
                    return None  # the entry was whole once: this is no power cut, and who opens the table will tell
                aside = _set_aside(path, data=data) or aside
        if aside is None:
            return None
        return (
            f"table {table}: its last commit was half-written, as after a power cut; its entry in the log was set "
            f"aside as {aside}, and the table is what it was before"
        )

    def damage(self, table: Table) -> str | None:
        try:
            delta = self._tables.open(table)
        except LandfeedError as error:
            return error.message
        if delta is None:
            return None
        actions = delta.get_add_actions()
        paths, sizes = (actions.column(name).to_pylist() for name in ("path", "size_bytes"))
        for path, size in zip(paths, sizes, strict=True):
            why = None if _is_elsewhere(path) else _file_damage(self._tables.uri(table), path, size)
            if why is not None:
                return f"table {table}: the file {path}, which is part of it, {why}"
        return None

    def secure(self, table: Table, feed: str, seq: int, *, data: bool = True) -> None:
        if self._sync:
            log = self._log(table)
            entries = ((version, actions_of(f"{log}/{version:020}.json") or []) for version in reversed(versions(log)))
            since = takewhile(lambda entry: not any(_is_before(action, feed, seq) for action in entry[1]), entries)
            self._sync_entries(table, dict(since), data=data)

    def settle(self, table: Table) -> None:
        if self._sync:
            log = self._log(table)
            entries = versions(log)
            last = self._settled.get(table, entries[-1] - _NEWEST if entries else 0)
            new = {version: actions_of(f"{log}/{version:020}.json") or [] for version in entries if version > last}
            self._sync_entries(table, new, data=True)
            self._settled[table] = max(new, default=last)

    def _sync_entries(self, table: Table, entries: Mapping[int, Sequence[Action]], *, data: bool) -> None:
        folder, log = self._tables.uri(table), self._log(table)
        files = {f"{log}/{version:020}.json" for version in entries}
        files.update(_named(folder, [action for actions in entries.values() for action in actions]) if data else ())
        folders = {os.path.dirname(file) for file in files}
        if 0 in entries:  # the table is new, and the folders that it lies in may be
            folders.update(_above(folder, os.path.dirname(self._tables.root)))
        with own_work(folder):
            list(_syncing().map(_synced, files))
            list(_syncing().map(_synced, folders))

    def _log(self, table: Table) -> str:
        return f"{self._tables.uri(table)}/_delta_log"


@cache
def _syncing() -> ThreadPoolExecutor:
    """Threads of this process, which small batches of many feeds would start anew for each table."""
    return ThreadPoolExecutor(_SYNCS_AT_ONCE, "sync")


def _is_torn(path: str, *, data: bool) -> bool:
    """Whether a commit is not what a writer has written: its entry in the log, of which this is the path, is empty, has
    a hole or no end; or so is a file that it brought."""
    try:
        actions = actions_of(path)
    except ValueError:
        return True
    folder = os.path.dirname(os.path.dirname(path))
    added = [action["add"] for action in actions or () if data and "add" in action]
    mine = (add for add in added if not _is_elsewhere(add["path"]))
    return actions == [] or any(_file_damage(folder, add["path"], add["size"]) is not None for add in mine)


def _set_aside(path: str, *, data: bool) -> str | None:
    """Take a torn entry out of its log; its new path, None when another writer had put a whole one in its place."""
    aside = f"{path}.torn-{os.stat(path).st_mtime_ns}"
    os.rename(path, aside)
    if not _is_torn(aside, data=data):
        os.link(aside, path)
        os.unlink(aside)
        return None
    with suppress(FileNotFoundError):  # a sum over what the table was to be
        os.unlink(path.removesuffix("json") + "crc")
    return aside


def _named(folder: str, actions: Sequence[Action]) -> Iterator[str]:
    """The files that a log's actions brought to a table."""
    added = [action.get("add") or action.get("cdc") or {} for action in actions]
    for path in (each.get("path", "") for each in added):
        found = _standing(folder, path) if path and not _is_elsewhere(path) else None
        yield from [found] if found else []
    if any("deletionVector" in each for each in added):
        yield from (f"{folder}/{name}" for name in os.listdir(folder) if name.startswith("deletion_vector_"))


def _is_elsewhere(path: str) -> bool:
    return "://" in path or path.startswith("/")


def _above(folder: str, highest: str) -> Iterator[str]:
    """A folder and those that it lies in."""
    while len(folder) >= len(highest) and folder != os.path.dirname(folder):
        yield folder
        folder = os.path.dirname(folder)


def _is_before(action: Action, feed: str, seq: int) -> bool:
    txn = action.get("txn")
    return txn is not None and txn.get("appId") == transaction_id(feed) and int(txn.get("version", 0)) < seq


def _standing(folder: str, path: str) -> str | None:
    """Where a file of a table stands; its path in the log is written as in a URL."""
    found = (f"{folder}/{name}" for name in dict.fromkeys([unquote(path), path]))
    return next((name for name in found if os.path.exists(name)), None)


def _file_damage(folder: str, path: str, size: int) -> str | None:
    found = _standing(folder, path)
    if found is None:
        return "is gone"
    try:
        with open(found, "rb") as file:
            there = file.seek(0, os.SEEK_END)
            file.seek(max(0, there - len(_MAGIC)))
            ending = file.read()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if there != size:
        return f"has {there:,} of {size:,} bytes"
    return None if ending == _MAGIC else "is torn: its end is not what was written"


def _synced(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

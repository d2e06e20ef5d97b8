"""Landing: what the landing folders of a run's feeds hold, looked at once.

A run works on what is there when it begins; what lands meanwhile is for the next one. Folders that lie
together in a bucket are listed together, by one listing (a page for every 1,000 objects), however many
feeds there are.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from framework.errors import StorageError
from framework.feed import ArchiveAction, Feed
from framework.law.discovery import Listing, discover
from framework.law.places import common_folder, folders_above, inside
from framework.ledger import Ledger
from framework.names import File, FileState, Skipped, bigint
from framework.plan.world import World
from framework.storage import Storage

__all__ = ["Landing", "Waiting", "landing_of"]

_STRANGERS = 10_000
"""Objects of no feed below a common folder, beside ten for each file of a feed, at which it is left."""


class Waiting(Protocol):
    """Files that wait to be loaded. A feed is asked about by one thread at a time."""

    def listing(self, feed: Feed) -> Listing:
        """Those that are pending, in order. Raises StorageError."""
        ...

    def worked_on(self, feed: Feed, files: Iterable[File]) -> None:
        """These files have been loaded, or tried: they are not pending any more in this run."""
        ...

    def look_again(self, feed: Feed) -> None:
        """Things are no longer as they were found."""
        ...


class Landing:
    """The landing folders of `feeds`; `keep_out` are folders that a common listing must not go through
    (archives and tables, which hold the past), `clock` gives the time in UTC. A feed is asked about by one thread at
    a time."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        storage: Callable[[Feed], Storage],
        ledger: Ledger,
        keep_out: Sequence[str] = (),
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage, self._ledger, self._clock = storage, ledger, clock
        self._there: dict[str, tuple[File, ...]] = {}
        self._skipped: dict[str, list[Skipped]] = {}
        archives = [folder for feed in feeds for folder in (feed.archive.path, feed.archive.rejected_path)]
        in_buckets = [feed for feed in feeds if "://" in feed.source.path]
        self._roots = {feed.name: root for root in _roots(in_buckets, [*keep_out, *archives]) for feed in root.feeds}

    def listing(self, feed: Feed) -> Listing:
        """Pending files in order, and skipped ones with the reason. Raises StorageError when the folder is
        missing or cannot be read.

        With `on_success: keep` or `copy` loaded files stay in landing; the ledger tells which ones have
        been loaded at the version that is there now.
        """
        if feed.name not in self._there:
            self._skipped[feed.name] = []
            self._there[feed.name] = tuple(self._look(feed))
        listing = discover(feed.source, [*self._there[feed.name], *self._skipped[feed.name]], self._now())
        if feed.archive.on_success in (ArchiveAction.MOVE, ArchiveAction.DELETE) or not listing.pending:
            return listing
        events = self._ledger.file_events(feeds=[feed.name], files=[file.shown for file in listing.pending])
        done = {(e.file, e.file_version, e.file_size) for e in events if e.state is FileState.ARCHIVED}
        return listing.without(lambda file: _recorded(file) in done, "already loaded")

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1e9)

    def worked_on(self, feed: Feed, files: Iterable[File]) -> None:
        """These files have been loaded, or tried: they are not pending any more in this run."""
        identities = {file.identity for file in files}
        there = self._there.get(feed.name, ())
        self._there[feed.name] = tuple(file for file in there if file.identity not in identities)

    def look_again(self, feed: Feed) -> None:
        """The folder is no longer as it was found: list it anew when it is next asked about."""
        self._there.pop(feed.name, None)
        self._roots.pop(feed.name, None)

    def _look(self, feed: Feed) -> Iterable[File]:
        root = self._roots.get(feed.name)
        found = None if root is None else root.files(self._storage(feed))
        if found is not None:
            return found[feed.name]
        skipped = self._skipped[feed.name]
        return self._storage(feed).list(feed.source.path, recursive=feed.source.recursive, tell=skipped.append)


@dataclass(slots=True)
class _Root:
    """A folder of a bucket below which several feeds' files land; listed when first asked about."""

    folder: str
    feeds: tuple[Feed, ...]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _found: dict[str, list[File]] | StorageError | None = None
    _listed: bool = False

    def files(self, storage: Storage) -> dict[str, list[File]] | None:
        """The files of each feed by its name; None when the folder holds mostly other things."""
        with self._lock:
            if not self._listed:
                try:
                    self._found = self._sorted(storage.list(self.folder, recursive=True))
                except StorageError as error:
                    self._found = error
                self._listed = True
        if isinstance(self._found, StorageError):
            raise self._found
        return self._found

    def _sorted(self, files: Iterator[File]) -> dict[str, list[File]] | None:
        by_folder: defaultdict[str, list[Feed]] = defaultdict(list)
        for feed in self.feeds:
            by_folder[feed.source.path].append(feed)
        found: dict[str, list[File]] = {feed.name: [] for feed in self.feeds}
        ours = strangers = 0
        for file in files:
            claimed = False
            for folder in folders_above(file.path):
                for feed in by_folder.get(folder, ()):
                    name = file.path[len(folder) :]
                    if feed.source.recursive or "/" not in name:
                        found[feed.name].append(replace(file, name=name))
                        claimed = True
            ours, strangers = ours + claimed, strangers + (not claimed)
            if strangers > _STRANGERS + 10 * ours:
                return None
        return found


def _roots(feeds: Sequence[Feed], keep_out: Sequence[str]) -> Iterator[_Root]:
    """The highest folders that hold several feeds' landing folders and nothing that is kept out."""
    paths = {feed.source.path for feed in feeds}
    common = common_folder(paths)
    if len(paths) < 2 or common is None:
        return
    if len(common.split("/")) > 3 and not any(inside(folder, common) for folder in keep_out):
        yield _Root(common, tuple(feeds))
        return
    below: defaultdict[str, list[Feed]] = defaultdict(list)
    for feed in feeds:
        below[feed.source.path[len(common) :].split("/", 1)[0]].append(feed)
    for some in below.values():
        yield from _roots(some, keep_out)


def _recorded(file: File) -> tuple[str, int, int]:
    """The file's identity as the ledger holds it."""
    return (file.shown, bigint(file.version), bigint(file.size))


def landing_of(feeds: Sequence[Feed], world: World) -> Landing:
    """What the feeds' landing folders hold from now on."""
    return Landing(feeds, world.storage, world.ledger, [world.tables] if world.tables else [], clock=world.clock)

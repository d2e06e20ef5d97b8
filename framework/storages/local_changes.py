"""Changes in local folders, as the system reports them (`watchfiles`), also while folders come and go.

A folder that does not exist cannot be watched; its nearest existing parent is, until it appears. Folders below one
that is watched at any depth are watched one by one: left to itself, the library follows links, and one in a landing
folder can lead anywhere. What the system reports is a hint and no more: network file systems report nothing, and a
queue can overflow.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from watchfiles import Change, watch

from framework.feed import Feed

__all__ = ["LocalChanges"]

_GROUP_MS, _STEP_MS, _BEGUN_MS = 100, 50, 200
"""Changes are reported in groups of at most the first, when none has come for the second. A watch that
has reported nothing for the third says that it has begun."""
_MOST_FOLDERS = 5_000
"""Subfolders of a feed that are watched; what changes in others is found when folders are looked into."""
_TRIES, _LONGEST_SECONDS = 4, 60.0
"""After so many watches in a row that broke off before they had begun, the system is said to be the reason."""


@dataclass(frozen=True, slots=True)
class _Roots:
    """The feeds by their folders' real paths, and every folder above one of these."""

    feeds: Mapping[str, tuple[str, ...]]
    above: frozenset[str]
    watched: frozenset[str]
    """The folders that can be watched now."""
    deep: frozenset[str]
    """The feeds' folders whose subfolders count."""


class LocalChanges:
    """Tells `on_change(feeds)` from its own threads when something has changed in these feeds' folders,
    `on_folders()` when folders may have come or gone, so that `refresh` is to be called, and
    `on_trouble(sentence)` when the system cannot watch."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        on_change: Callable[[frozenset[str]], None],
        on_folders: Callable[[], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._folders = [(name, feed.source.path, feed.source.recursive) for name, feed in feeds.items()]
        self._on_change, self._on_folders, self._on_trouble = on_change, on_folders, on_trouble
        self._roots = _Roots({}, frozenset(), frozenset(), frozenset())
        self._lost, self._stop = threading.Event(), threading.Event()
        self._broken_off = 0
        self._threads: list[threading.Thread] = []

    def refresh(self) -> None:
        """Watch what is there now; nothing happens when that is what is being watched.

        All feeds count as changed when a new watch has begun: what arrived before it was not reported.
        """
        roots = _roots(self._folders)
        if roots.watched == self._roots.watched and not self._lost.is_set():
            self._roots = roots
            return
        self._roots, before = roots, self._stop
        self._lost.clear()
        self._stop = threading.Event()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if roots.watched:
            arguments = (sorted(roots.watched), self._stop)
            self._threads.append(threading.Thread(target=self._watch, args=arguments, daemon=True))
            self._threads[-1].start()
        before.set()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, paths: list[str], stop: threading.Event) -> None:
        begun = False
        try:
            for changes in watch(
                *paths,
                watch_filter=None,
                debounce=_GROUP_MS,
                step=_STEP_MS,
                rust_timeout=_BEGUN_MS,
                yield_on_timeout=True,
                stop_event=stop,
                raise_interrupt=False,
                recursive=False,
                ignore_permission_denied=True,
            ):
                if not begun:
                    begun, self._broken_off = True, 0
                    self._on_change(frozenset(name for names in self._roots.feeds.values() for name in names))
                    self._on_folders()  # those that came between the look for folders and this are not watched
                if changes:
                    self._heard(changes)
        except FileNotFoundError:
            self._lose()
        except (OSError, RuntimeError, ValueError) as error:  # a name that is no text, the limit of watches
            self._broken(error, stop)

    def _heard(self, changes: set[tuple[Change, str]]) -> None:
        roots = self._roots
        changed: set[str] = set()
        folders = False
        for change, path in changes:
            folder = path in roots.feeds or path in roots.above or path in roots.watched
            if change is not Change.modified and (folder or _is_new_folder(path, roots)):
                folders = True
                changed.update(name for at in _upwards(path) if at in roots.deep for name in roots.feeds.get(at, ()))
            elif change is not Change.deleted:
                changed.update(name for at in _upwards(path) for name in roots.feeds.get(at, ()))
        if folders:
            self._lose()
        if changed:
            self._on_change(frozenset(changed))

    def _broken(self, error: Exception, stop: threading.Event) -> None:
        """A watch has broken off: begin again, later and later when that happens before it has begun."""
        self._broken_off += 1
        if self._broken_off == _TRIES:
            self._on_trouble(f"the system cannot watch folders: {error}")
        if not stop.wait(min(0.1 * 2 ** min(self._broken_off, 30), _LONGEST_SECONDS)):
            self._lose()

    def _lose(self) -> None:
        """A folder was deleted, moved or made, or a watch has broken off: what is watched may be gone."""
        self._lost.set()
        self._on_folders()


def _roots(folders: list[tuple[str, str, bool]]) -> _Roots:
    feeds: dict[str, tuple[str, ...]] = {}
    above: set[str] = set()
    watched: set[str] = set()
    deep: set[str] = set()
    for name, folder, recursive in folders:
        root = os.path.realpath(folder)
        feeds[root] = (*feeds.get(root, ()), name)
        parents = list(_upwards(os.path.dirname(root)))
        above.update(parents)
        if not os.path.isdir(root):
            watched.add(next(filter(os.path.isdir, parents)))
        elif recursive:
            deep.add(root)
            watched.update(at for at, _, _ in islice(os.walk(root), _MOST_FOLDERS))
        else:
            watched.add(root)
    return _Roots(feeds, frozenset(above), frozenset(watched), frozenset(deep))


def _is_new_folder(path: str, roots: _Roots) -> bool:
    """Whether a folder has come, and no link to one, whose files count."""
    if not any(at in roots.deep for at in _upwards(path)):
        return False
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _upwards(path: str) -> Iterator[str]:
    """The path and every folder above it, up to the root of the file system."""
    yield path
    while (parent := os.path.dirname(path)) != path:
        path = parent
        yield path

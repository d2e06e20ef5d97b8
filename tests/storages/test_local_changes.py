"""What is watched in a landing folder: folders below it as they come, and nothing that a link leads to."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from framework.feed import Archive, Feed, Format, Quarantine, Source, Target
from framework.names import Table
from framework.storages.local_changes import LocalChanges


class Heard:
    """Changes in the folder of one feed, with a thread that follows folders as `watch` does."""

    def __init__(self, path: str) -> None:
        target = Target(Table("s.a"), Table("s.a__staging"))
        source = Source(path, Format.CSV, recursive=True)
        feed = Feed("a", source, (), target, Quarantine(Table("s.a__q")), Archive("/archive/", "/rejected/"))
        self.changes: queue.SimpleQueue[frozenset[str]] = queue.SimpleQueue()
        self._folders = threading.Semaphore(0)
        self._over = False
        self.watch = LocalChanges({"a": feed}, self.changes.put, self._folders.release, lambda _: None)
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> Heard:
        self.watch.refresh()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        self._folders.release()
        self._thread.join()
        self.watch.close()

    def _follow(self) -> None:
        while self._folders.acquire() and not self._over:
            self.watch.refresh()

    def quiet(self, seconds: float = 1.5) -> None:
        """Take in changes until none has come for so long."""
        with suppress(queue.Empty):
            while True:
                self.changes.get(timeout=seconds)


def write(path: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write("id\n1\n")


@pytest.fixture
def landing(tmp_path: os.PathLike[str]) -> str:
    path = os.path.join(tmp_path, "landing")
    os.makedirs(os.path.join(path, "there"))
    return path


@pytest.fixture
def heard(landing: str, tmp_path: os.PathLike[str]) -> Iterator[Heard]:
    os.makedirs(os.path.join(tmp_path, "outside", "deep"))
    os.symlink(os.path.join(tmp_path, "outside"), os.path.join(landing, "link"))
    with Heard(landing) as heard:
        heard.quiet()
        yield heard


def test_files_in_folders_below(heard: Heard, landing: str) -> None:
    write(os.path.join(landing, "there", "a.csv"))
    assert heard.changes.get(timeout=10) == {"a"}


def test_files_in_folders_that_come(heard: Heard, landing: str) -> None:
    os.makedirs(os.path.join(landing, "new", "deeper"))
    heard.quiet()
    write(os.path.join(landing, "new", "deeper", "a.csv"))
    assert heard.changes.get(timeout=10) == {"a"}


def test_nothing_behind_a_link_is_watched(heard: Heard, landing: str, tmp_path: os.PathLike[str]) -> None:
    write(os.path.join(tmp_path, "outside", "a.csv"))
    write(os.path.join(tmp_path, "outside", "deep", "a.csv"))
    with pytest.raises(queue.Empty):
        heard.changes.get(timeout=2)


def test_a_folder_that_moves_away_and_comes_back(heard: Heard, landing: str) -> None:
    os.rename(os.path.join(landing, "there"), landing + ".away")
    os.rename(landing + ".away", os.path.join(landing, "there"))
    heard.quiet()
    write(os.path.join(landing, "there", "a.csv"))
    assert heard.changes.get(timeout=10) == {"a"}

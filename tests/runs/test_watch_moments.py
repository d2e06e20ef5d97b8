"""`watch` at moments that a process of its own seldom meets: what it was just about to do when something happened."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from framework.loader import load_project
from framework.names import File, Skipped
from framework.runs.events import Ended, Event, Missing, Stopping
from framework.runs.watch import Settings, Watch
from framework.runs.world import open_world
from framework.storages.local import LocalStorage
from tests.support import ACTIVITY, HEADER, Project


@dataclass
class Deaf:
    """Reports no changes, and counts how often it is told to look which folders there are."""

    refreshed: int = 0
    enough: int = 0
    on_enough: Callable[[], None] = lambda: None

    def refresh(self) -> None:
        self.refreshed += 1
        if self.refreshed == self.enough:
            self.on_enough()

    def close(self) -> None:
        pass


@dataclass
class Watched:
    """A watch in this process, what it has told, and what happens when it tells something."""

    watch: Watch
    told: list[Event] = field(default_factory=list)
    on: dict[type, Callable[[], object]] = field(default_factory=dict)

    def tell(self, event: Event) -> None:
        self.told.append(event)
        self.on.get(type(event), lambda: None)()

    def events(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    def run(self, seconds: float = 30) -> None:
        """Until it is stopped by what happens."""
        late = threading.Timer(seconds, self.watch.stop)
        late.start()
        self.watch.run()
        assert late.is_alive(), f"nothing has stopped it; it told {self.told}"
        late.cancel()


@contextmanager
def watched(
    project: Project, storage: LocalStorage | None = None, deaf: Deaf | None = None, interval: float = 0.05
) -> Iterator[Watched]:
    loaded = load_project(project.path("pipelines_config"), "local", environ={})
    with open_world(loaded.environment, {}, "run", lambda: datetime.now(UTC)) as (world, leases):
        if storage is not None:
            world = replace(world, storage=lambda _: storage)
        settings, told = Settings(quiet=0, interval=interval, jobs=1), list[Watched]()
        watch = Watch(
            loaded.feeds, world, leases, settings, lambda event: told[0].tell(event), lambda *_, **__: deaf or Deaf()
        )
        told.append(Watched(watch))
        yield told[0]


class Departing(LocalStorage):
    """A folder goes away as soon as it has been looked into."""

    def list(
        self, folder: str, *, recursive: bool, tell: Callable[[Skipped], object] = lambda _: None
    ) -> Iterator[File]:
        found = [*super().list(folder, recursive=recursive, tell=tell)]
        shutil.rmtree(folder)
        yield from found


def test_a_folder_that_goes_between_the_look_and_the_run_has_not_failed(project: Project) -> None:
    """The next look tells that it is missing."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    with watched(project, Departing()) as here:
        here.on[Missing] = here.watch.stop
        here.run()
    assert here.events(Ended) == []
    assert [event.feed for event in here.events(Missing)] == ["activity"]


def test_what_is_watched_is_looked_at_anew_at_every_interval(project: Project) -> None:
    """A watch can be lost without a word, for one of a folder that another is mounted over."""
    deaf = Deaf(enough=4)
    with watched(project, deaf=deaf) as here:
        deaf.on_enough = here.watch.stop
        here.run(10)
    assert deaf.refreshed == 4
    seldom = Deaf()
    with watched(project, deaf=seldom, interval=60) as here:
        threading.Timer(0.3, here.watch.stop).start()
        here.run()
    assert seldom.refreshed == 1


class StopsAtTheFirstMove(LocalStorage):
    """Is stopped while the first file moves, and goes on when the watch has heard of it."""

    def __init__(self) -> None:
        self.stop: Callable[[], None] = lambda: None
        self.stopping = threading.Event()
        self.moves = 0

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        self.moves += 1
        if self.moves == 1:
            self.stop()
            assert self.stopping.wait(20)
        return super().move(file, destination, root=root)


def test_no_batch_begins_once_it_is_to_stop(project: Project) -> None:
    """The one that is under way comes to its end, of the feed's others and of other feeds none begins."""
    one_each = ACTIVITY.replace("format: csv", "format: csv\n  max_files_per_batch: 1")
    for name in ("activity", "second"):
        project.feed(name, one_each.format(name=name))
        for number in range(3):
            project.land(name, f"{number}.csv", HEADER + f"{number},a,2026-01-01\n")
    storage = StopsAtTheFirstMove()
    with watched(project, storage) as here:
        storage.stop, here.on[Stopping] = here.watch.stop, storage.stopping.set
        here.run()
    (ended,) = here.events(Ended)
    assert [feed for event in here.events(Stopping) for feed in event.working] == [ended.report.feed]
    assert len(project.files("archive")) == len(ended.report.files) == 1
    assert len(project.files("landing")) == 5
    assert {row[0] for row in project.rows("_landfeed.batches", "state")} == {"staged", "merged", "archived"}


def test_the_ledger_of_a_killed_run_is_completed_without_a_new_file(project: Project) -> None:
    """It died when every file was in the archive and nothing of that was recorded."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    process = project.start("run", script="tests/recovery/killed.py", KILL_AT=str(ALL_IS_MOVED))
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert project.files("landing") == []
    assert len(project.files("archive")) == 1
    assert not os.path.exists(project.path("tables", "_landfeed", "batches"))
    with watched(project) as here:
        here.on[Ended] = here.watch.stop
        here.run()
    (ended,) = here.events(Ended)
    assert (ended.report.status, ended.report.rows.inserted) == ("succeeded", 1)
    states = project.rows("_landfeed.batches", "state, inserted", order="state")
    assert states == [("archived", "1"), ("merged", "1"), ("staged", "0")]
    assert {row[0] for row in project.rows("_landfeed.files", "state")} == {"staged", "merged", "archived"}


ALL_IS_MOVED = 8
"""The boundary after the last move: staging, target made, target and move lie before, two each."""

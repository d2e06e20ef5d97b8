"""What a run is asked to do or not: stop at a failure or a signal, wait for another runner, leave files alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.loader import load_project
from framework.names import Status
from framework.report import FeedReport
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.runs.world import open_world
from tests.support import ACTIVITY, HEADER, Project

NAMES = ("a", "b", "c")
ROW = "1,x,2026-01-01\n"


class Here:
    """The project's feeds, run in this process."""

    def __init__(self, project: Project, world: Any, leases: Any) -> None:
        self.leases, self._world = leases, world
        self._feeds = load_project(project.path("pipelines_config"), "local", environ={}).feeds

    def run(self, **options: Any) -> list[FeedReport]:
        return run_feeds(self._feeds, self._world, self.leases, replace(Options(jobs=1), **options))


@contextmanager
def opened(project: Project) -> Iterator[Here]:
    environment = load_project(project.path("pipelines_config"), "local", environ={}).environment
    with open_world(environment, {}, "r", lambda: datetime.now(UTC)) as (world, leases):
        yield Here(project, world, leases)


@pytest.fixture
def three(project: Project) -> Project:
    """Three feeds with a file each; of the first one the archive stands in its own way."""
    for name in NAMES:
        project.feed(name, ACTIVITY.format(name=name))
        project.land(name, "1.csv", HEADER + ROW)
    project.feed("activity", ACTIVITY.format(name="activity") + "enabled: false\n")
    return project


def broken(project: Project, name: str) -> None:
    project.write(f"archive/{name}", "in the way")


def statuses(reports: list[FeedReport]) -> list[str]:
    return [str(report.status) for report in reports]


def test_after_a_failure_no_feed_begins_where_that_is_asked_for(three: Project) -> None:
    broken(three, "b")
    with opened(three) as here:
        reports = here.run(fail_fast=True)
    assert statuses(reports) == ["succeeded", "failed", "nothing_to_do"]
    assert reports[2].warnings == ("not started: b failed",)
    assert three.files("landing") == ["b/1.csv", "c/1.csv"]
    assert three.cli("run", "--fail-fast", "--jobs", "1", "b", "c").code == 1
    assert three.files("landing") == ["b/1.csv", "c/1.csv"]
    assert three.cli("run", "--jobs", "1").code == 1
    assert three.files("landing") == ["b/1.csv"], "without it the others go on"


def test_a_rejected_file_is_no_failure_that_others_stop_for(three: Project) -> None:
    three.land("a", "1.csv", "nothing,here\n1,2\n")
    with opened(three) as here:
        assert statuses(here.run(fail_fast=True)) == ["rejected", "succeeded", "succeeded"]


def test_a_run_that_is_stopped_says_what_it_left(three: Project) -> None:
    one_each = ACTIVITY.replace("format: csv", "format: csv\n  max_files_per_batch: 1")
    three.feed("a", one_each.format(name="a"))
    for name in ("2.csv", "3.csv"):
        three.land("a", name, HEADER + ROW)
    ended: list[object] = []
    with opened(three) as here:
        reports = here.run(
            stopping=lambda: bool(three.files("archive")), on_feed=lambda name, how: ended.append((name, how))
        )
    assert statuses(reports) == ["succeeded", "nothing_to_do", "nothing_to_do"]
    assert [report.warnings for report in reports] == [
        ("the run was stopped; 2 file(s) stay pending",),
        ("not started: the run was stopped",),
        ("not started: the run was stopped",),
    ]
    assert [each for each in ended if isinstance(each, tuple) and isinstance(each[1], Status)] == [
        ("a", Status.SUCCEEDED), ("b", Status.NOTHING_TO_DO), ("c", Status.NOTHING_TO_DO),
    ]  # fmt: skip
    assert len(three.files("archive")) == 1


def test_a_run_that_is_stopped_after_its_last_batch_says_nothing(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + ROW)
    with opened(project) as here:
        (report,) = here.run(stopping=lambda: bool(project.files("archive")))
    assert (report.status, report.warnings) == (Status.SUCCEEDED, ())


def test_files_that_are_not_ready_are_left_alone(project: Project) -> None:
    for number in (1, 2):
        project.land("activity", f"{number}.csv", HEADER + f"{number},x,2026-01-01\n")
    with opened(project) as here:
        (report,) = here.run(ready=lambda file: file.name == "2.csv")
        assert [file.file.rsplit("/", 1)[-1] for file in report.files] == ["2.csv"]
        (report,) = here.run(ready=lambda _: False)
        assert report.status is Status.NOTHING_TO_DO
    assert project.files("landing") == ["activity/1.csv"]


def test_a_busy_feed_is_waited_for_as_long_as_is_said(project: Project) -> None:
    """What the other runner has loaded meanwhile is not loaded again."""
    project.land("activity", "1.csv", HEADER + ROW)
    with opened(project) as here:
        with here.leases.hold("activity", 0):
            (report,) = here.run()
            assert (report.status, report.error, report.files) == (Status.BUSY, None, ())
            started = time.monotonic()
            (report,) = here.run(wait=0.3)
            assert report.status is Status.BUSY
            assert time.monotonic() - started >= 0.3
            (report,) = here.run(wait=30, stopping=lambda: time.monotonic() > started + 0.4)
            assert report.status in (Status.BUSY, Status.NOTHING_TO_DO)
            assert time.monotonic() - started < 20, "a run that is to stop does not wait to the end"
        lease, held, free = here.leases.hold("activity", 0), threading.Event(), threading.Event()

        def hold() -> None:
            with lease:
                held.set()
                free.wait(30)

        other = threading.Thread(target=hold)
        other.start()
        assert held.wait(30)
        threading.Timer(0.7, free.set).start()
        (report,) = here.run(wait=30)
        other.join()
    assert (report.status, report.rows.inserted) == (Status.SUCCEEDED, 1)


def test_what_another_runner_took_while_it_was_waited_for_is_not_missed(project: Project) -> None:
    path = project.land("activity", "1.csv", HEADER + ROW)
    with opened(project) as here:
        held, free = threading.Event(), threading.Event()

        def work() -> None:
            with here.leases.hold("activity", 0):
                held.set()
                free.wait(30)
                project.land("activity", "2.csv", HEADER + "2,y,2026-01-01\n")
                os.unlink(path)

        other = threading.Thread(target=work)
        other.start()
        assert held.wait(30)
        threading.Timer(0.8, free.set).start()
        (report,) = here.run(wait=30)
        other.join()
    assert [file.file.rsplit("/", 1)[-1] for file in report.files] == ["2.csv"]
    assert report.warnings == ()

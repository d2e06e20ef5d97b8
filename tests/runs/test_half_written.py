"""A file that is still being written: its rows are loaded once they are all there, and none is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from framework.loader import load_project
from framework.names import File
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.runs.world import open_world
from framework.storages.local import LocalStorage
from framework.storages.writers import open_for_writing
from tests.support import HEADER, Project

WRITER = """
import sys
with open(sys.argv[1], "w") as out:
    for line in sys.stdin:
        out.write(line)
        out.flush()
        print("written", flush=True)
"""


@contextmanager
def writer(path: str) -> Iterator[subprocess.Popen[str]]:
    """A process that writes what it is told into a file, and keeps it open."""
    command = [sys.executable, "-c", WRITER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    assert process.stdout.readline() == "written\n"


def test_a_file_that_is_open_for_writing_is_left_alone_and_told(project: Project) -> None:
    whole = project.land("activity", "whole.csv", HEADER + "9,x,2026-01-01\n")
    with open(whole, "rb") as stream:
        if open_for_writing(stream.fileno()):
            pytest.fail("a file that nobody writes is taken for one that is being written")
    with writer(project.path("landing", "activity", "up.csv")) as process:
        write(process, HEADER)
        write(process, "1,lo,2026-01-01\n")
        first = project.cli("run")
        write(process, "2,long,2026-01-01\n")
        process.stdin.close()  # type: ignore[union-attr]
        process.wait()
    assert first.code == 0
    assert [each["file"].rsplit("/", 1)[-1] for each in first.feed["files"]] == ["whole.csv"]
    assert first.feed["warnings"] == ["up.csv: skipped: it is still open for writing"]
    assert project.cli("run").feed["rows"]["inserted"] == 2
    assert sorted(row[0] for row in project.rows("analytics.activity")) == ["1", "2", "9"]


def test_what_is_read_while_it_is_open_elsewhere_is_not_lost(project: Project) -> None:
    """A writer that opens the file again after it was listed, and goes on after the load."""
    path = project.land("activity", "up.csv", HEADER + "1,a,2026-01-01\n")
    storage = LocalStorage()
    (file,) = storage.list(project.path("landing", "activity"), recursive=False)
    with open(path, "a", encoding="utf-8") as stream:
        assert not storage.move(file, project.path("archive", "up.csv"))
        assert project.files("landing/activity") == ["up.csv"]
        stream.write("2,b,2026-01-01\n")
    assert not storage.move(file, project.path("archive", "up.csv"))
    assert project.cli("run").feed["rows"]["inserted"] == 2


class Blind(LocalStorage):
    """A storage whose system does not tell who writes to a file, as on a network drive: somebody goes on writing to
    what has been moved."""

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        moved = super().move(file, destination, root=root)
        if moved and "/archive/" in destination:
            with open(destination, "a", encoding="utf-8") as stream:
                stream.write("2,late,2026-01-01\n")
        return moved


@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
def test_a_file_that_grows_in_the_archive_is_pending_again(project: Project, taken: bool) -> None:
    """… under its own name, or the run says where it is."""
    path = project.land("activity", "up.csv", HEADER + "1,a,2026-01-01\n")
    found = load_project(project.path("pipelines_config"), "local", environ={})

    class Taking(Blind):
        def head(self, path: str) -> File | None:
            if taken and "/archive/" in path:
                project.land("activity", "up.csv", HEADER + "3,other,2026-01-01\n")
            return super().head(path)

    with open_world(found.environment, {}, "r", lambda: datetime.now(UTC)) as (world, leases):
        there = replace(world, storage=lambda _: Taking())
        (report,) = run_feeds(found.feeds, there, leases, Options())
    reason = report.files[0].reason or ""
    assert reason.startswith("it grew from 40 to 58 bytes after it was read")
    assert ("it is back in landing" in reason, "copy it there when it is complete" in reason) == (not taken, taken)
    assert (report.files[0].moved_to is not None) == taken
    assert os.path.exists(path)
    rows = project.cli("run").feed["rows"]
    assert (rows["inserted"], rows["unchanged"]) == (1, 0 if taken else 1)
    assert sorted(row[0] for row in project.rows("analytics.activity")) == ["1", "3" if taken else "2"]


@pytest.mark.parametrize("wanted", ["{marker: '{file}.done'}", "{min_age_seconds: 3600}"])
def test_files_that_are_not_ready_wait(project: Project, wanted: str) -> None:
    feed = project.path("pipelines_config", "feeds", "activity.yml")
    with open(feed, encoding="utf-8") as stream:
        text = stream.read()
    project.feed("activity", text.replace("  format: csv\n", f"  format: csv\n  ready_when: {wanted}\n"))
    path = project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    waiting = project.cli("run")
    assert (waiting.code, waiting.feed["status"]) == (0, "nothing_to_do")
    assert "a.csv: skipped: it is not ready" in waiting.feed["warnings"][0]
    if "marker" in wanted:
        project.land("activity", "a.csv.done", "")
    else:
        os.utime(path, (1, 1))
    assert project.cli("run").feed["rows"]["inserted"] == 1

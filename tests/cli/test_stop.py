"""Ctrl-C: what is under way is finished and told, nothing more begins; a second one ends at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from framework.loader import load_project
from framework.runs.world import open_world
from tests.cli import command
from tests.support import HEADER, REPOSITORY, Project

FEED = """\
feed: {name}
source: {{path: '${{landing}}/{name}/', format: csv, max_files_per_batch: 1}}
schema: {{user_id: bigint, event: string, event_time: timestamp}}
target: {{table: analytics.{name}, keys: [user_id], sequence_by: event_time}}
"""


@pytest.fixture
def busy(tmp_path: os.PathLike[str]) -> Project:
    """A project whose run takes many batches."""
    project = Project(os.fspath(tmp_path))
    for name in ("one", "two"):
        project.feed(name, FEED.format(name=name))
        for number in range(60):
            project.land(name, f"{number:02}.csv", HEADER + f"{number},a,2026-01-01\n")
    return project


def started(project: Project, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command(project, *arguments),
        env={**os.environ, "PYTHONPATH": REPOSITORY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not project.files("archive"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_finishes_its_batches(busy: Project, number: signal.Signals, code: int) -> None:
    for late in range(60, 400):  # so many that the run is not over before a busy machine gives the signal
        busy.land("one", f"{late}.csv", HEADER + f"{late},a,2026-01-01\n")
    process = started(busy, "--output", "json", "run", "--jobs", "1")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    report = json.loads(out)
    assert (process.returncode, report["exit_code"]) == (code, code)
    assert "stopping after the batches that are under way" in err
    assert "Traceback" not in err
    one, two = report["feeds"]
    left = len(busy.files("landing/one"))
    assert one["status"] == "succeeded"
    assert one["warnings"] == [f"the run was stopped; {left} file(s) stay pending"]
    assert two["warnings"] == ["not started: the run was stopped"]
    assert len(busy.rows("analytics.one")) == one["rows"]["read"] == 400 - left == len(busy.files("archive/one"))
    assert busy.cli("status").feed["unfinished_batch"] is None


def test_a_second_signal_ends_at_once(busy: Project) -> None:
    process = started(busy, "run")
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err
    for name in ("one", "two"):
        busy.feed(name, FEED.format(name=name).replace(", max_files_per_batch: 1", ""))
    assert busy.cli("run").code == 0
    assert len(busy.rows("analytics.one")) == 60


def test_ctrl_c_while_the_program_is_imported(project: Project, tmp_path: os.PathLike[str]) -> None:
    """A package that is imported first brings the signal along; a job in the background would be deaf to it."""
    folder = os.path.join(tmp_path, "before")
    os.mkdir(folder)
    with open(os.path.join(folder, "click.py"), "w", encoding="utf-8") as out:
        out.write("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    ended = subprocess.run(
        command(project, "run"),
        env={**os.environ, "PYTHONPATH": f"{folder}:{REPOSITORY}"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_ctrl_c_while_a_run_waits_for_another_one(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    found = load_project(project.path("pipelines_config"), "local", environ={})
    with open_world(found.environment, {}, "r", lambda: datetime.now(UTC)) as (_, leases), leases.hold("activity", 0):
        process = subprocess.Popen(
            command(project, "--output", "json", "run", "--wait", "600"),
            env={**os.environ, "PYTHONPATH": REPOSITORY},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not waits(process.pid):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["feeds"][0]["status"]) == (130, "busy")
    assert "stopping" in err
    assert project.cli("run").feed["rows"]["inserted"] == 1


def waits(pid: int) -> bool:
    """Whether a process has a lock file of a lease open."""
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):
        return any(os.readlink(os.path.join(folder, name)).endswith(".lock") for name in os.listdir(folder))
    return False

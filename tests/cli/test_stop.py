"""Ctrl-C: what is under way is finished and told, nothing more begins; a second one ends at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

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
    assert len(busy.rows("analytics.one")) == one["rows"]["read"] == 60 - left == len(busy.files("archive/one"))
    assert busy.cli("status").feed["unfinished_batch"] is None


def test_a_second_signal_ends_at_once(busy: Project) -> None:
    process = started(busy, "run")
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert busy.cli("run").code == 0
    assert len(busy.rows("analytics.one")) == 60

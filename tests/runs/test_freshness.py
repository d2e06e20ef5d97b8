"""`status` tells whether data has come when it was expected, from landing and ledger, without a run."""

from __future__ import annotations

import os
import time

import pytest

from tests.cli import text
from tests.support import ACTIVITY, HEADER, Project

ROW = "1,login,2026-01-01\n"


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    """Feeds that expect something, and one that does not."""
    project = Project(os.fspath(tmp_path), "activity")
    for name, expect in (("hourly", "{every: 1 hour}"), ("daily", "{every: 1 day, rows: {min: 2}}")):
        project.feed(name, ACTIVITY.format(name=name) + f"expect: {expect}\n")
    return project


def states(project: Project) -> dict[str, str | None]:
    found = project.cli("status").document["feeds"]
    return {feed["feed"]: feed["freshness"] and feed["freshness"]["state"] for feed in found}


def test_what_was_never_loaded_is_unknown_until_it_waits_too_long(project: Project) -> None:
    assert states(project) == {"activity": None, "daily": "unknown", "hourly": "unknown"}
    assert project.cli("status", "--check").code == 0
    file = project.land("hourly", "a.csv", HEADER + ROW)
    assert states(project)["hourly"] == "unknown"
    past = time.time() - 3 * 3600
    os.utime(file, (past, past))
    late = project.cli("status", "--check", "hourly")
    assert late.code == 3
    assert late.feed["freshness"]["state"] == "late"
    assert late.feed["freshness"]["message"].endswith("nothing was ever loaded; 1 file(s) wait in landing to be loaded")
    assert not project.files("archive")
    project.cli("run")
    assert project.cli("status", "--check", "hourly").feed["freshness"]["state"] == "fresh"


def test_a_rejected_file_makes_nothing_fresh(project: Project) -> None:
    project.land("hourly", "a.csv", "other\n1\n")
    project.cli("run")
    assert states(project)["hourly"] == "unknown"
    assert project.cli("status", "--check").code == 3
    project.land("hourly", "b.csv", HEADER)  # a good file without rows
    project.cli("run")
    assert states(project)["hourly"] == "fresh"
    assert project.cli("status", "--check").code == 0


def test_a_load_of_an_unusual_size(project: Project) -> None:
    project.land("daily", "a.csv", HEADER + ROW)
    project.cli("run")
    found = project.cli("status", "--check")
    assert found.code == 3
    said = text(project, "status").stderr
    assert "expected: daily: the newest load has 1 rows, fewer than 2\n" in said
    project.land("daily", "b.csv", HEADER + ROW + "2,login,2026-01-01\n")
    project.cli("run")
    assert project.cli("status", "--check").code == 0


def test_people_see_a_column(project: Project) -> None:
    project.land("hourly", "a.csv", HEADER + ROW)
    project.cli("run")
    lines = text(project, "status").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["freshness", "-" * 9, "-", "unknown", "fresh"]
    assert "freshness" not in text(project, "status", "activity").stdout


def test_check_fails_for_what_cannot_be_looked_at(project: Project) -> None:
    os.rmdir(project.path("landing", "activity"))
    assert project.cli("status").code == 0
    assert project.cli("status", "--check").code == 1

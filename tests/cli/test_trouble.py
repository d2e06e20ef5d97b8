"""One feed's trouble is told as that feed's, and the commands go on for the others."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.cli import text
from tests.support import HEADER, Project

ROW = "1,login,2026-01-01T00:00:00\n"


@pytest.fixture
def projects(tmp_path: os.PathLike[str]) -> Project:
    """Three feeds with a file each; the landing folder of the second is gone."""
    project = Project(os.fspath(tmp_path), "first", "gone", "last")
    for name in ("first", "last"):
        project.land(name, "1.csv", HEADER + ROW)
    shutil.rmtree(project.path("landing", "gone"))
    return project


def test_a_missing_landing_folder_is_a_row_of_status(projects: Project) -> None:
    status = projects.cli("status")
    assert status.code == 0
    assert [feed["pending_files"] for feed in status.document["feeds"]] == [1, None, 1]
    codes = [feed["error"] and feed["error"]["code"] for feed in status.document["feeds"]]
    assert codes == [None, "missing_folder", None]
    said = text(projects, "status")
    line = next(line for line in said.stdout.splitlines() if line.startswith("gone"))
    assert line.endswith("does not exist")
    assert "hint: create it, or mend source.path" in said.stderr


def test_a_table_that_cannot_be_read_is_a_row_of_status(projects: Project) -> None:
    assert projects.cli("run", "first", "last").code == 0
    log = projects.path("tables", "analytics", "first", "_delta_log")
    for name in os.listdir(log):
        projects.write(os.path.join(log, name), "{")
    first, _, last = projects.cli("status").document["feeds"]
    assert (first["pending_files"], first["error"]["code"]) == (0, "table")
    assert (last["target_version"], last["error"]) == (1, None)


def test_plan_shows_the_other_feeds_and_fails(projects: Project) -> None:
    plan = projects.cli("plan")
    assert plan.code == 1
    assert [len(feed["steps"]) for feed in plan.document["feeds"]] == [4, 0, 4]
    assert plan.document["feeds"][1]["error"]["code"] == "missing_folder"
    said = text(projects, "plan").stdout
    assert "error: the folder" in said
    assert [name for name in ("first", "gone", "last") if f"\n{name}\n" in f"\n{said}"] == ["first", "gone", "last"]


def test_run_and_watch_load_the_other_feeds(projects: Project) -> None:
    run = projects.cli("run", "first", "gone")
    assert (run.code, [feed["status"] for feed in run.document["feeds"]]) == (1, ["succeeded", "failed"])
    said = text(projects, "watch", "--once", "gone", "last")
    assert said.exit_code == 1
    assert "last: succeeded" in said.stdout
    assert "gone: failed" in said.stdout


def test_a_landing_folder_that_cannot_be_listed_is_told(projects: Project) -> None:
    shutil.rmtree(projects.path("landing", "first"))
    projects.write("landing/first", "a file where the folder should be")
    first, _, last = projects.cli("status").document["feeds"]
    assert (first["pending_files"], first["error"]["code"]) == (None, "storage")
    assert first["error"]["hint"] == "source.path names a folder"
    assert (last["pending_files"], last["error"]) == (1, None)

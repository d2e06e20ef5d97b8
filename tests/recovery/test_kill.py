"""Killed at any boundary and run again: everything is as if nothing had happened."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

import pytest

from tests.runs.habits import zipped
from tests.support import ACTIVITY, HEADER, Project

KILLED = "tests/recovery/killed.py"
BOUNDARIES = {"first": 20, "later": 18, "clean": 14, "archive": 20, "wider": 14, "retyped": 14}
"""As many as each scenario has; a test below fails when that is no longer so."""
_OWN = {"archive": {8, 10}, "wider": {2, 3, 4}, "retyped": {2, 3, 4}}
"""Those that the others do not have: at which an archive is copied and moved; around the new column and type."""
EACH = [
    pytest.param(scenario, at, marks=[] if at in _OWN.get(scenario, {at}) else [pytest.mark.torture])
    for scenario, number in BOUNDARIES.items()
    for at in range(number)
]


def prepare(root: str, scenario: str = "later", before: str = "") -> Project:
    """A day with good, bad and duplicate rows and a broken file, which is the first or comes after another, that had
    more rows `before`; or one of files in which nothing is wrong."""
    project = Project(root, "activity")
    if scenario == "archive":
        feed = ACTIVITY.format(name="activity").replace(
            "format: csv", "format: csv\n  members_on_error: reject_members"
        )
        project.feed("activity", feed)
        good, bad = HEADER + "1,a,2026-01-02\nx,bad,2026-01-02\n", "nothing,here\n1,2\n"
        members = {"a.csv": good, "b.csv": HEADER + "1,b,2026-01-03\n2,b,2026-01-03\n", "c.csv": bad}
        project.land("activity", "a.zip", zipped({name: text.encode() for name, text in members.items()}))
        project.land("activity", "b.zip", zipped({"c.csv": bad.encode()}))
        return project
    if scenario == "clean":
        project.land("activity", "a.csv", HEADER + "1,a2,2026-01-02\n3,c,2026-01-02\n")
        project.land("activity", "b.csv", HEADER + "2,b,2026-01-02\n")
        return project
    if scenario == "wider":
        project.write("pipelines_config/feeds/_defaults.yml", "schema_contract: {new_columns: add}\n")
        project.land("activity", "day1.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n")
        assert project.cli("run").code == 0
        project.land("activity", "a.csv", "user_id,event,event_time,city\n1,a2,2026-01-02,Rome\n3,c,2026-01-02,\n")
        return project
    if scenario == "retyped":
        feed = ACTIVITY.format(name="activity")
        project.feed("activity", feed.replace("user_id: bigint", "user_id: int"))
        project.land("activity", "day1.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n")
        assert project.cli("run").code == 0
        project.feed("activity", feed + "schema_contract: {type_changes: widen}\n")
        project.land("activity", "a.csv", HEADER + "1,a2,2026-01-02\n3000000000,c,2026-01-02\n")
        return project
    if scenario == "later":
        project.land("activity", "day1.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n" + before)
        assert project.cli("run").code == 0
    project.land("activity", "a.csv", HEADER + "1,a2,2026-01-02\nx,bad,2026-01-02\n3,c,2026-01-02\n")
    project.land("activity", "b.csv", HEADER + "3,c3,2026-01-03\n2,old,2025-01-01\n")
    project.land("activity", "broken.csv", "nothing,here\n1,2\n")
    return project


BAD_BEFORE = "w,bad before,2026-01-01\n"
"""What stands in the quarantine already: it is neither lost nor doubled."""


def state(project: Project) -> dict[str, Any]:
    """Everything that must not depend on a crash: no times, run ids, or folder names with dates."""
    figures = "feed, state, files, rows_read, rows_staged, rows_quarantined, rows_deduplicated"
    merged = "inserted, updated, unchanged, stale"
    moved = "regexp_replace(moved_to, '.*/(archive/.*)/[0-9-]{10}/[0-9a-f]+/', '\\1/') AS moved"
    return {
        "target": project.rows("analytics.activity"),
        "quarantine": project.rows("analytics.activity__quarantine", "_line, _record, _errors"),
        "staging": project.rows("analytics.activity__staging", "user_id, event, event_time"),
        "landing": project.files("landing"),
        "archive": sorted(re.sub(r"[0-9-]{10}/[0-9a-f]{16}", "…", name) for name in project.files("archive")),
        "batches": project.rows("_landfeed.batches", f"{figures}, {merged}"),
        "changes": project.rows("_landfeed.schema_changes", 'parse_filename(file), kind, "column", action'),
        "files": project.rows("_landfeed.files", f"parse_filename(file), state, rows_read, rows_staged, {moved}"),
    }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    states = {}
    for scenario, number in BOUNDARIES.items():
        project = prepare(os.fspath(tmp_path_factory.mktemp(scenario)), scenario, BAD_BEFORE)
        process = project.start("run", script=KILLED, KILL_AT="-1")
        _, errors = process.communicate(timeout=120)
        assert process.returncode == (0 if scenario in ("clean", "wider", "retyped") else 3), errors
        assert f"boundaries: {number}\n" in errors, "BOUNDARIES must say how many there are"
        states[scenario] = state(project)
    return states


@pytest.mark.parametrize(("scenario", "at"), EACH)
def test_killed_and_run_again(
    scenario: str, at: int, tmp_path: os.PathLike[str], uninterrupted: dict[str, dict[str, Any]]
) -> None:
    project = prepare(os.fspath(tmp_path), scenario, BAD_BEFORE)
    process = project.start("run", script=KILLED, KILL_AT=str(at))
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    told = project.cli("run").feed["files"]
    assert state(project) == uninterrupted[scenario]
    ended = {(each["file"], each["status"], each["moved_to"], each["reason"]) for each in told}
    assert ended <= set(project.rows("_landfeed.files", "file, state, moved_to, reason"))
    assert project.cli("run").document["status"] == "nothing_to_do"


@pytest.mark.parametrize("at", range(7))
def test_three_tasks_each_killed_and_run_again(
    at: int, tmp_path: os.PathLike[str], uninterrupted: dict[str, dict[str, Any]]
) -> None:
    """Each task is a process, is killed at its at-th boundary if it has so many, and repeated."""
    project = prepare(os.fspath(tmp_path), before=BAD_BEFORE)
    for task in ("stage", "merge", "archive"):
        for kill_at in (at, -1):
            process = project.start(task, script=KILLED, KILL_AT=str(kill_at))
            _, errors = process.communicate(timeout=120)
            assert process.returncode in ((0, 3) if kill_at < 0 else (0, 3, -signal.SIGKILL)), errors
    assert state(project) == uninterrupted["later"]


@pytest.mark.parametrize("at", [1, 3, 5])
def test_killed_and_more_arrives_before_the_next_run(at: int, tmp_path: os.PathLike[str]) -> None:
    """The unfinished batch is finished with its own files; the new one is loaded after it."""
    project = prepare(os.fspath(tmp_path), before=BAD_BEFORE)
    project.start("run", script=KILLED, KILL_AT=str(at)).communicate(timeout=120)
    project.land("activity", "0-late.csv", HEADER + "3,late,2026-01-04\ny,bad,2026-01-04\n")
    project.cli("run")
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "a2"), ("2", "b"), ("3", "late")]
    bad = [row[0] for row in project.rows("analytics.activity__quarantine", "_record")]
    assert bad == ["w,bad before,2026-01-01", "x,bad,2026-01-02", "y,bad,2026-01-04"]
    assert project.files("landing") == []


@pytest.mark.parametrize("at", [2, 4])
def test_killed_and_a_file_is_replaced(at: int, tmp_path: os.PathLike[str]) -> None:
    """Before the target commit, a batch whose files changed is abandoned; its rows count once, in their new version."""
    project = prepare(os.fspath(tmp_path), before=BAD_BEFORE)
    project.start("run", script=KILLED, KILL_AT=str(at)).communicate(timeout=120)
    project.land("activity", "a.csv", HEADER + "1,a5,2026-01-05\nz,bad,2026-01-05\n")
    project.cli("run")
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "a5"), ("2", "b"), ("3", "c3")]
    bad = [row[0] for row in project.rows("analytics.activity__quarantine", "_record")]
    assert bad == ["w,bad before,2026-01-01", "z,bad,2026-01-05"]
    assert project.files("landing") == []

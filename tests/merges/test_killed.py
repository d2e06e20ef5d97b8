"""Killed at any boundary and run again, in each mode that writes in its own way: everything is as if nothing had
happened. A boundary lies also between what is remembered and the target."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.support import Project

KILLED = "tests/recovery/killed.py"
FEED = """\
feed: events
source: {{path: "${{landing}}/events/", format: csv{files}}}
schema: {{k: int, n: int, op: string, a: string}}
target: {{table: s.events, except_columns: op, {more}}}
"""
DELETES = "apply_as_deletes: \"op = 'D'\""
MODES = {
    "hard": (f"keys: [k], sequence_by: n, {DELETES}", "", 18),
    "history": (f"keys: [k], sequence_by: n, scd_type: 2, {DELETES}", "", 18),
    "append": ("mode: append", "", 16),
    "overwrite": ("mode: overwrite", "", 16),
    "snapshot": (
        "mode: snapshot, scd_type: 2, keys: [k], snapshot: {by: day, max_deletes: 1}",
        ', files: "{day:int}*"',
        10,
    ),
}
OTHERS = pytest.mark.torture
"""Boundaries that are those of every mode: before staging is there, and when the target is."""
ENDS = {mode: number - (6 if mode == "snapshot" else 8) for mode, (_, _, number) in MODES.items()}
"""By mode, after how many boundaries the target is there; more is recorded then where a file was rejected."""
EACH = [
    pytest.param(mode, at, marks=() if ENDS[mode] - 7 <= at < ENDS[mode] else OTHERS)
    for mode, (_, _, number) in MODES.items()
    for at in range(number)
]
FIRST = "k,n,op,a\n1,10,U,a\n2,10,U,b\n3,10,U,c\n"
SECOND = "k,n,op,a\n1,20,U,a2\n2,15,D,\n4,5,D,\nx,1,U,bad\n"


def prepare(root: str, mode: str) -> Project:
    """A day of rows, and another with late ones, deletes, and a file that cannot be read."""
    project, (more, files, _) = Project(root), MODES[mode]
    project.feed("events", FEED.format(more=more, files=files))
    project.land("events", "1.csv", FIRST)
    assert project.cli("run").code == 0
    project.land("events", "2.csv", SECOND if mode != "snapshot" else SECOND.replace("x,1,U,bad\n", ""))
    if mode != "snapshot":
        project.land("events", "3.csv", "\0")
    return project


def state(project: Project) -> dict[str, Any]:
    """Everything that must not depend on a crash."""
    figures = "state, rows_staged, rows_quarantined, inserted, updated, deleted, unchanged, stale"
    return {
        "target": project.rows("s.events"),
        "remembered": project.rows("s.events__cdc", "k, _sequence, _change"),
        "quarantine": project.rows("s.events__quarantine", "_line, _record"),
        "landing": project.files("landing"),
        "batches": project.rows("_landfeed.batches", figures),
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    states = {}
    for mode, (_, _, number) in MODES.items():
        project = prepare(os.fspath(tmp_path_factory.mktemp(mode)), mode)
        process = project.start("run", script=KILLED, KILL_AT="-1")
        _, errors = process.communicate(timeout=120)
        assert process.returncode in (0, 3), errors
        assert f"boundaries: {number}\n" in errors, f"{mode}: MODES must say how many there are"
        states[mode] = state(project)
    return states


@pytest.mark.parametrize(("mode", "at"), EACH)
def test_killed_and_run_again(
    mode: str, at: int, tmp_path: os.PathLike[str], undisturbed: dict[str, dict[str, Any]]
) -> None:
    project = prepare(os.fspath(tmp_path), mode)
    process = project.start("run", script=KILLED, KILL_AT=str(at))
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    project.cli("run")
    assert state(project) == undisturbed[mode]
    assert project.cli("run").document["status"] == "nothing_to_do"

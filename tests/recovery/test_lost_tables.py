"""Tables that lose something between two runs: what can be made good is, and what cannot is told, never passed over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.recovery.test_kill import prepare
from tests.support import Project, Result

TABLES = {
    "target": "analytics.activity",
    "staging": "analytics.activity__staging",
    "quarantine": "analytics.activity__quarantine",
    "batches": "_landfeed.batches",
    "files": "_landfeed.files",
}
STATES: dict[str, tuple[str, ...]] = {
    "before": (),
    "staged": ("stage",),
    "merged": ("stage", "merge"),
    "done": ("run",),
}


def last_entry(folder: str) -> str:
    log = os.path.join(folder, "_delta_log")
    return os.path.join(log, max(name for name in os.listdir(log) if name.endswith(".json")))


def newest_file(folder: str) -> str:
    files = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".parquet")]
    return max(files, key=lambda file: os.stat(file).st_mtime_ns)


def cut(path: str, content: bytes | None = None) -> None:
    with open(path, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        file.truncate(size // 2 if content is None else 0)
        file.seek(0)
        file.write(content or b"")


def zeros(path: str) -> None:
    cut(path, b"\0" * os.stat(path).st_size)


FAULTS: dict[str, Callable[[str], object]] = {
    "entry gone": lambda folder: os.unlink(last_entry(folder)),
    "entry empty": lambda folder: cut(last_entry(folder), b""),
    "entry half": lambda folder: cut(last_entry(folder)),
    "entry zeros": lambda folder: zeros(last_entry(folder)),
    "data gone": lambda folder: os.unlink(newest_file(folder)),
    "data half": lambda folder: cut(newest_file(folder)),
    "data zeros": lambda folder: zeros(newest_file(folder)),
    "log gone": lambda folder: shutil.rmtree(os.path.join(folder, "_delta_log")),
    "table gone": shutil.rmtree,
}


def loaded(project: Project) -> tuple[Any, Any, Any]:
    try:
        bad = project.rows(TABLES["quarantine"], "_line, _record")
        return project.rows(TABLES["target"]), sorted(set(bad)), project.files("landing")
    except Exception as error:  # what cannot be read is as good as lost
        return str(error), None, None


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    project = prepare(os.fspath(tmp_path_factory.mktemp("twin")))
    assert project.cli("run").code == 3
    return loaded(project)


def told(run: Result, table: str) -> bool:
    """Whether the run failed, with a sentence about the table and what to do."""
    errors = [run.document.get("error"), *(feed["error"] for feed in run.document.get("feeds", []))]
    about = table.removesuffix("__staging").removesuffix("__quarantine")
    return run.code == 1 and any(error and about in error["message"] and error["hint"] for error in errors)


def after(project: Project, state: str, table: str, fault: str, twin: object) -> str | None:
    """What is wrong after the fault; None when all is well."""
    for task in STATES[state]:
        project.cli(task)
    folder = project.path("tables", *TABLES[table].split("."))
    try:
        FAULTS[fault](folder)
    except FileNotFoundError:
        pytest.skip("there is nothing to break")
    run = project.cli("run")
    if loaded(project) == twin or told(run, TABLES[table]):
        return None
    if any(TABLES[table] in warning for feed in run.document["feeds"] for warning in feed["warnings"]):
        return None
    if state == "done" and run.document["status"] == "nothing_to_do":  # it looked at no table and says nothing of one
        project.land("activity", "next.csv", "user_id,event,event_time\n9,next,2026-02-01\n")
        run = project.cli("run")
        warnings = [warning for feed in run.document["feeds"] for warning in feed["warnings"]]
        if told(run, TABLES[table]) or any(TABLES[table] in warning for warning in warnings):
            return None
    return f"{run.code} {run.document}\n{loaded(project)}"


FEW = [
    ("merged", "target", "entry gone"),
    ("merged", "target", "entry half"),
    ("merged", "target", "table gone"),
    ("merged", "target", "data half"),
    ("merged", "staging", "table gone"),
    ("merged", "quarantine", "table gone"),
    ("merged", "files", "data half"),
    ("staged", "staging", "data gone"),
    ("before", "staging", "entry half"),
    ("before", "batches", "entry zeros"),
    ("done", "target", "entry empty"),
    ("done", "quarantine", "entry gone"),
]


@pytest.mark.parametrize(("state", "table", "fault"), FEW)
def test_a_table_loses_something(state: str, table: str, fault: str, tmp_path: Any, twin: object) -> None:
    wrong = after(prepare(os.fspath(tmp_path)), state, table, fault, twin)
    assert wrong is None, wrong


@pytest.mark.torture
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("state", STATES)
def test_any_table_loses_anything(state: str, table: str, fault: str, tmp_path: Any, twin: object) -> None:
    wrong = after(prepare(os.fspath(tmp_path)), state, table, fault, twin)
    assert wrong is None, wrong

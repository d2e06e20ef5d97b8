"""Files as senders write them load as they are meant, on every engine: one run for all of them."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.runs.habits import HABITS
from tests.support import Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]  # forty loads, most of them of files that the law reads


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    project = Project(os.fspath(tmp_path_factory.mktemp("habits")), engine=engine)
    for name, habit in HABITS.items():
        project.feed(name, habit.text(name))
        for file, content in habit.files.items():
            project.land(name, file, content)
    assert project.cli("validate").document["problems"] == []
    document = project.cli("run").document
    return project, {feed["feed"]: feed for feed in document["feeds"]}


@pytest.mark.parametrize("name", HABITS)
def test_files_as_they_come(loaded: tuple[Project, dict[str, Any]], name: str) -> None:
    project, feeds = loaded
    habit, feed = HABITS[name], feeds[name]
    assert feed["error"] is None
    rejected = {
        os.path.relpath(file["file"], project.path("landing", name)): file["reason"]
        for file in feed["files"]
        if file["status"] == "rejected"
    }
    assert rejected.keys() == habit.rejected.keys(), rejected
    for file, why in habit.rejected.items():
        assert why in rejected[file]
    assert project.rows(f"s.{name}") == sorted(
        habit.rows, key=lambda row: [(value is None, value or "") for value in row]
    )
    assert project.rows(f"s.{name}__quarantine", "_line, _record") == list(habit.bad)
    rows = feed["rows"]
    assert rows["filtered"] == habit.no_rows
    if habit.read is not None:
        assert rows["read"] == habit.read
    assert project.files(f"landing/{name}") == sorted(habit.stays)
    for wanted in habit.warnings:
        assert any(warning.startswith(wanted) for warning in feed["warnings"]), feed["warnings"]
    archived = {os.path.basename(file) for file in project.files(f"archive/{name}")}
    assert set(habit.companions) <= archived

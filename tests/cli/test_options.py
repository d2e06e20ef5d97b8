"""Where options may stand, and where problems are told to be."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli import command, process, text
from tests.support import HEADER, REPOSITORY, Project, terminal_output


def test_config_and_env_may_stand_after_the_command(project: Project) -> None:
    config = project.path("pipelines_config")
    ended = process(project, "validate", "--env", "local", "--config", config, "--output", "json")
    assert ended.returncode == 0
    assert text(project, "validate", "--env", "nowhere").exit_code == 2
    assert text(project, "--env", "nowhere", "validate", "--env", "local").exit_code == 0
    assert text(project, "--env", "local", "validate", "--env", "{{job.parameters.env}}").exit_code == 0
    assert text(project, "--config", "nowhere", "new", "more", "--config", config).exit_code == 0


def test_some_columns_of_a_table(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    assert text(project, "run").exit_code == 0
    assert project.cli("show", "--columns", "EVENT, user_id").feed["rows"] == [{"event": "login", "user_id": "1"}]
    refused = project.cli("show", "--columns", "event,nme").document["error"]
    assert refused["message"] == "table analytics.activity has no column nme"
    assert refused["hint"].startswith("it has user_id, event, event_time")


@pytest.fixture
def mistaken(project: Project) -> Project:
    project.feed("activity", "feed: activity\nsource: {paht: x}\n")
    return project


def test_problems_are_at_paths_from_where_the_command_was_started(
    mistaken: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mistaken.root)
    assert "pipelines_config/feeds/activity.yml:2:10: source.paht: " in text(mistaken, "validate").stderr
    monkeypatch.chdir("/")
    assert f"{mistaken.root}/pipelines_config/feeds/activity.yml:2:10: ".lstrip("/") in text(mistaken, "run").stderr
    assert mistaken.cli("run").document["problems"][0]["file"] == "feeds/activity.yml"


def test_a_terminal_shows_the_line(mistaken: Project) -> None:
    ours, theirs = os.openpty()
    environ = {**os.environ, "PYTHONPATH": REPOSITORY}
    subprocess.run(command(mistaken, "validate"), env=environ, stderr=theirs, timeout=60, check=False)
    os.close(theirs)
    shown = terminal_output(ours).decode().replace("\r\n", "\n")
    assert "\n    source: {paht: x}\n             ^\n    hint: did you mean 'path'?\n" in shown

"""What stderr holds: less with -q, more with -v, documents with --log-format json; the id of the run in each line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli import text
from tests.support import HEADER, Project


@pytest.fixture
def landed(project: Project) -> Project:
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\nx,bad,2026-01-01\n")
    return project


def documents(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


def test_documents_with_the_id_of_the_run(landed: Project) -> None:
    landed.land("activity", "broken.csv", "nothing\n1\n")
    found = documents(text(landed, "run", "--run-id", "nightly-7", "--log-format", "json").stderr)
    assert {line["run_id"] for line in found} == {"nightly-7"}
    assert all(set(line) == {"at", "level", "run_id", "message"} and line["message"] for line in found)
    levels = {line["level"] for line in found}
    assert levels == {"info", "warning"}
    assert any("bad_value in user_id" in line["message"] and line["level"] == "warning" for line in found)
    assert any("rejected" in line["message"] and line["level"] == "warning" for line in found)


@pytest.mark.parametrize("arguments", [("-q", "run"), ("run", "-q")])
def test_less(arguments: tuple[str, ...], landed: Project) -> None:
    """What is wrong is told, and nothing else; standard output is as ever."""
    found = text(landed, *arguments)
    assert found.stdout.startswith("activity: succeeded (2 read, 1 staged, 1 quarantined")
    (line,) = found.stderr.splitlines()
    assert "1 bad row: bad_value in user_id" in line
    assert text(landed, "run", "-q").stderr == ""


def test_more_says_what_is_done_with_each_file(landed: Project) -> None:
    found = text(landed, "run", "-v", "--run-id", "seven").stderr.splitlines()
    assert all(line.split(" ")[2] == "seven" for line in found), found
    assert any("activity: stage 1 file(s)" in line for line in found)
    assert any("a.csv: archived, 2 rows, " in line for line in found)


def test_errors_are_documents_too(project: Project) -> None:
    project.feed("activity", "feed: activity\nsource: {paht: x}\n")
    found = documents(text(project, "--log-format", "json", "-q", "run").stderr)
    assert {line["level"] for line in found} <= {"error", "warning"}
    assert any("source.paht" in line["message"] and line["level"] == "error" for line in found)


def test_the_next_command_begins_anew(landed: Project) -> None:
    text(landed, "run", "-q", "--log-format", "json")
    assert text(landed, "history").stderr == "" or not text(landed, "history").stderr.startswith("{")
    assert text(landed, "--env", "nowhere", "run").stderr.count("{") == 0

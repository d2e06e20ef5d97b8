"""What a run on Databricks can know reaches it as parameters, some of them empty or unresolved."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points

import pytest

from tests.support import HEADER, Project, Result

TASKS = ("run", "stage", "merge", "archive")
NOTHING = ("", "  ", "{{job.parameters.feeds}}")
LITERAL = "{{job.trigger.file_arrival.location}}"


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    """Three feeds, a file for each."""
    found = Project(os.fspath(tmp_path), "one", "two", "three")
    for feed in ("one", "two", "three"):
        found.land(feed, "a.csv", HEADER + "1,login,2026-01-01\n")
    return found


def names(result: Result, status: str = "") -> list[str]:
    return [feed["feed"] for feed in result.document["feeds"] if not status or feed["status"] == status]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("given", ["one,two", "one two", " one, two "])
def test_feeds_in_one_text(project: Project, task: str, given: str) -> None:
    assert names(project.cli(task, given)) == ["one", "two"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("given", NOTHING)
def test_no_feed_given(project: Project, task: str, given: str) -> None:
    assert names(project.cli(task, given)) == ["one", "three", "two"]


@pytest.mark.parametrize("option", ["--config", "--env"])
@pytest.mark.parametrize("given", NOTHING)
def test_no_config_and_no_environment_given(
    project: Project, monkeypatch: pytest.MonkeyPatch, option: str, given: str
) -> None:
    monkeypatch.chdir(project.root)
    assert project.cli(option, given, "validate").document == {"ok": True, "feeds": 3, "problems": []}


def test_an_environment_that_is_not_given_is_the_one_of_the_variable(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFEED_ENV", "nowhere")
    (problem,) = project.cli("--env", "{{job.parameters.env}}", "validate").document["problems"]
    assert problem["message"] == "there is no environment 'nowhere'"


def test_the_run_id_becomes_the_jobs(project: Project) -> None:
    for task in ("stage", "merge", "archive"):
        assert project.cli(task, "one", "--run-id", "4711").document["run_id"] == "4711"
    assert {row[0] for row in project.rows("_landfeed.batches", "run_id")} == {"4711"}
    assert {row[0] for row in project.rows("_landfeed.files", "run_id")} == {"4711"}


@pytest.mark.parametrize("given", ["", "{{job.run_id}}"])
def test_a_run_id_that_is_not_given_is_made_up(project: Project, given: str) -> None:
    found = project.cli("run", "one", "--run-id", given).document["run_id"]
    assert found
    assert "{" not in found
    assert {row[0] for row in project.rows("_landfeed.batches", "run_id")} == {found}


@pytest.mark.parametrize("task", ["run", "stage"])
def test_a_location_narrows_what_is_staged(project: Project, task: str) -> None:
    result = project.cli(task, "--trigger-location", project.path("landing", "one") + "/")
    assert names(result, "succeeded") == ["one"]
    assert project.files("landing/two") == ["a.csv"]


@pytest.mark.parametrize("location", ["", LITERAL, "gs://elsewhere/", "landing"])
def test_a_location_that_says_nothing_is_ignored(project: Project, location: str) -> None:
    assert names(project.cli("run", "--trigger-location", location), "succeeded") == ["one", "three", "two"]


def test_a_location_above_all_feeds(project: Project) -> None:
    result = project.cli("run", "--trigger-location", project.path("landing"))
    assert names(result, "succeeded") == ["one", "three", "two"]


def test_a_location_and_feeds(project: Project) -> None:
    """The location narrows the feeds that are named, and is ignored when it is about others."""
    one = project.path("landing", "one")
    assert names(project.cli("stage", "one,two", "--trigger-location", one)) == ["one"]
    assert names(project.cli("stage", "two,three", "--trigger-location", one)) == ["three", "two"]


def test_merge_and_archive_finish_what_other_runs_have_staged(project: Project) -> None:
    """A run that was stopped after its first task leaves nothing behind, wherever the next files arrive."""
    project.cli("stage", "two")
    location = ("--trigger-location", project.path("landing", "one"))
    project.cli("stage", *location)
    assert names(project.cli("merge", *location), "succeeded") == ["one", "two"]
    assert names(project.cli("archive", *location), "succeeded") == ["one", "two"]
    assert project.files("landing") == ["three/a.csv"]


def test_the_jobs_own_command_lines(project: Project) -> None:
    """The parameters of the generated tasks as a run by hand gets them: nothing has arrived, no feed is chosen."""
    common = ("--run-id", "4711", "--trigger-location", LITERAL)
    for task in ("stage", "merge", "archive"):
        result = project.cli("--env", "local", task, "", *common)
        assert names(result, "succeeded") == ["one", "three", "two"]
    assert project.files("landing") == []
    assert project.rows("analytics.one", "event") == [("login",)]


def entry_point(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """What Databricks does with a wheel task: it calls the entry point and goes on; here in a thread, to be strict."""
    monkeypatch.setattr(sys, "argv", ["landfeed", *arguments])
    (point,) = entry_points(group="console_scripts", name="landfeed")
    with ThreadPoolExecutor() as pool:
        return pool.submit(point.load()).result()


def test_the_entry_point_returns_when_all_is_well(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A SystemExit, also of 0, would fail the task."""
    assert entry_point(monkeypatch, "--config", project.path("pipelines_config"), "validate") is None
    assert "nothing wrong" in capsys.readouterr().out
    assert entry_point(monkeypatch, "--config", project.path("pipelines_config"), "run") is None


@pytest.mark.parametrize(("arguments", "code"), [(("--env", "prod"), 2), (("--env", "local"), 3)])
def test_the_entry_point_raises_when_something_is_wrong(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    project.land("one", "empty.csv", "")
    with pytest.raises(SystemExit) as raised:
        entry_point(monkeypatch, "--config", project.path("pipelines_config"), *arguments, "run")
    assert raised.value.code == code

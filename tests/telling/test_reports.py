"""`reports`: every run leaves a document, whatever came of it, and none fails for it."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from framework.environment import EngineName, Environment, Telling
from framework.telling.reports import report_name
from tests.cli import process, text
from tests.loader.test_several_feeds import feed, told
from tests.support import HEADER, REPOSITORY, Project

ENVIRONMENT = "engine: {engine}\nvariables: {{landing: ./landing, archive: ./archive}}\ntables: {{root: ./tables}}\n"
FIRST = os.path.join(REPOSITORY, "tests", "fixtures", "report_1", "report.schema.json")
"""The schema as it was first published. Who reads reports by it can read those of today."""


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    project = Project(os.fspath(tmp_path), "activity")
    configure(project, "reports: ./reports\n")
    return project


def configure(project: Project, more: str, engine: str = "embedded") -> None:
    project.write("pipelines_config/environments/local.yml", ENVIRONMENT.format(engine=engine) + more)


def reports(project: Project) -> list[dict[str, Any]]:
    """All reports in the order of their names, which all follow the first schema; the newest one is latest.json."""
    with open(FIRST, encoding="utf-8") as stream:
        schema = Draft202012Validator(json.load(stream))
    documents = {}
    for name in project.files("reports"):
        with open(project.path("reports", name), encoding="utf-8") as stream:
            documents[name] = json.load(stream)
    latest = documents.pop("latest.json")
    for name, document in documents.items():
        schema.validate(document)
        assert name == report_name(document)
    assert latest in documents.values()
    return [documents[name] for name in sorted(documents)]


def test_every_run_leaves_what_it_printed(project: Project) -> None:
    printed = [project.cli("run").document]
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\nx,login,2026-01-01\n")
    printed += [project.cli(command, "--run-id", "job/1 of 2").document for command in ("stage", "merge", "archive")]
    project.land("activity", "b.csv", "other\n1\n")
    printed.append(project.cli("run").document)
    found = reports(project)
    assert found == printed
    assert [each["command"] for each in found] == ["run", "stage", "merge", "archive", "run"]
    assert [each["status"] for each in found] == ["nothing_to_do", *["succeeded"] * 3, "rejected"]
    assert found[1]["feeds"][0]["reasons"][0]["code"] == "bad_value"


def test_today_s_schema_is_that_of_the_reports(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "x,login,2026-01-01\n1,login,2026-01-01\n")
    schema = json.loads(text(project, "schema", "report").stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(project.cli("run").document)
    with pytest.raises(Exception, match="run_id"):
        Draft202012Validator(schema).validate({"status": "failed"})


def test_a_wrong_configuration_is_reported(project: Project) -> None:
    project.feed("activity", "feed: activity\nsource: {path: x, formt: csv}\n")
    assert project.cli("run").code == 2
    (report,) = reports(project)
    assert (report["exit_code"], report["status"], report["feeds"]) == (2, "failed", [])
    assert "unknown key 'formt'" in {problem["message"] for problem in report["problems"]}


def test_a_run_that_cannot_begin_is_reported(project: Project) -> None:
    project.write("tables/_landfeed", "where the control tables would be")
    assert project.cli("run").code == 1
    (report,) = reports(project)
    assert (report["exit_code"], report["status"], report["engine"]) == (1, "failed", "embedded")
    assert report["error"]["message"]


def test_an_interrupted_run_is_reported(project: Project) -> None:
    feed_of_one = "feed: activity\nsource: {path: '${landing}/activity/', format: csv, max_files_per_batch: 1}\n"
    feed_of_one += "schema: {user_id: bigint}\ntarget: {table: a.b, keys: [user_id]}\n"
    project.feed("activity", feed_of_one)
    for number in range(400):
        project.land("activity", f"{number:03}.csv", f"user_id\n{number}\n")
    started = project.start("run")
    while not project.files("archive"):
        assert started.poll() is None
    started.send_signal(signal.SIGTERM)
    out, _ = started.communicate(timeout=60)
    (report,) = reports(project)
    assert report == json.loads(out)
    assert report["exit_code"] == 128 + signal.SIGTERM
    assert project.files("landing")


def test_each_feed_that_a_watch_has_run_is_reported(project: Project) -> None:
    project.feed("other", project_feed("other"))
    project.land("other", "a.csv", HEADER + "1,login,2026-01-01\n")
    project.land("activity", "a.csv", "other\n1\n")
    assert process(project, "watch", "--once", "--quiet", "0").returncode == 3
    found = {each["feeds"][0]["feed"]: each for each in reports(project)}
    assert {name: each["status"] for name, each in found.items()} == {"activity": "rejected", "other": "succeeded"}
    assert {each["command"] for each in found.values()} == {"watch"}


def project_feed(name: str) -> str:
    source = f"source: {{path: '${{landing}}/{name}/', format: csv}}\n"
    return f"feed: {name}\n{source}schema: {{user_id: bigint}}\ntarget: {{table: a.{name}, keys: [user_id]}}\n"


def test_a_report_that_cannot_be_written_fails_nothing(project: Project) -> None:
    project.write("reports", "a file where the folder would be")
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    said = text(project, "run")
    assert said.exit_code == 0
    assert "warning: the report of the run is not written: " in said.stderr
    assert project.files("archive")


def test_reports_hold_no_secret(project: Project) -> None:
    configure(project, "reports: ./reports\nenv_allowed: [SECRET]\n")
    nulls = project_feed("activity").replace("format: csv", "format: csv, null_values: ['', '${env:SECRET}']")
    project.feed("activity", nulls)
    project.land("activity", "hunter2.csv", "user_id\nhunter2 \nx\n1\n")
    said = process(project, "--output", "json", "run", environ={"SECRET": "hunter2"})
    assert said.returncode == 0
    (report,) = reports(project)
    assert report["feeds"][0]["rows"]["quarantined"] == 2
    assert "hunter2" not in json.dumps(report)


def test_reports_may_not_land() -> None:
    environment = Environment("local", EngineName.EMBEDDED, "/", "/tables", file="environments/local.yml")
    inside = Environment(
        "local", EngineName.EMBEDDED, "/", "/tables", file="e.yml", telling=Telling(reports="/landing/a/reports/")
    )
    assert told(feed("a"), environment=environment) == []
    sentence = "reports of e.yml would land: it lies inside this folder"
    assert told(feed("a"), feed("b"), environment=inside) == [("a", "source.path", sentence)]

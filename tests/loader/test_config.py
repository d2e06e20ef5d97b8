"""The configuration: every mistake at its place, all at once; and schemas that explain themselves."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from framework.cli import landfeed
from framework.loader import Kind, schema_text
from tests.support import ACTIVITY, HEADER, REPOSITORY, Project

FEED = ACTIVITY.format(name="activity")


def problems(project: Project, text: str) -> list[dict[str, Any]]:
    project.feed("activity", text)
    result = project.cli("validate")
    assert result.code == (2 if result.document["problems"] else 0)
    found: list[dict[str, Any]] = result.document["problems"]
    return found


def test_a_good_feed(project: Project) -> None:
    assert problems(project, FEED) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "words"),
    [
        ("keys:", "kyes:", 11, "target.kyes", "did you mean"),
        ("bigint", "bignit", 6, "schema.user_id", "no type"),
        ("bigint", "'array<int>'", 11, "target.keys", "cannot be compared"),
        ("event: string", "event: 'map<array<int>,int>'", 7, "schema.event", "the key of a map"),
        ("event: string", "event: {type: 'array<int>', default: '[]'}", 7, "schema.event.default", "array<int>"),
        ("[user_id]", "[usr_id]", 11, "target.keys", "usr_id"),
        ("event_time\n", "evnt_time\n", 12, "target.sequence_by", "evnt_time"),
        ("${landing}", "${landnig}", 3, "source.path", "landnig"),
        ("format: csv", "format: cvs", 4, "source.format", "csv"),
        ("target:", "filter: evnt = 'x'\ntarget:", 9, "filter", "no column 'evnt'"),
        ("target:", "\ttarget:", 9, "", "tab"),
        ("feed: activity", "feed: Activity!", 1, "feed", ""),
        ("event: string", "event: string\n  event: int", 8, "schema.event", "twice"),
        ("event: string", "event: {type: string, pattern: '['}", 7, "schema.event.pattern", ""),
        ("event: string", "event: {type: int, min: abc}", 7, "schema.event.min", ""),
        ("event: string", "event: {type: date, format: DD}", 7, "schema.event.format", ""),
    ],
)
def test_each_mistake_is_told_at_its_line(
    project: Project, old: str, new: str, line: int, path: str, words: str
) -> None:
    assert old in FEED
    found = problems(
        project, FEED.replace(old, new, 1) if old != "event_time\n" else FEED.replace("by: event", "by: evnt")
    )
    told = [p for p in found if p["line"] == line and p["path"].startswith(path)]
    assert told, found
    assert any(words in f"{p['message']} {p['hint']}" for p in told), told


def test_all_mistakes_of_all_files_at_once(project: Project) -> None:
    project.feed("other", "feed: other\nsuorce: {}\n")
    found = problems(project, FEED.replace("keys:", "kyes:").replace("bigint", "bignit"))
    assert {problem["file"] for problem in found} == {"feeds/activity.yml", "feeds/other.yml"}
    assert len(found) >= 3


def test_defaults_are_merged_and_their_mistakes_told_in_their_file(project: Project) -> None:
    project.write("pipelines_config/feeds/_defaults.yml", "source:\n  trmi: true\n")
    found = problems(project, FEED)
    assert [(problem["file"], problem["line"]) for problem in found] == [("feeds/_defaults.yml", 2)]


def test_secrets_do_not_show(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    found = problems(project, FEED.replace("bigint", "${env:SECRET}"))
    assert found
    assert "hunter2" not in json.dumps(found)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_key_of_the_schemas_is_described(kind: Kind) -> None:
    document = json.loads(schema_text(kind))
    undescribed = [
        path for path, schema in _properties(document, "") if "description" not in schema and "$ref" not in schema
    ]
    assert undescribed == []


def _properties(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, below in schema.get("properties", {}).items():
            if isinstance(below, dict):
                yield f"{path}.{name}", below
        for name, below in schema.items():
            yield from _properties(below, f"{path}/{name}")
    elif isinstance(schema, list):
        for below in schema:
            yield from _properties(below, path)


def test_a_mistake_in_defaults_names_the_feed_that_it_hits(project: Project) -> None:
    """A value that is fine in itself and wrong for a feed stands in the defaults and is told with the feed."""
    project.write("pipelines_config/feeds/_defaults.yml", "target:\n  sequence_by: changed_at\n")
    (problem,) = problems(project, FEED.replace("  sequence_by: event_time\n", ""))
    assert (problem["file"], problem["line"]) == ("feeds/_defaults.yml", 2)
    assert "changed_at" in problem["message"]
    assert problem["feed"] == "activity"


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (("analytics.other", "analytics.activity"), "target.table", "activity"),
        (("/other/", "/activity/"), "source", "activity"),
        (("target:", "archive: {path: '${landing}/activity/done/'}\ntarget:"), "archive.path", "land again"),
        (("feed: other", "feed: activity"), "feed", "also defined"),
    ],
)
def test_what_two_feeds_cannot_share(project: Project, change: tuple[str, str], path: str, words: str) -> None:
    text = ACTIVITY.format(name="other")
    assert change[0] in text
    project.feed("other", text.replace(*change))
    found = project.cli("validate").document["problems"]
    assert any(problem["path"].startswith(path) and words in problem["message"] for problem in found), found


def test_values_that_yaml_reads_otherwise_stay_as_they_are_written(project: Project) -> None:
    """`no`, 1.10, 2024-01-01 and 007 are what the data has, not a truth value, a number, a date and seven."""
    project.feed(
        "texts",
        "feed: texts\nsource: {path: '${landing}/texts/', format: csv, null_values: [no, 1.10, ~]}\n"
        "schema:\n  id: {type: string, accepted_values: [007, 0x1, 1e3, on]}\n"
        "  day: {type: date, min: 2024-01-01}\ntarget: {table: s.texts, keys: id}\n",
    )
    assert project.cli("validate").document["problems"] == []
    project.land("texts", "a.csv", "id,day\n007,2024-01-01\n7,\n1e3,2023-12-31\non,no\n0x1,1.10\n")
    rows = project.cli("run", "texts").feed["rows"]
    assert (rows["staged"], rows["quarantined"]) == (3, 2)
    assert project.rows("s.texts") == [("007", "2024-01-01"), ("0x1", None), ("on", None)]


def test_plan_tells_files_tables_columns_and_sql(project: Project) -> None:
    config = project.path("pipelines_config")
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    project.land("activity", "2.csv.tmp", HEADER)
    shown = CliRunner().invoke(landfeed, ["--config", config, "plan", "--sql"]).stdout
    for words in (
        "1 pending ",
        "1.csv",
        "skipped",
        "2.csv.tmp",
        "create   analytics.activity",
        "SELECT",
        "JOIN",
    ):
        assert words in shown, shown
    project.cli("run")
    project.feed("activity", FEED.replace("event: string", "event: string\n  country: string"))
    project.land("activity", "3.csv", "user_id,event,country,event_time\n1,a,IT,2026-01-02\n")
    before = {name: os.stat(project.path(name)).st_mtime_ns for name in project.files(".")}
    steps = project.cli("plan").document["feeds"][0]["steps"]
    added = [(step["column"], step["type"]) for step in steps if step["kind"] == "add_column"]
    assert added == [("country", "string")]
    assert {name: os.stat(project.path(name)).st_mtime_ns for name in project.files(".")} == before


def test_examples_name_their_schema() -> None:
    """Editors explain the keys of every file that people copy from."""
    for file in glob.glob(os.path.join(REPOSITORY, "pipelines_config", "**", "*.yml"), recursive=True):
        with open(file, encoding="utf-8") as stream:
            first = stream.readline()
        schema = first.removeprefix("# yaml-language-server: $schema=").strip()
        assert os.path.exists(os.path.join(os.path.dirname(file), schema)), file

"""The configuration: every mistake at its place, all at once; and schemas that explain themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from framework.loader import Kind, schema_text
from tests.support import ACTIVITY, Project

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
        ("format: csv", "format: parquet", 4, "source.format", "not supported yet"),
        ("format: csv", "format: cvs", 4, "source.format", "csv"),
        ("target:", "filter: event = 'x'\ntarget:", 9, "filter", "not supported yet"),
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


def test_an_engine_that_is_not_there_yet(project: Project) -> None:
    project.write(
        "pipelines_config/environments/spark.yml",
        "engine: spark\nvariables: {landing: ./landing, archive: ./archive}\ntables: {root: ./tables}\n",
    )
    result = project.cli("--env", "spark", "validate")
    assert result.code == 2
    assert "not supported yet" in result.document["problems"][0]["message"]


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

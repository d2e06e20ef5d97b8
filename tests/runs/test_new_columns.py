"""Columns that files bring and the schema does not have, through the real command line."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from tests.support import Project
from tests.typed_files import WRITERS

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: {format}}}
schema: {{id: int, name: string}}
target: {{table: s.{name}, keys: [id]{target}}}
schema_contract: {{{contract}}}
"""
FEEDS = {
    "added": ("csv", "", "new_columns: add"),
    "history": ("csv", ", sequence_by: name, scd_type: 2", "new_columns: add"),
    "appended": ("csv", ", mode: append", "new_columns: add"),
    "kept": ("csv", "", "new_columns: add, missing_columns: keep"),
    "late": ("json", "", "new_columns: add"),
    "rescued": ("csv", "", "new_columns: rescue"),
    "rescued_json": ("json", "", "new_columns: rescue"),
}
DAYS = (
    ("id,name\n1,a\n2,b\n",),
    ("id,name,Land,vat no\n1,c,IT,\n3,d,FR,77\n", "id,name\n2,x\n"),
    ("id,name\n3,z\n", "id,name,Land\n4,,ES\n"),
)
"""The files of each day; the last one's first has none of the columns that the day before brought."""


@dataclass(frozen=True, slots=True)
class Loaded:
    project: Project
    days: tuple[dict[str, dict[str, Any]], ...]
    plan: dict[str, Any]


def as_json(text: str) -> str:
    """… and so that the new names come long after the beginning of the file."""
    header, *rows = (line.split(",") for line in text.splitlines())
    lines = [{name: value for name, value in zip(header, row, strict=True) if value} for row in rows]
    return "".join(json.dumps(line) + "\n" for line in [*[{"id": "9", "name": "x" * 1000}] * 300, *lines])


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    project, days = Project(os.fspath(tmp_path_factory.mktemp("new")), engine=engine), []
    plan: dict[str, Any] = {}
    for name, (kind, target, contract) in FEEDS.items():
        text = FEED.format(name=name, format=kind, target=target, contract=contract)
        project.feed(name, text.replace("keys: [id], mode: append", "mode: append"))
    for number, files in enumerate(DAYS):
        for name, (kind, *_) in FEEDS.items():
            for at, text in enumerate(files):
                project.land(name, f"{number}{at}.{kind}", as_json(text) if kind == "json" else text)
        plan = plan or (project.cli("plan").document if number == 1 else {})
        report = project.cli("run").document
        days.append({feed["feed"]: feed for feed in report["feeds"]})
    return Loaded(project, tuple(days), plan)


@pytest.mark.parametrize(
    ("feed", "rows"),
    [
        ("added", [("1", "c", "IT", None), ("2", "x", None, None), ("3", "z", None, None), ("4", None, "ES", None)]),
        ("kept", [("1", "c", "IT", None), ("2", "x", None, None), ("3", "z", "FR", "77"), ("4", None, "ES", None)]),
        (
            "late",
            [
                ("1", "c", "IT", None), ("2", "x", None, None), ("3", "z", None, None), ("4", None, "ES", None),
                ("9", "x" * 1000, None, None),
            ],
        ),
    ],
)  # fmt: skip
def test_new_columns_are_added_as_texts(loaded: Loaded, feed: str, rows: list[tuple[object, ...]]) -> None:
    """What a later file does not have is NULL in its rows, as with any column; or it is kept."""
    assert loaded.project.rows(f"s.{feed}", 'id, name, "Land", vat_no') == rows
    assert [day[feed]["status"] for day in loaded.days] == ["succeeded"] * 3


def test_every_version_and_every_row_has_them(loaded: Loaded) -> None:
    history = loaded.project.rows("s.history", 'id, name, "Land", __END_AT IS NULL AS current')
    assert ("3", "d", "FR", "false") in history
    assert ("3", "z", None, "true") in history
    assert loaded.project.rows("s.appended", 'id, "Land"')[-2:] == [("3", None), ("4", "ES")]


@pytest.mark.parametrize("feed", ["rescued", "rescued_json"])
def test_new_columns_are_rescued_into_one(loaded: Loaded, feed: str) -> None:
    """As Auto Loader writes it: the values that there are, and the file's path."""
    rows = loaded.project.rows(f"s.{feed}", "id, name, _rescued_data")
    kind = FEEDS[feed][0]
    path = {file: loaded.project.path("landing", feed, f"{file}.{kind}") for file in ("10", "21")}
    assert [row for row in rows if row[0] != "9"] == [
        ("1", "c", json.dumps({"Land": "IT", "_file_path": path["10"]}, separators=(",", ":"))),
        ("2", "x", None),
        ("3", "z", None),
        ("4", None, json.dumps({"Land": "ES", "_file_path": path["21"]}, separators=(",", ":"))),
    ]
    told = "columns 'Land', 'vat no' are not in the schema: rescued into _rescued_data from 1 file"
    assert loaded.days[1][feed]["warnings"] == [told]
    changes = [(each["kind"], each["column"], each["action"]) for each in loaded.days[1][feed]["schema_changes"]]
    assert changes == [("new_column", "Land", "rescue"), ("new_column", "vat no", "rescue")]


def test_they_are_told_with_the_yaml_that_declares_them(loaded: Loaded) -> None:
    report = loaded.days[1]["added"]
    assert report["schema_lines"] == ["Land: string", 'vat_no: {type: "string", source_name: ["vat no"]}']
    assert report["warnings"] == ["columns 'Land', 'vat_no' are not in the schema: loaded as text from 1 file"]
    told = [(each["kind"], each["column"], each["to"], each["action"]) for each in report["schema_changes"]]
    assert told == [
        ("new_column", "Land", "string", "add"),
        ("new_column", "vat_no", "string", "add"),
        ("added", "Land", "string", "add_column"),
        ("added", "vat_no", "string", "add_column"),
    ]
    assert loaded.days[0]["added"]["schema_lines"] == []
    assert loaded.days[2]["added"]["schema_lines"] == ["Land: string"]
    recorded = loaded.project.rows("_landfeed.schema_changes", 'feed, kind, "column", "to"')
    assert [row[1:] for row in recorded if row[0] == "added" and row[1] == "added"] == [
        ("added", "Land", "string"), ("added", "vat_no", "string"),
    ]  # fmt: skip


def test_a_plan_tells_them_before(loaded: Loaded) -> None:
    (plan,) = (feed for feed in loaded.plan["feeds"] if feed["feed"] == "added")
    steps = [(step["kind"], step.get("column"), step.get("type")) for step in plan["steps"]]
    assert steps[1:3] == [("add_column", "Land", "string"), ("add_column", "vat_no", "string")]
    assert plan["warnings"] == ["columns 'Land', 'vat_no' are not in the schema: loaded as text from 1 file"]


NESTED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: {format}}}
schema: {{id: int, s: "struct<x:int,in:struct<a:string>>", l: "array<struct<no:int>>", at: int}}
target: {{table: s.{name}, keys: [id]{target}}}
schema_contract: {{new_columns: add}}
"""
NESTED_DAYS = (
    '{"id": 1, "s": {"x": 1, "in": {"a": "A"}}, "l": [{"no": 1}], "at": 1}\n',
    '{"id": 2, "s": {"x": 2, "in": {"a": "B", "b": 7}, "v": true, "v-w": 1}, "l": [{"no": 1, "q": "2"}], "at": 1}\n',
    '{"id": 1, "s": {"x": 3, "v": {"k": [1]}}, "at": 2}\n',
)
MEMBERS = {"x": "s.x", "a": 's."in".a', "b": 's."in".b', "v": "s.v", "q": "l[1].q"}


def test_members_that_structs_have_more_are_added(project: Project) -> None:
    """The table grows by them; a later file without them is NULL there, and so is what was loaded before."""
    project.feed("grown", NESTED.format(name="grown", format="json", target=""))
    project.feed("history", NESTED.format(name="history", format="json", target=", sequence_by: at, scd_type: 2"))
    reports = []
    for number, text in enumerate(NESTED_DAYS):
        for name in ("grown", "history"):
            project.land(name, f"{number}.json", text)
        reports.append(project.cli("run", "grown", "history").document["feeds"])
    assert [[feed["status"] for feed in feeds] for feeds in reports] == [["succeeded"] * 2] * 3, reports
    members = ", ".join(f"CAST({member} AS VARCHAR) AS {name}" for name, member in MEMBERS.items())
    second = ("2", "2", "B", "7", "true", "2")
    assert project.rows("s.grown", f"id, {members}") == [("1", "3", None, None, '{"k":[1]}', None), second]
    assert project.rows("s.history", f"id, {members}, __END_AT") == [
        ("1", "1", "A", None, None, None, "2"),
        ("1", "3", None, None, '{"k":[1]}', None, None),
        (*second, None),
    ]
    report = reports[1][0]
    assert report["schema_lines"] == [
        's: "struct<x:int,in:struct<a:string,b:string>,v:string>"',
        'l: "array<struct<no:int,q:string>>"',
    ]
    assert report["warnings"] == [
        "column 's.v-w' is ignored in 1 file: not in the schema",
        "columns 's.in.b', 's.v', 'l.q' are not in the schema: loaded as text from 1 file",
    ]
    added = [each["column"] for each in report["schema_changes"] if each["kind"] == "added"]
    assert added == ["s.in.b", "s.v", "l.element.q"]
    assert [feed["warnings"] for feed in project.cli("plan", "grown", "history").document["feeds"]] == [[], []]


@pytest.mark.parametrize("format_", WRITERS)
def test_members_of_typed_files_are_added(project: Project, format_: str) -> None:
    text = NESTED.format(name="f", format=format_, target="")
    text = text.replace("x:int,in:struct<a:string>", "x:int").replace(', l: "array<struct<no:int>>", at: int', "")
    project.feed("f", text)
    row = {"id": 1, "s": {"x": 1, "day": date(2026, 1, 31)}}
    project.land("f", f"1.{format_}", WRITERS[format_]({"id": "int", "s": "struct"}, [row]))
    done = project.cli("run", "f")
    assert (done.code, done.feed["schema_lines"]) == (0, ['s: "struct<x:int,day:string>"'])
    assert project.rows("s.f", "id, s.day AS day") == [("1", "2026-01-31")]


@pytest.mark.embedded
def test_members_that_were_added_may_be_declared_with_others(project: Project) -> None:
    text = NESTED.format(name="f", format="json", target="")
    project.feed("f", text)
    project.land("f", "1.json", '{"id": 1, "s": {"v": 1}}\n')
    (line,) = project.cli("run", "f").feed["schema_lines"]
    declared = line.replace("v:string", "w:date,v:string")
    project.feed("f", text.replace('s: "struct<x:int,in:struct<a:string>>"', declared))
    project.land("f", "2.json", '{"id": 2, "s": {"v": 2, "w": "2026-01-31"}}\n')
    assert "ADD COLUMNS (s.w date)" in str(project.cli("plan", "--sql", "f").document)
    done = project.cli("run", "f")
    assert (done.code, done.feed["schema_lines"]) == (0, [])
    assert project.rows("s.f", "id, s.v AS v, s.w AS w") == [("1", "1", None), ("2", "2", "2026-01-31")]
    project.feed("f", text.replace("new_columns: add", "new_columns: ignore"))
    project.land("f", "3.json", '{"id": 3}\n')
    assert project.cli("run", "f").feed["error"]["code"] == "schema"


@pytest.mark.embedded
def test_a_column_that_was_added_may_be_declared(project: Project) -> None:
    text = FEED.format(name="f", format="csv", target="", contract="new_columns: add")
    project.feed("f", text)
    project.land("f", "1.csv", "id,vat no\n1,7\n")
    (line,) = project.cli("run", "f").feed["schema_lines"]
    project.feed("f", text.replace("name: string}", f"name: string, {line}}}"))
    project.land("f", "2.csv", "id,vat no\n2,8\n")
    done = project.cli("run", "f")
    assert (done.code, done.feed["schema_lines"], done.feed["warnings"][1:]) == (0, [], [])
    assert project.rows("s.f", "id, vat_no") == [("1", "7"), ("2", "8")]


@pytest.mark.embedded
def test_a_batch_that_was_staged_is_merged_by_another_process_with_what_it_brought(project: Project) -> None:
    project.feed("f", FEED.format(name="f", format="csv", target="", contract="new_columns: add"))
    project.land("f", "1.csv", "id,name\n1,a\n")
    assert project.cli("run").code == 0
    project.land("f", "2.csv", "id,name,city\n1,b,Rome\n")
    for command in ("stage", "merge", "archive"):
        assert project.cli(command).code == 0
    assert project.rows("s.f", "id, name, city") == [("1", "b", "Rome")]
    kinds = project.rows("_landfeed.schema_changes", 'kind, "column"')
    assert kinds == [("added", "city"), ("new_column", "city")]

"""Types that become wider in the schema than they are in the target, through the real command line."""

from __future__ import annotations

import os

import pytest
from deltalake import DeltaTable

from tests.cli import text
from tests.support import Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv, timezone: Europe/Rome}}
schema: {schema}
target: {{table: s.{name}, keys: [id]{target}}}
schema_contract: {{type_changes: {changes}}}
"""
NARROW = "{id: int, n: {type: int, description: How many}, d: date, part: string, x: 'decimal(3,1)'}"
WIDE = (
    "{id: bigint, n: {type: 'decimal(12,2)', description: How many}, d: timestamp, part: string, x: string, more: int}"
)
FIRST = "id,n,d,part,x\n1,7,2026-07-01,a,1.5\n2,,,b,\n"
SECOND = "id,n,d,part,x,more\n3000000000,1.25,2026-07-02 10:00,a,two,5\n1,7,2026-07-01,a,1.5,\n"
TARGETS = {
    "plain": "",
    "parted": ", partition_by: [part], table_properties: {delta.enableChangeDataFeed: 'true'}",
    "history": ", sequence_by: n, scd_type: 2",
}
ROWS = [
    ("1", "7.00", "2026-06-30 22:00:00+00", "a", "1.5"),
    ("2", None, None, "b", None),
    ("3000000000", "1.25", "2026-07-02 08:00:00+00", "a", "two"),
]


@pytest.fixture(scope="module")
def wide(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Feeds of which a day was loaded before their types became wider."""
    project = Project(os.fspath(tmp_path_factory.mktemp("wide")), engine=engine)
    for changes, schema, lines in (("refuse", NARROW, FIRST), ("widen", WIDE, SECOND)):
        for name, target in TARGETS.items():
            project.feed(name, FEED.format(name=name, schema=schema, target=target, changes=changes))
            project.land(name, f"{changes}.csv", lines)
        if changes == "widen":
            (plan, *_) = (feed for feed in project.cli("plan").document["feeds"] if feed["feed"] == "plain")
            steps = [step for step in plan["steps"] if step["kind"] == "widen_column"]
            told = [(step["column"], step["from"], step["to"]) for step in steps]
            assert told == [
                ("id", "int", "bigint"), ("n", "int", "decimal(12,2)"), ("d", "date", "timestamp"),
                ("x", "decimal(3,1)", "string"),
            ]  # fmt: skip
            assert steps[0]["bytes"] == sum(os.path.getsize(path) for path in _table(project, "plain").file_uris())
        report = project.cli("run").document
        assert [feed["error"] for feed in report["feeds"]] == [None] * 3
    return project


def _table(project: Project, name: str) -> DeltaTable:
    table = project.table(f"s.{name}")
    assert table is not None
    return table


@pytest.mark.parametrize("name", ["plain", "parted"])
def test_the_table_is_written_anew_with_the_same_rows(wide: Project, name: str) -> None:
    assert wide.rows(f"s.{name}", "id, n, d, part, x") == ROWS
    table = _table(wide, name)
    types = {field.name: str(field.type) for field in table.schema().fields}
    assert types["n"] == 'PrimitiveType("decimal(12,2)")'
    assert {field.name: field.metadata for field in table.schema().fields}["n"] == {"comment": "How many"}


def test_all_else_that_is_said_of_the_table_stays(wide: Project) -> None:
    metadata = _table(wide, "parted").metadata()
    assert metadata.partition_columns == ["part"]
    assert metadata.configuration["delta.enableChangeDataFeed"] == "true"


def test_a_history_and_what_lies_beside_it_widen_together(wide: Project) -> None:
    rows = wide.rows("s.history", "id, n, __START_AT, __END_AT")
    assert [row for row in rows if row[0] != "2"] == [("1", "7.00", "7.00", None), ("3000000000", "1.25", "1.25", None)]


def test_it_is_recorded_and_told(wide: Project) -> None:
    recorded = wide.rows("_landfeed.schema_changes", 'feed, kind, "column", "from", "to", action')
    assert [row[1:] for row in recorded if row[0] == "plain" and row[1] == "widened"] == [
        ("widened", "d", "date", "timestamp", "widen"),
        ("widened", "id", "int", "bigint", "widen"),
        ("widened", "n", "int", "decimal(12,2)", "widen"),
        ("widened", "x", "decimal(3,1)", "string", "widen"),
    ]


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("first", "second", "changes", "hint"),
    [
        ("int", "bigint", "refuse", "say schema_contract.type_changes: widen"),
        ("bigint", "int", "widen", "give the column the table's type"),
        ("string", "int", "widen", "give the column the table's type"),
    ],
)
def test_a_type_that_may_not_change_is_refused_with_the_table_s(
    project: Project, first: str, second: str, changes: str, hint: str
) -> None:
    for number, type_ in enumerate((first, second)):
        schema = f"{{id: int, n: {type_}}}"
        project.feed("f", FEED.format(name="f", schema=schema, target="", changes=changes))
        project.land("f", f"{number}.csv", f"id,n\n{number},1\n")
        done = project.cli("run", "f")
    assert done.code == 1
    assert done.feed["error"]["message"] == f"column n of s.f is {first} and the feed says {second}"
    assert done.feed["error"]["hint"].startswith(hint)
    assert project.rows("s.f") == [("0", "1")]


def test_people_are_told_what_became_of_the_target(wide: Project) -> None:
    told = text(wide, "history", "plain")
    assert "target: plain, batch" in told.stderr
    assert "column n became decimal(12,2), it was int" in told.stderr
    assert "target: plain: column more was added as int" in text(wide, "status", "plain").stderr


@pytest.mark.embedded
def test_a_table_without_rows_widens_and_other_keys_are_recorded_as_refused(project: Project) -> None:
    narrow = FEED.format(name="f", schema="{id: int, n: int}", target="", changes="widen")
    project.feed("f", narrow)
    project.land("f", "1.csv", "id,n\n")
    assert project.cli("run", "f").code == 0
    wide = narrow.replace("{id: int, n: int}", "{id: bigint, n: string}")
    project.feed("f", wide)
    assert project.cli("plan", "f").feed["warnings"] == [
        "column id of s.f is int: the next batch makes it bigint",
        "column n of s.f is int: the next batch makes it string",
    ]
    project.land("f", "2.csv", "id,n\n3000000000,x\n")
    assert project.cli("run", "f").code == 0
    assert project.rows("s.f") == [("3000000000", "x")]
    project.feed("f", wide.replace("keys: [id]", "keys: [n]"))
    project.land("f", "3.csv", "id,n\n4,x\n")
    assert project.cli("run", "f").feed["error"]["code"] == "loaded_otherwise"
    columns = 'kind, batch_id, "column", "from", "to", action'
    assert project.rows("_landfeed.schema_changes", columns)[0] == ("keys", "", "n", "[id]", "[n]", "refuse")

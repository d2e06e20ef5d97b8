"""A batch in which nothing is wrong is written in one pass; one in which anything is leaves nothing of the attempt."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any

import duckdb
import pytest

from tests.support import HEADER, Project

WIDE = """\
feed: wide
source: {path: "${landing}/wide/", format: csv}
schema:
  id: bigint
  d: "decimal(12,2)"
  big: "decimal(38,10)"
  day: date
  at: timestamp
  plain: timestamp_ntz
  f: double
  b: boolean
  text: string
target: {table: s.wide, keys: [id]}
"""
NAMES = "id,d,big,day,at,plain,f,b,text\n"
LOW = "-5,-0.50,-1234567890123456789.5000000000,0001-01-01,2026-01-01 10:00:00,2026-01-01 10:00:00.5,-1.5,false,a\n"
HIGH = "7,1200.10,1.0000000000,9999-12-31,2026-01-02 10:00:00.000001,2026-01-02 10:00:00,2.5,true,{}\n".format("ü" * 99)


def files_of(project: Project, table: str) -> tuple[set[str], set[str]]:
    """The Parquet files that stand in a table's folder, and those that its newest version consists of."""
    delta = project.table(table)
    assert delta is not None
    folder = project.path("tables", *table.split("."))
    there = {name for name in os.listdir(folder) if name.endswith(".parquet")}
    return there, {os.path.basename(path) for path in delta.file_uris()}


def columns_of(project: Project, table: str) -> set[str]:
    delta = project.table(table)
    assert delta is not None
    query = "SELECT name FROM parquet_schema(?)"
    return {name for path in delta.file_uris() for (name,) in duckdb.execute(query, [path]).fetchall()}


def test_statistics_are_those_of_the_rows(project: Project) -> None:
    project.feed("wide", WIDE)
    project.land("wide", "a.csv", NAMES + LOW + HIGH + "0,,,,,,,,\n")
    assert project.cli("run", "wide").feed["rows"]["inserted"] == 3
    for table in ("s.wide__staging", "s.wide"):
        delta = project.table(table)
        assert delta is not None
        log = os.path.join(delta.table_uri.removeprefix("file://"), "_delta_log")
        with open(os.path.join(log, f"{delta.version():020}.json"), encoding="utf-8") as commit:
            (add,) = [action["add"] for line in commit if "add" in (action := json.loads(line))]
        stats: dict[str, Any] = json.loads(add["stats"])
        assert stats["numRecords"] == 3
        low, high = stats["minValues"], stats["maxValues"]
        assert (low["id"], high["id"], low["d"], high["d"]) == (-5, 7, -0.5, 1200.1)
        assert (low["day"], high["day"]) == ("0001-01-01", "9999-12-31")
        moments = [datetime.fromisoformat(each[name]) for name in ("at", "plain") for each in (low, high)]
        assert [moment.isoformat() for moment in moments] == [
            "2026-01-01T10:00:00+00:00",
            "2026-01-02T10:00:00.001000+00:00",  # readers keep milliseconds, and the highest one is not below any row's
            "2026-01-01T10:00:00.500000",
            "2026-01-02T10:00:00",
        ]
        assert low["text"] == "a"
        assert {"f", "b", "text"}.isdisjoint(high)
        assert "big" not in low, "not every reader keeps so many digits"
        assert stats["nullCount"]["text"] == 1
    assert project.rows("s.wide", "id, big", "id")[0] == ("-5", "-1234567890123456789.5000000000")


@pytest.mark.parametrize(
    ("rows", "quarantined", "deduplicated"),
    [("3,c,2026-01-01\n", 0, 0), ("x,c,2026-01-01\n", 1, 0), ("1,c,2026-01-02\n", 0, 1), ('"3,c\n', 1, 0)],
    ids=["clean", "bad", "twice", "broken"],
)
def test_nothing_is_left_of_an_attempt(project: Project, rows: str, quarantined: int, deduplicated: int) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n" + rows)
    found = project.cli("run").feed["rows"]
    assert (found["read"], found["quarantined"], found["deduplicated"]) == (3, quarantined, deduplicated)
    there, named = files_of(project, "analytics.activity__staging")
    assert there == named
    assert ("(bytes)" in columns_of(project, "analytics.activity__staging")) is (quarantined + deduplicated == 0)


def test_uncommon_spellings_are_read_by_the_whole_law(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "+1,a,2026-01-01T10:00+02:00\n 2.0,b,2026-01-01\n")
    assert project.cli("run").feed["rows"]["inserted"] == 2
    assert project.rows("analytics.activity", "user_id, event_time") == [
        ("1", "2026-01-01 08:00:00+00"),
        ("2", "2026-01-01 00:00:00+00"),
    ]


@pytest.mark.parametrize("odd", ["", "x,bad,2026-01-01\n", '"open,1\n'], ids=["clean", "bad", "broken"])
def test_many_tiny_files(project: Project, odd: str) -> None:
    for number in range(20):
        rows = f"{number},e{number},2026-01-01\n" + (odd if number == 7 else "")
        project.land("activity", f"{number:02}.csv", HEADER + rows)
    feed = project.cli("run").feed
    assert (feed["rows"]["staged"], feed["rows"]["quarantined"]) == (20, int(bool(odd)))
    assert [file["rows_read"] for file in feed["files"]] == [2 if odd and number == 7 else 1 for number in range(20)]
    sources = project.rows("analytics.activity__staging", "user_id, parse_filename(_source_file)")
    assert sorted(sources) == sorted((str(number), f"{number:02}.csv") for number in range(20))
    there, named = files_of(project, "analytics.activity__staging")
    assert there == named

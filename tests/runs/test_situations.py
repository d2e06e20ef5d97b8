"""Situations from real life in which rows were lost, swapped or judged differently: what is then in the tables.

The feeds share runs. Values are as the readers' own tests have them; here the whole way is walked.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """A feed, the files that land for it, and what is then in its target and, as line and text, in its quarantine."""

    files: Mapping[str, bytes]
    rows: list[Row]
    bad: tuple[tuple[int, str], ...] = ()
    schema: str = "{id: bigint, name: string}"
    source: str = ""
    keys: str = "id"

    def text(self, name: str, suffix: str) -> str:
        return (
            f"feed: {name}\nsource: {{path: '${{landing}}/{name}/', format: {suffix}{self.source}}}\n"
            f"schema: {self.schema}\ntarget: {{table: s.{name}, keys: [{self.keys}]}}\nquarantine: {{all_bad: load}}\n"
        )


_LONG = 32_200_000
"""Bytes of a record that is shorter than the limit, and longer than what DuckDB takes."""
CSV = {
    "order_of_numbers": Situation(
        {"orders_10.csv": b"id,name\n1,new\n", "orders_9.csv": b"id,name\n1,old\n"},
        [("1", "new")],
        source=', files: "orders_{n}.csv", order_by: n',
    ),
    "column_from_folder": Situation(
        {"dt=2026-01-01/part.csv": b"id,name\n1,a\n", "dt=2026-01-02/part.csv": b"id,name\n1,b\n", "part.csv": b"?"},
        [("1", "a", "2026-01-01"), ("1", "b", "2026-01-02")],
        schema="{id: bigint, name: string, dt: {type: date, from_file: day}}",
        source=', files: "dt={day:yyyy-MM-dd}/*.csv"',
        keys="id, dt",
    ),
    "rowid_number": Situation(
        {"a.csv": b"id,rowid,n\n1,2,5\n2,0,x\n3,0,7\n4,2,zz\n5,1,1\n"},
        [("1", "2", "5"), ("3", "0", "7"), ("5", "1", "1")],
        ((3, "2,0,x"), (5, "4,2,zz")),
        "{id: bigint, rowid: bigint, n: int}",
    ),
    "rowid_text": Situation(
        {"a.csv": b"ROWID,name\nAAAB1,a\nAAAB1,b\nAAAB2,c\n"},
        [("AAAB1", "b"), ("AAAB2", "c")],
        schema="{rowid: string, name: string}",
        keys="rowid",
    ),
    "looks_the_same": Situation(
        {
            "a.csv": "id,größe,customer name\n1,XL,Anna\n".encode(),
            "b.csv": "id,gro\u0308ße,customer\u00a0name\n1,XXL,Anna B\n2,M,Bert\n".encode(),
        },
        [("1", "XXL", "Anna B"), ("2", "M", "Bert")],
        schema='{id: bigint, größe: string, name: {type: string, source_name: "customer  name"}}',
    ),
    "long_line": Situation(
        {"a.csv.gz": gzip.compress(b"id,name\n1,a\n2," + b"x" * _LONG + b"\n3,c\n")},
        [("1", "1"), ("2", str(_LONG)), ("3", "1")],
    ),
    "long_quoted": Situation(
        {"a.csv.gz": gzip.compress(b'id,name\n1,a\n2,"' + b"x" * (34 << 20) + b'"\n3,c\n')},
        [("1", "1"), ("3", "1")],
        ((3, '2,"xxx'),),
    ),
    "optional_part": Situation(
        {"a.csv": b"id,ts\n1,2026-01-01 00:00:00.123Z\n2,2026-01-01 00:00:00Z\n"},
        [("1", "2026-01-01 00:00:00.123+00"), ("2", "2026-01-01 00:00:00+00")],
        schema='{id: bigint, ts: {type: timestamp, format: "yyyy-MM-dd HH:mm:ss[.SSS]XXX"}}',
    ),
    "single_quote": Situation(
        {"a.csv": b"id,name\n1,'it''s'\n2,'a, b'\n3,'say \"hi\"'\n"},
        [("1", "it's"), ("2", "a, b"), ("3", 'say "hi"')],
        source=""", options: {quote: "'"}""",
    ),
    "blank_before_quote": Situation({"a.csv": b'id,name\n1, "A\n2,B"\n3,c\n'}, [("1", ' "A'), ("2", 'B"'), ("3", "c")]),
    "last_day": Situation(
        {"a.csv": b"id,ts\n1,9999-12-31T23:59:59Z\n2,9999-12-31 23:59:59\n3,0001-01-01T00:00:00Z\n4,0001-01-01\n"},
        [
            ("1", "9999-12-31 23:59:59+00"),
            ("2", "9999-12-31 23:59:59+00"),
            ("3", "0001-01-01 00:00:00+00"),
            ("4", "0001-01-01 00:00:00+00"),
        ],
        schema="{id: bigint, ts: timestamp}",
    ),
}
JSON = {
    "one_behind_another": Situation({"a.json": b'{"id":1,"name":"a"}{"id":2,"name":"b"}'}, [("1", "a"), ("2", "b")]),
    "epochs": Situation(
        {"a.json": b'{"id":1,"s":1735689600,"ms":1735689600123}\n'},
        [("1", "2025-01-01 00:00:00+00", "2025-01-01 00:00:00.123+00")],
        schema="{id: bigint, s: {type: timestamp, format: epoch_seconds}, ms: {type: timestamp, format: epoch_millis}}",
    ),
    "array_and_document": Situation(
        {
            "array.json": b'[\n  {"id": 1, "name": "a"},\n  {"id": 2, "name": "b"}\n]\n',
            "document.json": b'{\n  "id": 3,\n  "name": "c"\n}\n',
        },
        [("1", "a"), ("2", "b"), ("3", "c")],
    ),
    "control_byte": Situation(
        {"a.json": b'{"id":2,"name":"a\x01b"}\n{"id":3,"name":"c"}\n'}, [("3", "c")], ((1, '{"id":2,"name":"a\x01b"}'),)
    ),
    "carriage_returns": Situation(
        {"a.json": b'{"id":1,"name":"a"}\r{"id":2,"name":"b"}\r{"id":"x","name":"c"}\r'},
        [("1", "a"), ("2", "b")],
        ((3, '{"id":"x","name":"c"}'),),
    ),
    "key_twice": Situation({"a.json": b'{"id":1,"name":"first","name":"last"}\n'}, [("1", "last")]),
    "key_twice_within": Situation(
        {"a.json": b'{"id":1,"name":{"a":1,"a":2},"s":{"x":1,"x":2}}\n'},
        [("1", '{"a":2}', "{'x': 2}")],
        schema='{id: bigint, name: string, s: "struct<x:int>"}',
    ),
    "not_a_number": Situation(
        {"a.json": b'{"id":1,"v":NaN}\n{"id":2,"v":-Infinity}\n{"id":3,"v":1.5}\n'},
        [("1", "nan"), ("2", "-inf"), ("3", "1.5")],
        schema="{id: bigint, v: double}",
    ),
    "comma_before_a_bracket": Situation(
        {"a.json": b'{"id":1,"name":"a",}\n{"id":2,"name":"b"}\n'}, [("2", "b")], ((1, '{"id":1,"name":"a",}'),)
    ),
}
ALL = CSV | JSON
ABOVE = ("order_of_numbers", "column_from_folder", "rowid_number", "rowid_text", "looks_the_same", "optional_part")
"""Those in which files, headers, names or patterns are told apart: no part of an engine, or shown by other tests."""
READ = tuple(name for name in ALL if name not in ABOVE)
Loaded = tuple[Project, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def read(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(engine, os.fspath(tmp_path_factory.mktemp("read")), READ)


@pytest.fixture(scope="module")
def told_apart(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(engine, os.fspath(tmp_path_factory.mktemp("told_apart")), ABOVE)


def load(engine: str, folder: str, names: Sequence[str]) -> Loaded:
    """One run of situations, and what it said of each feed."""
    project = Project(folder, engine=engine)
    for name, situation in ((name, ALL[name]) for name in names):
        project.feed(name, situation.text(name, "csv" if name in CSV else "json"))
        for file, content in situation.files.items():
            project.land(name, file, content)
    result = project.cli("run")
    assert result.code == 0
    return project, {feed["feed"]: feed for feed in result.document["feeds"]}


def check(loaded: Loaded, name: str) -> None:
    """What is then in the tables."""
    (project, feeds), situation = loaded, ALL[name]
    columns = "id, length(name) AS n" if name.startswith("long_") else "*"
    assert project.rows(f"s.{name}", columns) == situation.rows
    bad = project.rows(f"s.{name}__quarantine", "_line, _record", order="_line")
    assert [int(line) for line, _ in bad] == [line for line, _ in situation.bad]
    assert all(text.startswith(start) for (_, text), (_, start) in zip(bad, situation.bad, strict=True))
    rows = feeds[name]["rows"]
    assert rows["read"] == rows["staged"] + rows["quarantined"] + rows["deduplicated"]
    assert rows["quarantined"] == len(situation.bad)


@pytest.mark.parametrize("name", READ)
def test_files_that_are_read(read: Loaded, name: str) -> None:
    check(read, name)


@pytest.mark.parametrize("name", ABOVE)
def test_files_columns_and_values_that_are_told_apart(told_apart: Loaded, name: str) -> None:
    check(told_apart, name)


def test_a_file_outside_of_the_folders_of_a_pattern_is_left(told_apart: Loaded) -> None:
    assert told_apart[0].files("landing/column_from_folder") == ["part.csv"]

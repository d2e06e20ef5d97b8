"""The engines give the same: random files, each other's tables, crashes, other writers, and no JVM without work."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from framework.engines.spark import SparkEngine
from framework.engines.spark import lines as spark_lines
from framework.engines.spark.lines import Lines
from framework.engines.spark.merging import Merging
from framework.engines.spark.paths import PathTables
from tests.law.test_records import PIECES
from tests.law.test_values import DOCUMENTS
from tests.support import ACTIVITY, HEADER, REPOSITORY, Crash, Project

pytestmark = pytest.mark.spark
RANDOM = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink an example costs minutes on Spark
)
"""Hypothesis begins with the simplest example, which says nothing about engines: tests refuse it with `assume`."""
QUARANTINE = "_source_file, _line, _record, _errors"
SOURCES = re.compile(r"/\S*/landing/")

BOM = b"\xef\xbb\xbf"
ANY = """\
feed: any
source: {{path: '${{landing}}/any/', format: csv, encoding: [{encoding}], options: {{{options}}}}}
schema:
  a: string
  b: {{type: string, required: true}}
target: {{table: s.any, keys: [a], null_keys: match}}
quarantine: {{all_bad: load}}
"""
TYPED = """\
feed: any
source: {path: '${landing}/any/', format: csv, timezone: Europe/Rome, null_values: ['', NA]}
schema:
  id: bigint
  small: tinyint
  money: {type: 'decimal(7,2)', min: -5, max: 50000}
  ratio: double
  single: float
  flag: boolean
  day: date
  at: timestamp
target: {table: s.any, keys: [id], sequence_by: at, audit_columns: false}
"""


def snapshot(project: Project, feed: dict[str, Any]) -> dict[str, Any]:
    """All that the engines must agree on, of one feed's report and tables; what a batch that was refused leaves
    in staging belongs to nobody."""
    name = f"s.{feed['feed']}"
    rows = project.rows(name, "*"), [] if feed["error"] else project.rows(f"{name}__staging", "*")
    staged = [tuple(SOURCES.sub("", str(value)) for value in row[:-2]) for row in rows[1]]
    bad = [
        tuple(SOURCES.sub("", str(value)) for value in row) for row in project.rows(f"{name}__quarantine", QUARANTINE)
    ]
    files = [
        (SOURCES.sub("", file["file"]), file["status"], file["rows_read"], file["reason"], str(file["reasons"]))
        for file in feed["files"]
    ]
    error = feed["error"] and (feed["error"]["code"], SOURCES.sub("", feed["error"]["message"]))
    figures = feed["status"], feed["rows"], sorted(files, key=str), error, feed["reasons"], feed["warnings"]
    return {
        "target": rows[0],
        "staging": None if error else sorted(staged),
        "quarantine": sorted(bad),
        "figures": figures,
    }


def compare(feed: str, days: Sequence[dict[str, bytes]], lines: bool = False) -> None:
    """Load the same files with both engines and compare after every day."""
    before = spark_lines.LINES_FROM
    with tempfile.TemporaryDirectory() as folder:
        projects = {engine: Project(f"{folder}/{engine}", engine=engine) for engine in ("embedded", "spark")}
        for day, files in enumerate(days):
            found = {}
            for engine, project in projects.items():
                project.feed("any", feed)
                for name, content in files.items():
                    project.land("any", f"{day}-{name}.csv", content)
                spark_lines.LINES_FROM = 1 if lines else before
                try:
                    result = project.cli("run")
                finally:
                    spark_lines.LINES_FROM = before
                found[engine] = {"code": result.code, **snapshot(project, result.feed)}
            assert found["spark"] == found["embedded"]


def compare_feeds(feeds: dict[str, tuple[str, dict[str, bytes]]]) -> dict[str, dict[str, Any]]:
    """Load several feeds (name → text after its first line, files) in one run of either engine; compare each."""
    found: dict[str, dict[str, Any]] = {}
    for engine in ("embedded", "spark"):
        with tempfile.TemporaryDirectory() as folder:
            project = Project(folder, engine=engine)
            for name, (text, files) in feeds.items():
                project.feed(name, f"feed: {name}\n{text}")
                for file, content in files.items():
                    project.land(name, file, content)
            reports = project.cli("run").document["feeds"]
            errors = {report["feed"]: report["error"] for report in reports if report["status"] == "failed"}
            assert errors == {}, engine
            found[engine] = {report["feed"]: snapshot(project, report) for report in reports}
            found[engine] |= {f"{name} left": dict.fromkeys(project.files(f"landing/{name}")) for name in feeds}
    for name, one in found["embedded"].items():
        for part, content in one.items():
            assert found["spark"][name][part] == content, (name, part)
    return found["embedded"]


def named(contents: Sequence[bytes]) -> dict[str, bytes]:
    return {f"{number:03}": content for number, content in enumerate(contents)}


FILES = st.lists(st.lists(PIECES, max_size=20).map(b"".join), min_size=20, max_size=40)


@pytest.mark.parametrize("lines", [pytest.param(False, marks=pytest.mark.torture), True])
def test_random_files(spark: Any, lines: bool) -> None:
    """Quotes, separators, line ends, ragged rows, bytes that are no UTF-8: with and without Spark reading the lines."""

    @RANDOM
    @given(FILES)
    def check(contents: list[bytes]) -> None:
        assume(len(set(contents)) > 10)
        feed = ANY.format(encoding="utf-8", options="")
        compare(feed, [named([b"a,b\n" + content for content in contents])], lines)

    check()


@pytest.mark.torture
@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16"])
def test_random_files_in_other_encodings(spark: Any, encoding: str) -> None:
    @settings(RANDOM, max_examples=1)
    @given(st.lists(st.lists(PIECES, max_size=20).map(b"".join), min_size=25, max_size=25))
    def check(contents: list[bytes]) -> None:
        assume(len(set(contents)) > 10)
        texts = ["a,b\n" + content.decode("iso-8859-1") + "é€" * (encoding != "iso-8859-1") for content in contents]
        compare(ANY.format(encoding=encoding, options=""), [named([t.encode(encoding, "ignore") for t in texts])])

    check()


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("sep: ';'", True),
        pytest.param('sep: "\\t", quote: "\'", escape: "\'"', True, marks=pytest.mark.torture),
        pytest.param("header: false", True, marks=pytest.mark.torture),
        pytest.param("escape: '\\'", False, marks=pytest.mark.torture),
        pytest.param("comment: '#'", False, marks=pytest.mark.torture),
    ],
)
def test_options(spark: Any, options: str, lines: bool) -> None:
    @settings(RANDOM, max_examples=1)
    @given(st.lists(st.lists(PIECES | st.sampled_from([b";", b"\t", b"'", b"\\", b"#"]), max_size=20), min_size=20))
    def check(pieces: list[list[bytes]]) -> None:
        assume(sum(map(len, pieces)) > 50)
        sep = next((each for each in (";", "\t") if each in options.replace("\\t", "\t")), ",")
        contents = [f"a{sep}b\n".encode() + b"".join(each).replace(b",", sep.encode()) for each in pieces]
        contents.append(f"a{sep}b\n1{sep}2\n".encode())
        compare(ANY.format(encoding="utf-8", options=options), [named(contents)], lines)

    check()


NUMBER = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "127",
        "128",
        "-129",
        "12.50",
        "12.345",
        "1e3",
        "1E-2",
        "0.1e1",
        "99999.99",
        "100000",
        "+7",
        "1_0",
        "٣",
        "NaN",
        "-Infinity",
    ]
)
TEXTS = NUMBER | st.sampled_from(["", " ", '""', "NA", "true", "No", "2026-02-29", "2024-02-29", "2026-03-29 02:30:00"])
TEXTS |= st.sampled_from(["2026-10-25T02:30", "2026-01-01T00:00:00.123456789Z", "2026-01-01 24:00:00", "0001-01-01"])
TEXTS |= st.sampled_from(["2026-01-31 10:00:00+02:00", "1", "2", "3", "x", " 5 ", "1.0", "1e400", "-5.01", "50000.01"])


@pytest.mark.parametrize("lines", [pytest.param(False, marks=pytest.mark.torture), True])
def test_random_values_over_days(spark: Any, compiled: None, lines: bool) -> None:
    """Types, duplicates, stale and unchanged rows: every figure, reason and value on two days."""

    @settings(RANDOM, max_examples=1)
    @given(st.lists(st.lists(st.tuples(*[TEXTS] * 8), min_size=80, max_size=120), min_size=2, max_size=2))
    def check(days: list[list[tuple[str, ...]]]) -> None:
        assume(len({text for rows in days for row in rows for text in row}) > 20)
        header = "id,small,money,ratio,single,flag,day,at\n"
        good = "".join(f"{number},1,1.5,0.1,0.1,y,2026-01-0{day},2026-01-0{day}\n" for number, day in SOUND)
        loads = [named([(header + good + "".join(map(line, rows))).encode()]) for rows in days]
        compare(TYPED, loads, lines)

    check()


SOUND = [(1, 1), (2, 3), (3, 2), (1, 2), (4, 1)]


def line(texts: tuple[str, ...]) -> str:
    return ",".join(texts) + "\n"


def test_lines_and_blocks(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that Spark splits: line numbers and the order within it are the file's."""
    monkeypatch.setattr(spark_lines, "LINES_FROM", 1)
    spark.conf.set("spark.sql.files.maxPartitionBytes", "4096")
    try:
        rows = [
            f"{number % 700},{'bad' if number % 333 == 0 else number},{'x' * (number % 50)}" for number in range(3000)
        ]
        text = "id,n,s\r\n" + "\r\n".join("" if number % 100 == 99 else row for number, row in enumerate(rows)) + "\r\n"
        feed = "feed: any\nsource: {path: '${landing}/any/', format: csv}\nschema: {id: int, n: int, s: string}\n"
        feed += "target: {table: s.any, keys: [id]}\n"
        compare(feed, [named([text.encode(), text.replace("x", "y").encode()])], True)
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")


def test_a_clean_file_is_read_once(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is written, as long as its records are lines."""

    def no_survey(self: Lines) -> set[int]:
        raise AssertionError("surveyed")

    monkeypatch.setattr(Lines, "survey", no_survey)
    contents = [
        b"a,b\n1,x\n2,y\n",
        BOM + b"a,b\r\n3,x\r\n",
        b"\n\nb,a\nx,4\n",
        b'"a", "b"\n5,"x, ""y"""\n'.replace(b", ", b",", 1),
        b"A,b\n1,z\n",
    ]
    compare(ANY.format(encoding="utf-8", options=""), [named(contents)], True)
    compare(ANY.format(encoding="utf-8", options="header: false"), [named([b"1,x\n\n2,y\n", b"3,y"])], True)


def test_files_that_a_first_look_gets_wrong(spark: Any) -> None:
    """Lines like the header further down; quotes over several lines; beside good files, and with bad rows."""
    odd = b'a,b\n1,x\na,b\n"2\n",y\n3\n'
    days = [[b"a,b\n1,x\na,b\n"], [b"a,b\n1,x\n2\n", b"a,b\n2,x\n3,y\n"], [b"a,b\n4,x\n", odd, b'a,b\n"\n",\n']]
    compare(ANY.format(encoding="utf-8", options=""), [named(files) for files in days], True)


def feed(name: str, source: str, schema: str, target: str = "keys: [id]", more: str = "", format_: str = "csv") -> str:
    return (
        f"source: {{path: '${{landing}}/{name}/', format: {format_}{source}}}\nschema: {schema}\n"
        f"target: {{table: s.{name}, {target}}}\n{more or LOAD_ALL}"
    )


LOAD_ALL = "quarantine: {all_bad: load}\n"
ROW = "{id: int, name: string, at: timestamp}"
WIDE = 300
CASES: dict[str, tuple[str, dict[str, bytes]]] = {
    "written": (
        feed("written", ", encoding: [utf-8, windows-1252], timezone: Asia/Kathmandu", ROW),
        {
            "bom.csv": BOM + b'"id",name,at\r\n1,"a ""b"" c",2026-01-01\r\n2,"",1985-12-31 23:50\r\n',
            "bom_twice.csv": BOM * 2 + b"id,name,at\n3,x,2026-01-01\n",
            "bom_only.csv": BOM,
            "bom_later.csv": b"id,name,at\n4," + BOM + b",\n" + BOM + b"5,y,\n",
            "header.csv": b"id,name,at",
            "header_lines.csv": b"\n\r\nid,name,at\r\n\r\n",
            "blank.csv": b"\n\n\r\n",
            "empty.csv": b"",
            "empty.csv.gz": gzip.compress(b""),
            "cut.csv.gz": gzip.compress(b"id,name,at\n" + b"".join(b"%d,x,\n" % n for n in range(999)))[:-9],
            "more.csv.gz": gzip.compress(b"id,name,at\n6,x,\n") + gzip.compress(b"7,y,\n7\n"),
            "latin.csv": "name,at,id\nfünf €,,8\n".encode("windows-1252"),
            "latin.csv.gz": gzip.compress('name,at,id\nü€,,9\n"ü\nö",,10\n'.encode("windows-1252")),
            "neither.csv": b"id,name,at\n11,\x81,\n12,ok,\n",
            "twice.csv": b"id,ID,name\n13,13,x\n",
            "unnamed.csv": b"id,,name\n14,?,x\n",
            "nokey.csv": b"name\nx\n",
            "nul.csv": b"id,name,at\n15,a\0b,\n\0" + b"16,x,\n17\0,y,\n",
            "wide.csv": ",".join(["id", *(f"c{n}" for n in range(WIDE)), "name"]).encode()
            + b"\n18"
            + b",x" * WIDE
            + b",wide\n19"
            + b",x" * (WIDE + 2)
            + b"\n20"
            + b"," * WIDE
            + b",\n",
            "quoted_lines.csv": b'id,name,at\n21,"a\r\n\n""b",\n22,"a\rb",2026-01-01\n"23\n",z,""\n',
            "ragged.csv": b"id,name,at\n24\n24,a\n24,a,,\n24,,\n,,\n",
        },
    ),
    "texts": (
        feed(
            "texts",
            ", null_values: ['', NULL, 'N/A', ' '], trim: true",
            "{id: int, name: {type: string, default: none, required: true}, code: {type: string, pattern: '^[A-Z]+$', "
            "accepted_values: [A, B, ÄB]}, n: {type: 'decimal(5,2)', default: 1.5, min: -1, max: 99}, "
            "d: {type: date, format: [dd.MM.yyyy, 'yyyyMMdd HH:mm'], default: 01.02.2026, min: 01.01.2000}}",
        ),
        {
            "a.csv": b"id,name,code,n,d\n"
            + "".join(
                f"{number},{name},{code},{n},{d}\n"
                for number, (name, code, n, d) in enumerate(
                    itertools.product(
                        ("NULL", '"NULL"', " null ", '" N/A "', '""', " ", "\u00a0"),
                        ("A", " B", "ÄB", "a", "C", '"N/A"'),
                        ("", "99.00", "99.01", "-1.0", "-1.01", "1e1", "NULL"),
                        ("", "31.12.1999", "20260101 24:00", "20260101 10:00", '"01.01.2000 "'),
                    )
                )
            ).encode(),
            "b.csv": b"id\n-1\n",
        },
    ),
    "limits": (
        feed("limits", "", "{id: int, name: string}", more="quarantine: {max_bad_rows: 2, max_bad_ratio: 0.5}\n"),
        {
            f"{good}{bad}{broken}.csv": b"id,name\n"
            + b"".join(b"%d%d,x\n" % (n, good) for n in range(good))
            + b"x,bad\n" * bad
            + b"7,too,many\n" * broken
            for good, bad, broken in itertools.product((0, 1, 3), (0, 1, 2, 3), (0, 1))
        },
    ),
    "fails": (
        feed("fails", "", "{id: int}", more="quarantine: {max_bad_rows: 0, on_exceed: fail}\n"),
        {"good.csv": b"id\n1\n", "worse.csv": b"id\nx\n"},
    ),
    "captured": (
        feed(
            "captured",
            ", files: '{place}_{day:yyyyMMdd}_{at:HHmm-ddMMyyyy}.csv*', order_by: day",
            "{id: int, v: string, place: {type: string, from_file: place, pattern: '^[^x]'}, "
            "day: {type: date, from_file: day}, at: {type: timestamp, from_file: at}}",
        ),
        {
            "ünï'\\_20260103_0000-01022026.csv": b"id,v\n1,third\n2,x\n",
            "a_20260101_2359-01022026.csv": b"id,v,place\n1,first,mine\n3,\n",
            "a_b_20260102_0100-29022024.csv.gz": gzip.compress(b"v,id\nsecond,1\nz,\n"),
            "x_20260104_0100-29022024.csv": b"id,v\n1,bad place\n",
            "a_20260230_0000-01022026.csv": b"id,v\n1,no such day\n",
        },
    ),
    "bare": (
        feed("bare", ", options: {header: false}, max_files_per_batch: 3", "{id: int, name: string}"),
        {
            "1.csv": BOM + b"1,x\n\n2,\n",
            "2.csv": b'"3","a\nb"\r\n4\r\n',
            "3.csv.gz": gzip.compress(b"5,z\n1,again\n,\n"),
            "4.csv": b"\n\n",
            "5.csv": b"6,x",
            "6.csv": b"6,x,y\n",
        },
    ),
    "strict": (
        feed(
            "strict",
            "",
            "{id: int, name: string}",
            more="schema_contract: {new_columns: reject_file, missing_columns: reject_file}\n",
        ),
        {
            "a.csv": b"id,name\n1,x\n",
            "b.csv": b"id\n2\n",
            "c.csv": b"name,id,new\nx,3,y\n",
            "d.csv": b" Name ,ID\ny,4\n",
        },
    ),
    "matching": (
        feed(
            "matching",
            ", timezone: Pacific/Apia",
            "{a: string, d: date, at: timestamp, v: double}",
            "keys: [a, d, at], null_keys: match, sequence_by: [v, d], audit_columns: false",
        ),
        {
            f"{number}.csv": b"a,d,at,v\n"
            + b"".join(
                f"{a},{d},{at},{number - 1}{v}\n".encode()
                for a, d, at, v in itertools.product(
                    ('""', "", "x"), ("", "2026-01-01"), ("", "2011-12-30 12:00"), (".0", "e1", "x")
                )
            )
            for number in (1, 2)
        },
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("written", "bare", "strict") else pytest.param(name, marks=pytest.mark.torture)
        for name in CASES
    ],
)
def test_every_way_to_write_and_to_read_files(spark: Any, name: str) -> None:
    """Marks, encodings, compression, nulls, defaults, formats, limits, captures, contracts: many files in a load."""
    found = compare_feeds({name: CASES[name]})
    rejected = name in ("written", "limits", "fails", "bare", "strict")
    assert found[name]["figures"][0] == ("rejected" if rejected else "succeeded")
    assert bool(found[f"{name} left"]) == (name in ("captured", "fails"))


RECORDS = "{id: bigint, text: string, n: 'decimal(20,3)', f: double, ok: boolean, at: timestamp, day: date, "
RECORDS += "list: 'array<int>', inner: 'struct<a:string,b:array<double>>', by_name: 'map<string,timestamp>'}"
MEMBERS = DOCUMENTS | st.sampled_from(
    [
        "2026-01-31",
        "2026-03-29T02:30:00",
        "yes",
        [1, "2", 3.0],
        {"a": "x", "b": [1.5, None]},
        {"x": "2026-01-01"},
        "\u0000",
    ]
)
NAMES = ["text", "n", "f", "ok", "at", "day", "list", "inner", "by_name", "TEXT", "other"]
OBJECTS = st.dictionaries(st.sampled_from(NAMES), MEMBERS, max_size=6)


@pytest.mark.parametrize("examples", [1, pytest.param(8, marks=pytest.mark.torture)])
def test_random_json(spark: Any, compiled: None, examples: int) -> None:
    """Records of any shape, good and bad, as JSON lines and as the fields of a CSV file."""

    @settings(RANDOM, max_examples=examples)
    @given(st.lists(OBJECTS, min_size=60, max_size=120), st.lists(PIECES, max_size=30).map(b"".join))
    def check(objects: list[dict[str, Any]], noise: bytes) -> None:
        assume(len({str(each) for each in objects}) > 20)
        lines = [json.dumps({"id": number, **each}).encode() for number, each in enumerate(objects)]
        half = len(lines) // 2
        broken = [
            b"",
            b"[]",
            b"1",
            b'{"id": 1',
            b'{"id": 1}{"id": 2}',
            b'{"id": 7e0}',
            b'{"id": 1, "id": 2}',
            b"\xff{}",
        ]
        rows = [",".join(["id", *NAMES[:-2]])]
        for number, each in enumerate(objects):
            fields = (json.dumps(each[name]).replace('"', '""') if name in each else "" for name in NAMES[:-2])
            rows.append(f"{number}," + ",".join(f'"{field}"' for field in fields))
        json_files = {
            "a.json": b"\n".join(lines[:half]),
            "b.json": BOM + b"\r\n".join(lines[half:] + broken) + b"\n" + noise,
            "c.json.gz": gzip.compress(b"\n".join(broken + lines[:3])),
            "d.json": b"\n\n",
        }
        zone = ", timezone: Europe/Rome"
        compare_feeds(
            {
                "lines": (feed("lines", zone, RECORDS, format_="json"), json_files),
                "fields": (feed("fields", zone, RECORDS), {"a.csv": "\n".join(rows).encode("utf-8", "replace")}),
            }
        )

    check()


def environments(project: Project) -> None:
    """The project can be run with `--env embedded` and `--env spark`."""
    with open(project.path("pipelines_config/environments/local.yml"), encoding="utf-8") as local:
        text = local.read()
    for engine in ("embedded", "spark"):
        project.write(f"pipelines_config/environments/{engine}.yml", re.sub("^engine: .*", f"engine: {engine}", text))


@pytest.mark.parametrize("first", ["embedded", pytest.param("spark", marks=pytest.mark.torture)])
def test_engines_take_turns(spark: Any, project: Project, first: str) -> None:
    """Each day another engine, with a schema that grows (also by a nested column) and quarantined rows: the tables
    are one, whoever made them."""
    environments(project)
    other = {"embedded": "spark", "spark": "embedded"}
    rows: dict[str, tuple[str, ...]] = {}
    more = "  note: string\n  deep: 'struct<a:int,b:array<string>>'\ntarget:"
    for day, engine in enumerate([first, other[first], other[first], first, other[first], first], 1):
        if day == 4:
            project.feed("activity", ACTIVITY.format(name="activity").replace("target:", more))
        header, added = HEADER.strip(), ""
        if day >= 4:
            header, added = f"{header},note,deep", f',n,"{{""a"": {day}, ""b"": [""x"", null]}}"'
        new = {"0": (f"day{day}",), str(day): (f"day{day}",)}
        lines = "".join(f"{key},day{day},2026-01-0{day}{added}\n" for key in new)
        project.land("activity", f"{day}.csv", f"{header}\n{lines}bad,x,2026-01-0{day}{added}\n")
        result = project.cli("--env", engine, "run")
        assert (result.code, result.feed["rows"]["quarantined"]) == (0, 1)
        assert (result.feed["rows"]["inserted"], result.feed["rows"]["updated"]) == ((2, 0) if day == 1 else (1, 1))
        rows |= new
        assert project.rows("analytics.activity", "user_id, event") == sorted(
            (key, *value) for key, value in rows.items()
        )
        assert len(project.rows("analytics.activity__quarantine")) == day
        assert project.cli("--env", other[engine], "run").document["status"] == "nothing_to_do"
    deep = [(str(key), f"{{'a': {key or 6}, 'b': [x, NULL]}}" if key in (0, 4, 5, 6) else None) for key in range(7)]
    assert project.rows("analytics.activity", "user_id, deep") == deep
    assert DeltaTable(project.path("tables/analytics/activity")).transaction_version("landfeed/activity") == 6


@pytest.mark.parametrize(
    ("property_", "words"),
    [
        ("delta.enableDeletionVectors", "deletion vectors"),
        pytest.param("delta.columnMapping.mode", "column mapping", marks=pytest.mark.torture),
    ],
)
def test_a_table_that_only_spark_can_write(spark: Any, project: Project, property_: str, words: str) -> None:
    environments(project)
    value = "name" if "mode" in property_ else "true"
    path = project.path("tables/analytics/activity")
    spark.sql(
        f"CREATE TABLE delta.`{path}` (user_id BIGINT, event STRING, event_time TIMESTAMP) USING delta "
        f"TBLPROPERTIES ('{property_}' = '{value}')"
    )
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, 'a', TIMESTAMP '2026-01-01 00:00:00')")
    project.land("activity", "1.csv", HEADER + "1,b,2026-01-02\n2,c,2026-01-01\n")
    refused = project.cli("--env", "embedded", "run")
    assert refused.code == 1
    assert os.listdir(project.path("tables/analytics")) == ["activity"]
    told = project.cli("--env", "embedded", "history").document["batches"]
    assert [batch["state"] for batch in told] == ["failed"]
    assert words in refused.feed["error"]["message"]
    assert "engine: spark" in refused.feed["error"]["hint"]
    assert spark.sql(f"SELECT event FROM delta.`{path}`").collect() == [("a",)]
    loaded = project.cli("--env", "spark", "run").feed["rows"]
    assert (loaded["inserted"], loaded["updated"]) == (1, 1)
    assert spark.sql(f"SELECT event FROM delta.`{path}` ORDER BY user_id").collect() == [("b",), ("c",)]


# Crashes


MOMENTS = [pytest.param(at, marks=pytest.mark.torture) for at in range(12)]
"""Before and after each of six writes; the conformance suite stops between any two commits."""


@pytest.mark.parametrize("at", MOMENTS)
def test_stopped_at_any_write_and_run_again(
    spark: Any, project: Project, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """A second day with good, bad and duplicate rows."""
    environments(project)
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n")
    project.cli("--env", "embedded", "run")
    project.land("activity", "2.csv", HEADER + "1,a2,2026-01-02\nx,bad,2026-01-02\n3,c,2026-01-02\n3,c2,2026-01-03\n")
    passed = 0

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal passed
            for moment in (0, 1):
                if passed == at:
                    raise Crash
                passed += 1
                if moment == 0:
                    result = function(*arguments, **options)
            return result

        return call

    for holder, name in (
        (PathTables, "overwrite"),
        (PathTables, "append"),
        (PathTables, "seal"),
        (Merging, "_merge"),
    ):
        monkeypatch.setattr(holder, name, around(getattr(holder, name)))
    with pytest.raises(Crash):
        project.cli("--env", "spark", "run")
    assert passed == at
    monkeypatch.undo()
    assert project.cli("--env", "spark", "run").code == 0
    assert project.rows("analytics.activity", "user_id, event") == [("1", "a2"), ("2", "b"), ("3", "c2")]
    assert [row[:1] for row in project.rows("analytics.activity__quarantine", "_record")] == [("x,bad,2026-01-02",)]
    figures = "rows_read, rows_staged, rows_quarantined, rows_deduplicated, inserted, updated, unchanged, stale"
    archived = [
        row for row in project.rows("_landfeed.batches", f"rows_quarantined, state, {figures}") if row[0] == "1"
    ]
    assert ("1", "archived", "4", "2", "1", "1", "1", "1", "0", "0") in archived
    assert project.files("landing") == []


@pytest.mark.torture
def test_another_writer_at_the_same_time(spark: Any, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each MERGE of the first three attempts meets a commit that came in between, and the load still ends well."""
    path = project.path("tables/analytics/activity")
    environments(project)
    project.land("activity", "1.csv", HEADER + "".join(f"{number},a,2026-01-01\n" for number in range(50)))
    project.cli("--env", "spark", "run")
    stop, commits = threading.Event(), 0

    def write() -> None:
        nonlocal commits
        while not stop.is_set():
            DeltaTable(path).update({"event": "'other'"}, predicate="user_id = 7")
            commits += 1

    writer = threading.Thread(target=write)
    retried: list[str] = []
    merge = SparkEngine.merge

    def counted(*arguments: Any) -> Any:
        try:
            return merge(*arguments)
        except Exception as error:
            retried.append(getattr(error, "code", str(error)))
            if len(retried) == 3:
                stop.set()
            raise

    monkeypatch.setattr(SparkEngine, "merge", counted)
    project.land("activity", "2.csv", HEADER + "".join(f"{number},b,2026-01-02\n" for number in range(60)))
    writer.start()
    try:
        result = project.cli("--env", "spark", "run")
    finally:
        stop.set()
        writer.join()
    assert retried
    assert set(retried) == {"conflict"}
    assert result.code == 0
    assert (result.feed["rows"]["inserted"], result.feed["rows"]["updated"]) == (10, 50)
    assert len(project.rows("analytics.activity")) == 60


def test_feeds_at_the_same_time(spark: Any, project: Project) -> None:
    """They share the session, and each ends in its own tables."""
    environments(project)
    names = [f"feed{number}" for number in range(4)]
    for number, name in enumerate(names):
        project.feed(name, ACTIVITY.format(name=name))
        project.land(name, "1.csv", HEADER + f"{number},{name},2026-01-01\nx,bad,2026-01-01\n")
    result = project.cli("--env", "spark", "run", *names, "--jobs", "4")
    assert (result.code, [feed["rows"]["inserted"] for feed in result.document["feeds"]]) == (0, [1] * 4)
    for number, name in enumerate(names):
        assert project.rows(f"analytics.{name}", "user_id, event") == [(str(number), name)]
        assert project.rows(f"analytics.{name}__quarantine", "_feed, _record") == [(name, "x,bad,2026-01-01")]
    running = [feed["seconds"]["stage"] + feed["seconds"]["merge"] for feed in result.document["feeds"]]
    assert sum(running) > result.document["seconds"], "they waited for each other"


# Without work there is no JVM, and without Spark a clear word


def without_java(project: Project, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command in a process whose Java is a program that fails."""
    project.write("bin/java", "#!/bin/sh\necho started >> " + project.path("started") + "\nexit 1\n")
    os.chmod(project.path("bin/java"), 0o700)
    return subprocess.run(
        [
            sys.executable,
            os.path.join(REPOSITORY, "runner.py"),
            "--config",
            project.path("pipelines_config"),
            *arguments,
        ],
        env={**os.environ, "JAVA_HOME": project.root, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.local_spark
def test_no_jvm_without_work(project: Project, spark: Any) -> None:
    environments(project)
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    project.cli("--env", "embedded", "run")
    commands = (["validate"], ["status"], ["run"], ["plan", "--sql"], ["stage"], ["merge"], ["archive"], ["plan"])
    for command in commands:
        result = without_java(project, "--env", "spark", *command)
        assert result.returncode == 0, result.stderr
    assert not os.path.exists(project.path("started"))
    project.land("activity", "2.csv", HEADER + "1,a,2026-01-01\n")
    failed = without_java(project, "--env", "spark", "--output", "json", "run")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "Spark did not start" in json.loads(failed.stdout)["feeds"][0]["error"]["message"]
    assert os.path.exists(project.path("started"))


@pytest.mark.local_spark
def test_without_java(project: Project) -> None:
    environments(project)
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    result = without_java(project, "--env", "spark", "run", JAVA_HOME="/nowhere")
    assert result.returncode == 1
    assert "needs Java 17" in result.stdout + result.stderr
    assert "openjdk-17-jre-headless" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_a_session_in_another_time_zone(spark: Any, project: Project) -> None:
    environments(project)
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    project.land("activity", "1.csv", HEADER + "1,a,2026-07-01 12:00:00\n")
    assert project.cli("--env", "spark", "run").code == 0
    assert project.rows("analytics.activity", "event_time") == [("2026-07-01 12:00:00+00",)]


NOWHERE = """\
<ivysettings>
  <settings defaultResolver="nowhere"/>
  <resolvers><filesystem name="nowhere"><artifact pattern="{folder}/[module].[ext]"/></filesystem></resolvers>
</ivysettings>
"""


@pytest.mark.local_spark
def test_without_the_jars(project: Project, spark: Any) -> None:
    """The place where Delta Lake's jars come from has none, and none have come before."""
    environments(project)
    project.write("conf/ivysettings.xml", NOWHERE.format(folder=project.path("nowhere")))
    settings = {"spark.jars.ivySettings": project.path("conf/ivysettings.xml"), "spark.jars.ivy": project.path("ivy")}
    project.write("conf/spark-defaults.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    with project.start("--env", "spark", "run", SPARK_CONF_DIR=project.path("conf")) as process:
        said, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    error = json.loads(said)["feeds"][0]["error"]
    assert error["message"].startswith("engine: spark needs Delta Lake's jars, and Maven Central")
    assert "~/.ivy2.5.2" in error["hint"]
    assert "Traceback" not in errors


@pytest.mark.local_spark
def test_a_jvm_that_is_killed(project: Project, spark: Any) -> None:
    """In the middle of a batch: a clear word, and the next run ends it."""
    environments(project)
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\nx,bad,2026-01-01\n1,b,2026-01-02\n")
    with project.start("--env", "spark", "run") as process:
        while not os.path.exists(project.path("tables/analytics/activity__staging")):
            assert process.poll() is None
            time.sleep(0.01)
        subprocess.run(["pkill", "-KILL", "-P", str(process.pid), "java"], check=True)
        said, errors = process.communicate(timeout=120)
    error = json.loads(said)["feeds"][0]["error"]
    assert (process.returncode, error["code"]) == (1, "engine")
    assert error["message"].endswith("Spark has ended during the run")
    assert "Traceback" not in errors
    assert project.cli("--env", "spark", "run").code == 0
    assert project.rows("analytics.activity", "user_id, event") == [("1", "b")]
    assert len(project.rows("analytics.activity__quarantine")) == 1
    assert project.files("landing") == []


# What Spark Connect and serverless do not have

FORBIDDEN = (
    r"sparkContext|\.rdd\b|_jvm|_jsc|\.cache\(|\.persist\(|checkpoint\(|GlobalTempView|hadoopConfiguration|conf\.set\("
)


def sources() -> Iterator[tuple[str, str]]:
    folder = os.path.join(REPOSITORY, "framework", "engines", "spark")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                yield name, source.read()


def test_only_calls_that_spark_connect_has() -> None:
    """Only the start of a local session may do more."""
    for name, source in sources():
        if name == "session.py":
            source = source[: source.index("def _start_local")] + source[source.index("def _no_connector") :]
            source = source.replace('conf.set("spark.sql.session.timeZone", "UTC")', "")  # which serverless allows
            source = source.replace("conf.set(*_MICROSECONDS)", "")  # which it may refuse
        assert re.findall(FORBIDDEN, source) == [], name
        assert "builder.config" not in source

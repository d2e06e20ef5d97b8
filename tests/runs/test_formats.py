"""Files of every format: good ones load with their values, and bad ones are rejected with their names and why."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from framework.infer import Sample, infer
from tests.support import Project
from tests.typed_files import A_ROW, ALL_TYPES, AVRO, ORC, PARQUET, WRITERS

pytestmark = pytest.mark.engines

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: {format}, timezone: Europe/Rome}}
schema: {schema}
quarantine: {{all_bad: load, table: s.{name}_bad}}
target: {{table: s.{name}, staging: s.{name}_staging, mode: append}}
"""
SAME = (
    "{id: bigint, small: int, f: float, d: double, b: boolean, text: string, day: {type: date, format: dd.MM.yyyy}, "
    'at: timestamp, plain: timestamp_ntz, amount: "decimal(10,2)", list: "array<int>", '
    'inner: "struct<x:int,day:date>", m: "map<string,int>"}'
)
OTHER = (
    '{id: "decimal(20,1)", small: bigint, f: double, d: "decimal(5,2)", b: string, day: timestamp, '
    'at: string, plain: timestamp, amount: double, list: string, inner: "struct<x:bigint,y:string>"}'
)
NOT = (
    '{id: bigint, small: boolean, d: int, text: int, day: int, at: timestamp_ntz, amount: "decimal(4,2)", '
    'list: "array<date>"}'
)
LAST = datetime(9999, 12, 31, tzinfo=UTC).replace(tzinfo=None)


def feed(name: str, format_: str, schema: str) -> str:
    return FEED.format(name=name, format=format_, schema=schema)


def test_values_come_with_their_types(project: Project) -> None:
    """… the same type passes, another one where nothing is lost, and else the value is bad."""
    for format_, writer in WRITERS.items():
        for name, schema in (("same", SAME), ("other", OTHER), ("not", NOT)):
            project.feed(f"{name}_{format_}", feed(f"{name}_{format_}", format_, schema))
            rows = [A_ROW, {"id": 2}] if name != "not" else [A_ROW]
            project.land(f"{name}_{format_}", f"a.{format_}", writer(ALL_TYPES, rows))
    found = project.cli("run").document["feeds"]
    assert [each["error"] for each in found] == [None] * len(found)
    for format_ in WRITERS:
        first, second = project.rows(f"s.same_{format_}", order="id")
        assert first == (
            "1", "-7", "0.5", "0.1", "true", 'a "b" ü\n', "2026-01-31", "2026-01-31 12:30:00.5+00",
            "2026-01-31 12:30:00", "1200.50", "[1, 2]", "{'x': 1, 'day': 2026-01-31}", "{k=1}",
        )  # fmt: skip
        assert second == ("2", *[None] * 12)
        assert project.rows(f"s.other_{format_}", order="id")[0] == (
            "1.0", "-7", "0.5", "0.10", "true", "2026-01-30 23:00:00+00", "2026-01-31 12:30:00.5+00",
            "2026-01-31 11:30:00+00", "1200.5", "[1,2]", "{'x': 1, 'y': NULL}",
        )  # fmt: skip
        ((line, record, errors),) = project.rows(f"s.not_{format_}_bad", "_line, _record, to_json(_errors)")
        assert (line, json.loads(record)["id"]) == ("1", 1)
        bad = {each["column"]: (each["code"], each["value"]) for each in json.loads(errors)}
        assert bad == {
            "small": ("bad_value", "-7"),
            "d": ("bad_value", "0.1"),
            "text": ("bad_value", 'a "b" ü\n'),
            "day": ("bad_value", "2026-01-31"),
            "at": ("bad_value", "2026-01-31 12:30:00.5+00"),
            "amount": ("bad_value", "1200.50"),
            "list": ("bad_value", "[1,2]"),
        }


@pytest.mark.rarely
def test_what_only_some_formats_have(project: Project) -> None:
    project.feed(
        "p",
        feed(
            "p",
            PARQUET,
            '{a: bigint, u: "decimal(20,0)", ns: timestamp, s: timestamp, e: string, f: string, bin: string}',
        ),
    )
    types = {
        "a": pa.uint32(), "u": pa.uint64(), "ns": pa.timestamp("ns", "UTC"), "s": pa.timestamp("s"),
        "e": pa.dictionary(pa.int8(), pa.string()), "f": "float", "bin": "binary",
    }  # fmt: skip
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    rows: list[dict[str, Any]] = [
        {
            "a": 1 << 31,
            "u": (1 << 64) - 1,
            "ns": moment,
            "s": moment.replace(tzinfo=None),
            "e": "x",
            "f": 0.1,
            "bin": b"ok",
        },
        {"a": 2, "bin": b"\xff"},
    ]
    project.land("p", "a.parquet", WRITERS[PARQUET](types, rows))
    old = {"a": "bigint", "s": pa.timestamp("us")}
    project.land(
        "p",
        "int96.parquet",
        WRITERS[PARQUET](old, [{"a": 3, "s": LAST}], use_deprecated_int96_timestamps=True),
    )
    project.feed("union", feed("union", AVRO, "{a: string, n: bigint, e: string, ns: timestamp}"))
    union = {
        "a": "string", "n": "int", "e": {"type": "enum", "name": "e", "symbols": ["X", "Y"]},
        "ns": {"type": "long", "logicalType": "timestamp-nanos"},
    }  # fmt: skip
    project.land(
        "union",
        "a.avro",
        WRITERS[AVRO](union, [{"a": "x", "n": 1, "e": "Y", "ns": 1_500_000_999}, {}], codec="deflate"),
    )
    project.cli("run")
    assert project.rows("s.p", order="a") == [
        ("2147483648", "18446744073709551615", "2026-07-01 12:00:00+00", "2026-07-01 10:00:00+00", "x", "0.1", "ok"),
        ("3", None, None, "9999-12-31 00:00:00+00", None, None, None),
    ]
    assert project.rows("s.p_bad", "_line, _record, _errors[1].code") == [
        ("2", '{"a":2,"u":null,"ns":null,"s":null,"e":null,"f":null,"bin":"\\\\xff"}', "malformed_record")
    ]
    assert project.rows("s.union", order="a") == [("x", "1", "Y", "1970-01-01 00:00:01.5+00"), (None,) * 4]


@pytest.mark.rarely
@pytest.mark.parametrize("format_", WRITERS)
def test_files_that_are_not_what_they_should_be(project: Project, format_: str) -> None:
    """Empty, torn at every tenth byte, under another name, with colliding names: rejected, each with why."""
    project.feed(
        "any",
        feed("any", format_, "{id: {type: bigint, source_name: id}, text: string}").replace(
            "mode: append", "keys: [id]"
        ),
    )
    good = WRITERS[format_](
        {"id": "bigint", "text": "string"}, [{"id": number, "text": "x" * number} for number in range(50)]
    )
    for tenth in range(10):
        project.land("any", f"torn{tenth}.{format_}", good[: len(good) * tenth // 10])
    for other in WRITERS:
        if other != format_:
            project.land("any", f"{other}.{format_}", WRITERS[other]({"id": "bigint"}, [{"id": 1}]))
    project.land("any", f"text.{format_}", b"id,text\n1,a\n")
    project.land("any", f"twice.{format_}", WRITERS[format_]({"id": "bigint", "ID": "bigint"}, [{"id": 1}]))
    project.land("any", f"no_key.{format_}", WRITERS[format_]({"text": "string"}, [{"text": "a"}]))
    wide = {"id": "bigint", **{f"c{number}": "string" for number in range(5000)}, "text": "string"}
    project.land("any", f"wide.{format_}", WRITERS[format_](wide, [{"id": 101, "text": "w"}]))
    project.land(
        "any",
        f"long.{format_}",
        WRITERS[format_]({"text": "string", "id": "bigint"}, [{"id": 102, "text": "ü" * (1 << 20)}]),
    )
    project.land("any", f"none.{format_}", WRITERS[format_]({"text": "string", "id": "bigint"}, []))
    result = project.cli("run", "any")
    assert result.feed["error"] is None
    reasons = {file["file"].rpartition("/")[2].partition(".")[0]: file["reason"] for file in result.feed["files"]}
    title = {PARQUET: "Parquet", AVRO: "Avro", ORC: "ORC"}
    assert "0 bytes" in reasons["torn0"]
    assert all(f"the file is not a complete {title[format_]} file" in reasons[f"torn{tenth}"] for tenth in range(1, 10))
    for other in set(WRITERS) - {format_}:
        assert reasons[other] == f"the file is no {format_} file but an? {title[other]} file".replace(
            "an?", "a" if other == PARQUET else "an"
        )
    assert reasons["text"] == f"the file is no {format_} file but text"
    assert "more than once, or in several spellings" in reasons["twice"]
    assert "there is no column 'id'" in reasons["no_key"]
    assert [reasons[name] for name in ("wide", "long", "none")] == [None] * 3
    assert (result.code, project.rows("s.any", "id, length(text)", "id")) == (3, [("101", "1"), ("102", str(1 << 20))])


@pytest.mark.embedded
def test_large_parquet_files_are_read_as_the_law_reads_them(project: Project) -> None:
    """DuckDB reads the one, the law the other, which has a field that DuckDB is not asked for."""
    types = {name: type_ for name, type_ in ALL_TYPES.items() if type_ not in ("list", "struct", "map")}
    types |= {"big": pa.uint64(), "old": pa.timestamp("ns"), "small": pa.int8()}
    rows = [
        {**A_ROW, "id": 1, "big": (1 << 64) - 1, "old": LAST.replace(year=2200), "d": 1e22, "f": 1e-7},
        {**A_ROW, "id": 2, "d": -0.0, "f": float("nan"), "at": datetime(1, 1, 1, tzinfo=UTC), "plain": LAST},
        {"id": 3, "d": float("-inf"), "f": 3.0, "small": -128},
        {"id": 4, "d": 1e15, "f": 16777216.0, "text": ""},
    ]
    texts = ", ".join(f"{name}: string" for name in types if name != "id")
    for name, more in (("duck", {}), ("law", {"t": pa.time32("s")})):
        schema = f"{{id: bigint, {texts}{', t: string' if more else ''}}}"
        project.feed(name, feed(name, PARQUET, schema))
        project.land(name, "a.parquet", WRITERS[PARQUET](types | more, rows))
        project.land(name, "b.parquet", WRITERS[PARQUET](types | more, [{"id": 5}]))
    assert project.cli("run", "duck", "law").code == 0
    listed = ", ".join(f'"{name}"' for name in types)
    assert project.rows("s.duck", listed) == project.rows("s.law", listed)
    assert len(project.rows("s.duck", listed)) == 5


@pytest.mark.embedded
@pytest.mark.parametrize("format_", WRITERS)
def test_a_feed_is_inferred_that_loads_a_sample(project: Project, format_: str) -> None:
    content = WRITERS[format_](ALL_TYPES, [{**A_ROW, "id": number} for number in range(3)])
    sample = Sample(f"orders.{format_}", lambda: io.BytesIO(content))
    project.feed("orders", infer([sample], name="orders").text)
    project.land("orders", f"orders.{format_}", content)
    feed = project.cli("run", "orders").feed
    assert (feed["error"], feed["rows"]["staged"], feed["rows"]["quarantined"]) == (None, 3, 0)

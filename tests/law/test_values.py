"""The value rules: one table for the law and for DuckDB, and random texts on which both must agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.law.dialects import DUCKDB
from framework.law.values import check_pattern, parse, typed
from framework.types import parse_type
from tests.law.spellings import PATTERNS, ZONES, differing, moments_by, spellings

TABLE: list[tuple[str, list[str], list[str]]] = [
    ("tinyint", ["127", "-128", "1.00"], ["128", "-129", "1.5"]),
    (
        "bigint",
        ["1", "+5", "12.0", " 7\t", "007", "-0", "9223372036854775807"],
        ["12.", "12.5", "1e3", "1_000", "1,000"],
    ),
    ("bigint", ["-9223372036854775808"], ["9223372036854775808", "0x1", "\u0661", "--1", "+"]),
    (
        "decimal(12,2)",
        ["1.230", "1e2", "1.5e2", "150e-2", "-0.00", "0e999", "00012.10", ".5", "5.", "-.5e1", "+5.e1"],
        ["1.239", "1505e-3", ".", "-.", ".e1", "e1", ".005"],
    ),
    ("decimal(12,2)", ["9999999999.99"], ["10000000000", "1e999", "1e-3", "NaN", "1e1000"]),
    ("decimal(38,10)", ["1234567890123456789012345678.1234567890"], ["12345678901234567890123456789"]),
    (
        "double",
        ["1", "NaN", "-infinity", "INFINITY", "1e-400", "0.1", ".5", "5.", "-.5E-1"],
        ["1e400", "inf", "+inf", "1_0", "", "."],
    ),
    ("float", ["16777217", "1.00000017881393432617187499", "1e-46", "0.1"], ["3.5e38", "1e39", "0.1E400", "-1e999"]),
    ("boolean", ["TRUE", "t", "F", "yes", "no", "Y", "n", "1", "0"], ["on", "2", "tru"]),
    ("date", ["2026-01-31", "2024-02-29", "0001-01-01", "9999-12-31"], ["2026-02-30", "2023-02-29", "0000-01-01"]),
    ("date", [" 2026-01-31 "], ["infinity", "epoch", "2026-1-1", "20260131", "2026-01-31 00:00:00"]),
    (
        "timestamp",
        ["2026-01-01", "2026-01-01 10:11", "2026-01-01T10:11:12.123456789", "2026-01-01T10:11Z"],
        ["2026-01-01Z"],
    ),
    (
        "timestamp",
        ["2026-01-01T10:11:12+02:00", "2026-01-01T10:11:12-18:00", "2026-01-01 10:11 UTC", "2026-01-01 10:11:12 +0230"],
        ["2026-01-01T10:11:12-18:01", "infinity", "2026-01-01 10:11  Z", "2026-01-01 10:11 utc", "2026-01-01 10:11+2"],
    ),
    (
        "timestamp",
        ["2026-01-01T10:11:12+02", "2026-01-01 10:11:12.5-0030", "2026-01-01T10:11UTC", "2026-01-01 10:11 -18"],
        [
            "2026-01-01 UTC",
            "2026-01-01 10:11+02:",
            "2026-01-01 10:11+020",
            "2026-01-01 10:11 -19",
            "2026-01-01 10:11 GMT",
        ],
    ),
    (
        "timestamp",
        ["0001-01-01T00:00:00Z", "9999-12-31 23:59:59.999999 UTC", "9999-12-31T23:59:59.9999999+00:00"],
        ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-12-31T23:59:59-18:00"],
    ),
    (
        "timestamp_ntz",
        [
            "2026-01-01",
            "2026-03-29 02:30:00",
            "2026-01-01T10:11:12.123456789",
            "0001-01-01",
            "9999-12-31 23:59:59.999999",
        ],
        ["2026-01-01 10:11Z", "2026-01-01 10:11+02", "2026-02-30", "0000-01-01", "2026-01-01 24:00"],
    ),
    (
        "array<int>",
        ["[]", '[1, null, "2", 3.0, ""]', " [ ] "],
        ["[1.5]", "{}", "null", "1", "[1", "", "[[1]]", "[true]"],
    ),
    ("array<string>", ['["a", 1.50, true, {"x": 1.10}, [1, "2"], 1e5]'], ['["a"']),
    ("array<array<decimal(38,20)>>", ["[[123456789012345678.12345678901234567890], [], null]"], ["[[1e30]]"]),
    (
        "struct<a:int,b c:string>".replace("b c", "`b c`"),
        ['{"a": 1, "b c": "\u00fc\\""}', "{}", '{"b c": 1.500, "z": 9}', '{"a": ""}', '{"a": 1, "a": 2}'],
        ['{"a": "x"}', "[]", '{"a": {}}', '"a"'],
    ),
    ("struct<s:struct<n:array<boolean>>>", ['{"s": {"n": [true, "no", 0]}}', '{"s": null}'], ['{"s": {"n": [2]}}']),
    ("map<string,int>", ['{"x": 1, "y\\"z": null}', "{}"], ['{"x": "a"}', "[]"]),
    ("map<int,array<date>>", ['{"1": ["2026-01-31"], "+2": []}'], ['{"1": [], "1.0": []}', '{"": []}', '{"x": []}']),
    ("timestamp", ["2026-03-29 02:30:00", "2026-10-25 02:30:00"], ["2026-01-01 24:00:00", "2026-01-01 23:59:60"]),
]


def by_duckdb(
    texts: Sequence[str], type_: str, formats: Sequence[str] = (), zone: str = "UTC", *, usual_only: bool = False
) -> list[Any]:
    expression = typed("x", parse_type(type_), formats=formats, zone=zone, dialect=DUCKDB, usual_only=usual_only)
    if type_.startswith("timestamp"):
        expression = f"epoch_us({expression})"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = f"SELECT {expression} FROM (SELECT unnest(?::VARCHAR[]) AS x)"
        return [value for (value,) in connection.execute(query, [list(texts)]).fetchall()]


def by_law(text: str, type_: str, formats: Sequence[str] = (), zone: str = "UTC") -> Any:
    try:
        value = parse(text, parse_type(type_), formats=formats, zone=zone)
    except ValueError:
        return None
    return micros(value) if isinstance(value, datetime) else value


def micros(moment: datetime) -> int:
    """Microseconds since 1970; a moment without a zone counts as UTC."""
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(("type_", "good", "bad"), TABLE)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome", "Australia/Lord_Howe"])
def test_the_table(type_: str, good: list[str], bad: list[str], zone: str) -> None:
    assert [by_law(text, type_, zone=zone) for text in bad] == [None] * len(bad)
    assert None not in [by_law(text, type_, zone=zone) for text in good]
    expected = [repr(by_law(text, type_, zone=zone)) for text in good + bad]
    assert [repr(value) for value in by_duckdb(good + bad, type_, zone=zone)] == expected


def test_clock_changes_count_as_in_java() -> None:
    """A skipped time goes on with the old offset, a repeated one is the first of the two."""
    skipped, repeated = "2026-03-29 02:30:00", "2026-10-25 02:30:00"
    rome = "Europe/Rome"
    assert parse(skipped, parse_type("timestamp"), zone=rome) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert parse(repeated, parse_type("timestamp"), zone=rome) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


AT_THE_END_OF_TIME = ("9999-12-31 22:10", ["yyyy-MM-dd HH:mm", "yyyy-MM-dd mm:HH"], "America/New_York")
"""By the first format the moment is past the year 9999, by the second it is not."""


def test_the_first_format_that_gives_a_value_counts() -> None:
    text, formats, zone = AT_THE_END_OF_TIME
    expected = by_law(text, "timestamp", formats, zone)
    assert expected is not None
    assert by_law(text, "timestamp", formats[:1], zone) is None
    assert by_duckdb([text], "timestamp", formats, zone) == [expected]


NUMBERS = st.from_regex(r"[ ]?[+-]?[0-9_]{0,20}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,4})?[ \t]?", fullmatch=True)
MOMENTS = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{0,10})?)?)?"
    r"(Z|[+-][0-2][0-9]:?[0-6][0-9])?",
    fullmatch=True,
)
OTHER = st.text(alphabet="0123456789-+.eE:TZ _aAtrufyesnoNI\t\u0661", max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(NUMBERS | MOMENTS | OTHER, min_size=20, max_size=60), st.sampled_from(sorted({row[0] for row in TABLE}))
)
def test_random_texts(texts: list[str], type_: str) -> None:
    """Law and engine accept and reject the same, with the same value."""
    expected = [repr(by_law(text, type_, zone="Europe/Rome")) for text in texts]
    assert [repr(value) for value in by_duckdb(texts, type_, zone="Europe/Rome")] == expected


SCALARS = sorted({type_ for type_, _, _ in TABLE if "<" not in type_})
MORE = ("smallint", "int", "decimal(5,0)", "decimal(18,2)", "decimal(38,38)")


@pytest.mark.parametrize("type_", [*SCALARS, *MORE])
def test_spellings(type_: str) -> None:
    """Thousands of texts at the borders of a type, as its usual spelling and as others."""

    @settings(max_examples=2, deadline=None)
    @given(st.integers(0, 1 << 32))
    def check(seed: int) -> None:
        texts = spellings(seed, type_, 1000)
        for zone in ZONES if type_ == "timestamp" else ZONES[:1]:
            expected = [by_law(text, type_, zone=zone) for text in texts]
            assert differing(texts, by_duckdb(texts, type_, zone=zone), expected) == [], zone
            usual = by_duckdb(texts, type_, zone=zone, usual_only=True)
            hidden = [None if value is None else right for value, right in zip(usual, expected, strict=True)]
            assert differing(texts, usual, hidden) == [], zone

    check()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_random_patterns(pattern: str) -> None:
    """Texts that follow a pattern, and nearly, in every zone. A date by a pattern with a time needs a real time."""

    @settings(max_examples=2, deadline=None)
    @given(st.integers(0, 1 << 32))
    def check(seed: int) -> None:
        texts = moments_by(seed, pattern, 150)
        ways = [("timestamp", zone) for zone in ZONES] + [("date", "UTC"), ("timestamp_ntz", "UTC")]
        for type_, zone in ways:
            expected = [by_law(text, type_, [pattern], zone=zone) for text in texts]
            assert differing(texts, by_duckdb(texts, type_, [pattern], zone=zone), expected) == [], (type_, zone)

    check()


SHAPES = st.recursive(
    st.sampled_from(["string", "int", "decimal(38,10)", "boolean", "date"]),
    lambda inner: (
        st.builds("array<{}>".format, inner)
        | st.builds("map<string,{}>".format, inner)
        | st.builds("struct<a:{},`b'c`:{}>".format, inner, inner)
    ),
    max_leaves=4,
).filter(lambda type_: "<" in type_)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.sampled_from(["", " ", "1", "x", "2026-01-31", 'ü"\\/']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b'c", "", "~/", '"']), inner),
    max_leaves=8,
)
RAW_NUMBERS = st.sampled_from(["1.50", "12345678901234567890.0123456789", "1e2", "-0.0", "0.10"])


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.lists(st.tuples(DOCUMENTS, RAW_NUMBERS), min_size=5, max_size=12))
def test_random_documents(type_: str, documents: list[tuple[Any, str]]) -> None:
    """The same for JSON of any shape; numbers are taken as they are written."""
    texts = [json.dumps(document).replace("1180591620717411303424", number) for document, number in documents]
    texts += [f"[{number}]" for _, number in documents] + [f'{{"a": {number}}}' for _, number in documents]
    expected = [repr(by_law(text, type_)) for text in texts]
    assert [repr(value) for value in by_duckdb(texts, type_)] == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("dd.MM.yyyy", "31.01.2026", date(2026, 1, 31)),
        ("d.M.yyyy", "1.2.2026", date(2026, 2, 1)),
        ("dd.MM.yyyy", "31.02.2026", None),
        ("MMM d, yyyy", "Jan 5, 2026", date(2026, 1, 5)),
        ("dd MMMM yyyy", "05 March 2026", date(2026, 3, 5)),
        ("yyMMdd", "260131", date(2026, 1, 31)),
        ("dd-MMM-yy", "05-JAN-90", date(2090, 1, 5)),
        ("dd MMMM yyyy", "05 mARCH 2026", date(2026, 3, 5)),
        ("dd MMMM yyyy", "05 Mar 2026", None),
        ("yyyy-MM-dd[ HH:mm]", "2026-01-31", date(2026, 1, 31)),
        ("yyyy-MM-dd[ HH:mm]", "2026-01-31 24:00", None),
        ("epoch_seconds", "-1", date(1969, 12, 31)),
        ("yyyy'T'MM''dd", "2026T01'31", date(2026, 1, 31)),
        ("yyyy-MM-dd", "2026-01-31x", None),
    ],
)
def test_date_patterns(pattern: str, text: str, expected: date | None) -> None:
    assert by_law(text, "date", [pattern]) == expected
    assert by_duckdb([text], "date", [pattern]) == [expected]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("dd/MM/yyyy hh:mm a", "31/01/2026 12:05 AM", "2026-01-31T00:05:00+00:00"),
        ("dd/MM/yyyy hh:mm a", "31/01/2026 13:05 AM", None),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-31T10:11:12.345+02:00", "2026-01-31T08:11:12.345000+00:00"),
        ("yyyyMMddHHmmssZ", "20260131101112+0230", "2026-01-31T07:41:12+00:00"),
        ("yyyy/MM/dd H:m", "2026/01/31 7:5", "2026-01-31T07:05:00+00:00"),
        ("yyyy-MM-dd HH:mm:ss[.SSS]XXX", "2025-01-01 00:00:00Z", "2025-01-01T00:00:00+00:00"),
        ("yyyy-MM-dd HH:mm:ss[.SSS]XXX", "2025-01-01 00:00:00.123+01:00", "2024-12-31T23:00:00.123000+00:00"),
        ("yyyy-MM-dd HH:mm:ss[.SSS]XXX", "2025-01-01 00:00:00[.123]Z", None),
        ("yyyy-MM-dd[ hh:mm a]", "2025-01-01", "2025-01-01T00:00:00+00:00"),
        ("yyyy-MM-dd[ hh:mm a]", "2025-01-01 01:05 pM", "2025-01-01T13:05:00+00:00"),
        ("yyyy-MM-dd HH:mm[ X]", "2025-07-01 12:00", "2025-07-01T12:00:00+00:00"),
        ("yyyy-MM-dd HH:mm[ X]", "2025-07-01 12:00 +0530", "2025-07-01T06:30:00+00:00"),
        ("yyyy-MM-dd HH:mm X", "2025-07-01 12:00 -08", "2025-07-01T20:00:00+00:00"),
        ("yyyy-MM-dd HH:mm XX", "2025-07-01 12:00 Z", "2025-07-01T12:00:00+00:00"),
        ("yyyy-MM-dd HH:mm XX", "2025-07-01 12:00 -08", None),
        ("yyyy-MM-dd HH:mm x", "2025-07-01 12:00 Z", None),
        ("yyyy-MM-dd HH:mm x", "2025-07-01 12:00 +02", "2025-07-01T10:00:00+00:00"),
        ("yyyy-MM-dd HH:mm z", "2025-07-01 12:00 CEST", "2025-07-01T10:00:00+00:00"),
        ("yyyy-MM-dd HH:mm z", "2025-07-01 12:00 EST", "2025-07-01T17:00:00+00:00"),
        ("yyyy-MM-dd HH:mm z", "2025-07-01 12:00 IST", None),
        ("yyyy-MM-dd HH:mm VV", "2025-07-01 12:00 Europe/Rome", "2025-07-01T10:00:00+00:00"),
        ("yyyy-MM-dd HH:mm VV", "2025-07-01 12:00 +02:00", "2025-07-01T10:00:00+00:00"),
        ("yyyy-MM-dd HH:mm VV", "2025-07-01 12:00 Europe/Nowhere", None),
        ("yyyy-MM-dd HH:mm Z", "2025-07-01 12:00 Z", None),
        ("dd-MMM-yy HH.mm.ss.SSSSSS", "05-JAN-26 01.02.03.4", None),
        ("dd-MMM-yy hh.mm.ss.SSSSSS a", "05-JAN-26 01.02.03.000004 PM", "2026-01-05T13:02:03.000004+00:00"),
        ("epoch_seconds", "1735689600", "2025-01-01T00:00:00+00:00"),
        ("epoch_seconds", "1735689600.1234567", "2025-01-01T00:00:00.123456+00:00"),
        ("epoch_millis", "1735689600123", "2025-01-01T00:00:00.123000+00:00"),
        ("epoch_micros", "-1", "1969-12-31T23:59:59.999999+00:00"),
        ("epoch_nanos", "1735689600123456789", "2025-01-01T00:00:00.123456+00:00"),
        ("epoch_nanos", "999", "1970-01-01T00:00:00+00:00"),
        ("epoch_seconds", "253402300799.999999", "9999-12-31T23:59:59.999999+00:00"),
        ("epoch_seconds", "253402300800", None),
        ("epoch_seconds", "1e9", None),
        ("epoch_millis", "999999999999999999999", None),
    ],
)
def test_timestamp_patterns(pattern: str, text: str, expected: str | None) -> None:
    micros = None
    if expected is not None:
        micros = (datetime.fromisoformat(expected) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert by_law(text, "timestamp", [pattern]) == micros
    assert by_duckdb([text], "timestamp", [pattern]) == [micros]


def test_the_first_pattern_that_fits_counts() -> None:
    assert by_duckdb(["2026-01-02", "02.01.2026"], "date", ["yyyy-MM-dd", "dd.MM.yyyy"]) == [date(2026, 1, 2)] * 2


@pytest.mark.parametrize(
    "pattern",
    [
        *("yyyy-MM-DD", "yyyy", "yyyy-MM-dd hh", "yyyy-MM-dd 'open", "yyyy-MM-dd dd", "yyyy-MM[-dd]"),
        *("yyyy-MM-dd [HH", "yyyy-MM-dd HH]", "yyyy-MM-dd HH:mm X VV", "epoch_days", "yyyy-MM-dd e"),
    ],
)
def test_patterns_that_are_wrong(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        check_pattern(pattern)

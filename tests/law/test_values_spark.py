"""The value rules on Spark: the same table and the same random texts as for the law and for DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from framework.law.dialects import SPARK
from framework.law.values import typed
from framework.types import parse_type
from tests.law.spellings import PATTERNS, ZONES, differing, moments_by, spellings
from tests.law.test_values import AT_THE_END_OF_TIME, MOMENTS, MORE, NUMBERS, OTHER, SCALARS, TABLE, by_law, micros

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("compiled")]


def by_spark(spark: Any, texts: Sequence[str], type_: str, formats: Sequence[str] = (), zone: str = "UTC") -> list[Any]:
    expression = typed("x", parse_type(type_), formats=formats, zone=zone, dialect=SPARK)
    if type_ == "timestamp":
        expression = f"unix_micros({expression})"
    frame = spark.createDataFrame([(text,) for text in texts], "x string")
    return [_plain(row[0]) for row in frame.selectExpr(f"{expression} AS value").collect()]


def _plain(value: Any) -> Any:
    return micros(value) if isinstance(value, datetime) else value


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome"])
def test_the_table(spark: Any, zone: str) -> None:
    for type_ in SCALARS:
        texts = [text for each, good, bad in TABLE if each == type_ for text in good + bad]
        expected = [repr(by_law(text, type_, zone=zone)) for text in texts]
        assert [repr(value) for value in by_spark(spark, texts, type_, zone=zone)] == expected, type_


SEED = settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
Way = tuple[str, tuple[str, ...], str]
"""A type, formats, a zone."""


def several_by_spark(spark: Any, texts: Sequence[str], ways: Sequence[Way]) -> dict[Way, list[Any]]:
    """The values of the texts in each of several ways (type, formats, zone), by one query."""
    expressions = []
    for type_, formats, zone in ways:
        value = typed("x", parse_type(type_), formats=formats, zone=zone, dialect=SPARK)
        expressions.append(f"unix_micros({value})" if type_ == "timestamp" else value)
    frame = spark.createDataFrame([(text,) for text in texts], "x string")
    found = frame.selectExpr(*(f"{value} AS v{index}" for index, value in enumerate(expressions))).collect()
    return {way: [_plain(row[index]) for row in found] for index, way in enumerate(ways)}


@pytest.mark.parametrize("type_", [*SCALARS, *MORE])
def test_spellings(spark: Any, type_: str) -> None:
    """Thousands of texts at the borders of a type, as its usual spelling and as others."""

    @SEED
    @given(st.integers(0, 1 << 32))
    def check(seed: int) -> None:
        assume(seed)  # 0 comes first, in every run
        texts = spellings(seed, type_, 2000)
        ways: list[Way] = [(type_, (), zone) for zone in (ZONES if type_ == "timestamp" else ZONES[:1])]
        for (_, _, zone), found in several_by_spark(spark, texts, ways).items():
            assert differing(texts, found, [by_law(text, type_, zone=zone) for text in texts]) == [], zone

    check()


@pytest.mark.parametrize("type_", ["date", "timestamp", "timestamp_ntz"])
def test_random_patterns(spark: Any, type_: str) -> None:
    """Texts that follow a pattern, and nearly, or another pattern."""

    @SEED
    @given(st.integers(0, 1 << 32))
    def check(seed: int) -> None:
        assume(seed)  # 0 comes first, in every run
        texts = [text for number, each in enumerate(PATTERNS) for text in moments_by(seed + number, each, 200)]
        ways: list[Way] = [(type_, (pattern,), ZONES[number % len(ZONES)]) for number, pattern in enumerate(PATTERNS)]
        ways.append((type_, PATTERNS, "Asia/Kathmandu"))
        for (_, formats, zone), found in several_by_spark(spark, texts, ways).items():
            expected = [by_law(text, type_, formats, zone) for text in texts]
            assert differing(texts, found, expected) == [], formats

    check()


def test_clock_changes(spark: Any) -> None:
    texts = [f"2026-{day} {hour:02}:30:00" for day in ("03-29", "10-25") for hour in range(5)]
    expected = [by_law(text, "timestamp", zone="Europe/Rome") for text in texts]
    assert by_spark(spark, texts, "timestamp", zone="Europe/Rome") == expected


def test_the_first_format_that_gives_a_value_counts(spark: Any) -> None:
    text, formats, zone = AT_THE_END_OF_TIME
    assert by_spark(spark, [text], "timestamp", formats, zone) == [by_law(text, "timestamp", formats, zone)]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(NUMBERS | MOMENTS | OTHER, min_size=20, max_size=60), st.sampled_from(SCALARS))
def test_random_texts(spark: Any, texts: list[str], type_: str) -> None:
    expected = [repr(by_law(text, type_, zone="Europe/Rome")) for text in texts]
    assert [repr(value) for value in by_spark(spark, texts, type_, zone="Europe/Rome")] == expected


@pytest.mark.parametrize(
    ("type_", "pattern", "texts"),
    [
        ("date", "dd.MM.yyyy", ["31.01.2026", "31.02.2026", "1.1.2026", "00.01.2026"]),
        ("date", "MMM d, yyyy", ["Jan 5, 2026", "jan 5, 2026", "January 5, 2026"]),
        ("date", "yyMMdd", ["260131", "991231"]),
        ("timestamp", "dd/MM/yyyy hh:mm a", ["31/01/2026 12:05 AM", "31/01/2026 12:05 pm", "31/01/2026 13:05 AM"]),
        ("timestamp", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", ["2026-01-31T10:11:12.345+02:00", "2026-01-31T10:11:12.345Z"]),
        ("timestamp", "yyyyMMddHHmmssZ", ["20260131101112+0230", "20260131101112+1900"]),
        ("timestamp", "yyyy/MM/dd H:m", ["2026/01/31 7:5", "2026/01/31 24:00"]),
    ],
)
def test_patterns(spark: Any, type_: str, pattern: str, texts: list[str]) -> None:
    expected = [by_law(text, type_, [pattern]) for text in texts]
    assert by_spark(spark, texts, type_, [pattern]) == expected


def test_trimmed(spark: Any) -> None:
    texts = [" a b \t", "\r\nx", "\u00a0y\u00a0", ""]
    frame = spark.createDataFrame([(text,) for text in texts], "x string")
    found = [row[0] for row in frame.selectExpr(SPARK.trimmed("x")).collect()]
    assert found == [text.strip(" \t\r\n") for text in texts]


def test_moments_are_instants(spark: Any) -> None:
    """The session's zone has no say."""
    (value,) = by_spark(spark, ["2026-01-31T10:11:12.345678999+02:00"], "timestamp")
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value) == datetime(
        2026, 1, 31, 8, 11, 12, 345678, tzinfo=UTC
    )

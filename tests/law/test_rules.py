"""Every rule that a row can break, asked of DuckDB for one text at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from framework.feed import Column, Feed, NullKeys
from framework.law.dialects import DUCKDB, SPARK
from framework.law.rules import error_list, row_rules, text_of, value_of
from tests.feeds import column, made_feed

Row = tuple[Any, list[tuple[str, str | None, str]]]


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def ask(db: duckdb.DuckDBPyConnection, feed: Feed, field: str | None, *, there: bool = True) -> Row:
    """The first column's value for this field (None = empty and unquoted), and what is wrong: code, text, message."""
    first = feed.columns[0]
    values = {each.name: f"v.v{number}" for number, each in enumerate(feed.columns)}
    text = text_of(first, "f", feed, DUCKDB)
    value = value_of(first, "t" if there else "NULL", feed, DUCKDB)
    others = "".join(f", NULL AS v{number}" for number in range(1, len(feed.columns)))
    rules = list(row_rules(feed, {first.name: "t"} if there else {}, values, DUCKDB))
    errors = error_list([rule for rule in rules if rule.column == first.name], DUCKDB)
    raw = "NULL" if field is None else DUCKDB.text(field)
    query = f"""
        SELECT v0, {errors} FROM (
          SELECT *, {value} AS v0{others} FROM (SELECT {text} AS t FROM (SELECT CAST({raw} AS VARCHAR) AS f)))
        AS v"""
    row = db.execute(query).fetchone()
    assert row is not None
    return row[0], [(each["code"], each["value"], each["message"]) for each in row[1]]


def of(first: Column, **feed: Any) -> Feed:
    return made_feed(first, column("other"), **{"target": {"keys": ("other",)}} | feed)


def codes(db: duckdb.DuckDBPyConnection, feed: Feed, field: str | None, *, there: bool = True) -> list[str]:
    return [code for code, _, _ in ask(db, feed, field, there=there)[1]]


@pytest.mark.parametrize(
    ("type_", "field", "value", "wrong"),
    [
        ("int", "7", 7, []),
        ("int", " 7\t", 7, []),
        ("int", "x", None, [("bad_value", "x", "not an int")]),
        ("int", None, None, []),
        ("int", "", None, []),
        ("int", "  ", None, []),
        ("int", " \t\r\n", None, []),
        ("double", "x", None, [("bad_value", "x", "not a double")]),
        ("string", "", "", []),
        ("string", "  ", "  ", []),
        ("string", None, None, []),
    ],
)
def test_texts_and_types(
    db: duckdb.DuckDBPyConnection, type_: str, field: str | None, value: Any, wrong: list[tuple[str, str, str]]
) -> None:
    assert ask(db, of(column("c", type_)), field) == (value, wrong)


def test_a_bad_date_is_told_with_its_formats(db: duckdb.DuckDBPyConnection) -> None:
    one = of(column("c", "date", formats=("dd.MM.yyyy",)))
    assert ask(db, one, "2026-01-31")[1] == [("bad_value", "2026-01-31", "not a date in the format dd.MM.yyyy")]
    two = of(column("c", "date", formats=("dd.MM.yyyy", "yyyyMMdd")))
    assert ask(db, two, "x")[1] == [("bad_value", "x", "not a date in the format dd.MM.yyyy or yyyyMMdd")]


NULL_CASES = [None, "", " ", "NA", " NA ", "na", "x"]


@pytest.mark.parametrize(
    ("type_", "trim", "nulls", "values"),
    [
        ("string", False, ("",), [None, "", " ", "NA", " NA ", "na", "x"]),
        ("string", True, ("",), [None, "", "", "NA", "NA", "na", "x"]),
        ("string", False, ("", "NA"), [None, "", " ", None, " NA ", "na", "x"]),
        ("string", True, ("", "NA"), [None, "", "", None, None, "na", "x"]),
        ("string", False, ("NA", "x"), [None, "", " ", None, " NA ", "na", None]),
    ],
)
def test_what_stands_for_null_in_a_text(
    db: duckdb.DuckDBPyConnection, type_: str, trim: bool, nulls: tuple[str, ...], values: list[str | None]
) -> None:
    feed = of(column("c", type_), source={"trim": trim, "null_values": nulls})
    assert [ask(db, feed, field) for field in NULL_CASES] == [(value, []) for value in values]


@pytest.mark.parametrize("trim", [False, True])
def test_what_stands_for_null_in_a_number_has_no_blanks(db: duckdb.DuckDBPyConnection, trim: bool) -> None:
    feed = of(column("c", "int"), source={"trim": trim, "null_values": ("NA", "-1")})
    assert [codes(db, feed, field) for field in NULL_CASES] == [[], [], [], [], [], ["bad_value"], ["bad_value"]]
    assert ask(db, feed, " -1 ") == (None, [])


def test_a_default_stands_for_null_and_for_nothing_else(db: duckdb.DuckDBPyConnection) -> None:
    feed = of(column("c", "int", default="5", required=True))
    assert [ask(db, feed, field) for field in (None, "", " ", "7")] == [(5, []), (5, []), (5, []), (7, [])]
    assert ask(db, feed, "x") == (None, [("bad_value", "x", "not an int")])
    assert ask(db, feed, None, there=False) == (5, [])
    text = of(column("c", default="-"))
    assert [ask(db, text, field)[0] for field in (None, "", " ")] == ["-", "", " "]


@pytest.mark.parametrize("type_", ["int", "string"])
def test_rules_about_null(db: duckdb.DuckDBPyConnection, type_: str) -> None:
    required = of(column("c", type_, required=True))
    assert ask(db, required, None)[1] == [
        ("missing_required", None, "the column is required and there is no value"),
    ]
    assert codes(db, required, None, there=False) == ["missing_required"]
    assert codes(db, required, "1") == []
    assert codes(db, required, "") == (["missing_required"] if type_ == "int" else [])
    key = of(column("c", type_), target={"keys": ("c", "other")})
    assert ask(db, key, None)[1] == [("null_key", None, "a key column must have a value")]
    assert codes(db, key, "1") == []
    sequence = of(column("c", type_), target={"keys": ("other",), "sequence_by": ("c",)})
    assert ask(db, sequence, None)[1] == [("null_sequence", None, "a sequence column must have a value")]


def test_keys_that_may_be_null(db: duckdb.DuckDBPyConnection) -> None:
    assert codes(db, of(column("c"), target={"keys": ("c",), "null_keys": NullKeys.MATCH}), None) == []


def test_everything_that_is_wrong_is_told(db: duckdb.DuckDBPyConnection) -> None:
    strict = of(column("c", "int", required=True), target={"keys": ("c",), "sequence_by": ("c",)})
    assert codes(db, strict, None) == ["missing_required", "null_key", "null_sequence"]
    assert codes(db, strict, "x") == ["bad_value"], "a bad value is not a missing one"
    picky = of(column("c", "int", accepted_values=("1",), min="5", max="2"))
    assert codes(db, picky, "3") == ["not_accepted", "out_of_range", "out_of_range"]
    assert codes(db, picky, None) == []
    assert codes(db, picky, "x") == ["bad_value"]


def test_accepted_values(db: duckdb.DuckDBPyConnection) -> None:
    feed = of(column("c", "int", accepted_values=("1", "02.0")))
    assert [codes(db, feed, field) for field in ("1", "+1", "2", "3", None)] == [[], [], [], ["not_accepted"], []]
    assert ask(db, feed, "03")[1] == [("not_accepted", "03", "not one of 1, 02.0")]
    text = of(column("c", accepted_values=("a", "it's")))
    assert [codes(db, text, field) for field in ("a", "it's", "A", "a ")] == [
        [],
        [],
        ["not_accepted"],
        ["not_accepted"],
    ]


def test_a_pattern_is_searched_for(db: duckdb.DuckDBPyConnection) -> None:
    loose, strict = of(column("c", pattern="b")), of(column("c", pattern="^b$"))
    assert [codes(db, loose, field) for field in ("abc", "b", None)] == [[], [], []]
    assert ask(db, loose, "xyz")[1] == [("pattern_mismatch", "xyz", "does not match b")]
    assert [codes(db, strict, field) for field in ("b", "abc")] == [[], ["pattern_mismatch"]]
    assert codes(db, of(column("c", pattern=r"^\d+'$")), "12'") == []


@pytest.mark.parametrize(
    ("type_", "least", "most", "good", "bad"),
    [
        ("int", "2", "4", ["2", "3", "4"], ["1", "5"]),
        ("int", "9", "10", ["9", "10"], ["8", "11"]),
        ("double", "0.5", "0.5", ["0.5"], ["0.4", "0.6"]),
        ("date", "2026-01-01", "2026-01-31", ["2026-01-01", "2026-01-31"], ["2025-12-31", "2026-02-01"]),
        ("string", "b", "d", ["b", "c", "d"], ["a", "da"]),
    ],
)
def test_ranges_include_their_ends(
    db: duckdb.DuckDBPyConnection, type_: str, least: str, most: str, good: list[str], bad: list[str]
) -> None:
    feed = of(column("c", type_, min=least, max=most))
    assert {field: codes(db, feed, field) for field in good} == {key: [] for key in good}
    low, high = (ask(db, feed, field)[1] for field in bad)
    assert low == [("out_of_range", bad[0], f"less than {least}")]
    assert high == [("out_of_range", bad[1], f"more than {most}")]


def test_moments_in_the_feed_file_are_in_the_feed_s_time_zone(db: duckdb.DuckDBPyConnection) -> None:
    berlin = {"timezone": "Europe/Berlin"}
    limits = {"min": "2026-01-01 00:00", "max": "2026-06-30 23:00"}
    feed = of(column("c", "timestamp", **limits), source=berlin)
    good = ["2026-01-01 00:00", "2025-12-31 23:00Z", "2026-06-30 23:00", "2026-06-30 21:00Z"]
    assert {field: codes(db, feed, field) for field in good} == {key: [] for key in good}
    bad = ["2025-12-31 23:59:59", "2025-12-31 22:59:59Z", "2026-06-30 23:00:01", "2026-06-30 21:00:01Z"]
    assert {field: codes(db, feed, field) for field in bad} == {key: ["out_of_range"] for key in bad}
    default = of(column("c", "timestamp", default="2026-07-01 12:00"), source=berlin)
    assert ask(db, default, None)[0] == datetime(2026, 7, 1, 10, tzinfo=UTC)
    accepted = of(column("c", "timestamp", accepted_values=("2026-07-01 12:00",)), source=berlin)
    assert [codes(db, accepted, field) for field in ("2026-07-01 10:00Z", "2026-07-01 12:00Z")] == [
        [],
        ["not_accepted"],
    ]


def test_limits_are_written_in_the_column_s_formats(db: duckdb.DuckDBPyConnection) -> None:
    feed = of(column("c", "date", formats=("dd.MM.yyyy",), min="02.01.2026", default="03.01.2026"))
    assert [codes(db, feed, field) for field in ("01.02.2026", "02.01.2026")] == [[], []]
    assert codes(db, feed, "01.01.2026") == ["out_of_range"]
    assert str(ask(db, feed, None)[0]) == "2026-01-03"


def test_a_value_that_is_not_from_a_text_is_shown_as_one(db: duckdb.DuckDBPyConnection) -> None:
    feed = of(column("c", "int", default="9", max="5"))
    assert ask(db, feed, None, there=False) == (9, [("out_of_range", "9", "more than 5")])


@pytest.mark.parametrize("name", ["a", 'a"b', "a`b", "a b", "select"])
def test_names_are_quoted(db: duckdb.DuckDBPyConnection, name: str) -> None:
    relation = db.execute(f"SELECT 1 AS {DUCKDB.name(name)}")
    assert [each[0] for each in relation.description or ()] == [name]
    assert SPARK.name(name) == "`" + name.replace("`", "``") + "`"


@pytest.mark.parametrize("text", ["a", "it's", "back\\slash", "\\'", '"', "line\nend"])
def test_texts_are_literals(db: duckdb.DuckDBPyConnection, text: str) -> None:
    assert db.execute(f"SELECT {DUCKDB.text(text)}").fetchone() == (text,)


def test_spark_reads_backslashes_in_literals_as_escapes() -> None:
    assert SPARK.text("it's a \\") == r"'it\'s a \\'"

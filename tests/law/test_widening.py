"""Widening: types that hold all values of another one, and that no value becomes another on the way."""

from __future__ import annotations

import duckdb
import pytest

from framework.law.dialects import DUCKDB
from framework.law.widening import in_place, widened, widens
from framework.types import parse_type

WIDER = [
    ("tinyint", "smallint"), ("smallint", "int"), ("int", "bigint"), ("tinyint", "bigint"),
    ("int", "decimal(10,0)"), ("bigint", "decimal(19,0)"), ("bigint", "decimal(21,2)"), ("tinyint", "decimal(3,0)"),
    ("float", "double"), ("decimal(12,2)", "decimal(14,2)"), ("decimal(12,2)", "decimal(13,3)"),
    ("date", "timestamp"), ("date", "timestamp_ntz"),
    ("int", "string"), ("boolean", "string"), ("timestamp", "string"), ("decimal(12,2)", "string"),
]  # fmt: skip
NARROWER = [
    ("bigint", "int"), ("int", "decimal(9,0)"), ("bigint", "decimal(20,2)"), ("double", "float"), ("bigint", "double"),
    ("decimal(12,2)", "decimal(12,3)"), ("decimal(12,2)", "decimal(12,1)"), ("decimal(12,2)", "bigint"),
    ("timestamp", "date"), ("timestamp", "timestamp_ntz"), ("string", "int"), ("string", "string"), ("int", "int"),
    ("decimal(4,2)", "decimal(4,2)"), ("array<int>", "string"), ("int", "array<int>"), ("binary", "string"),
    ("int", "boolean"), ("date", "int"), ("float", "string"), ("double", "string"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "wanted"), WIDER)
def test_wider_types(there: str, wanted: str) -> None:
    assert widens(there, parse_type(wanted))


@pytest.mark.parametrize(("there", "wanted"), NARROWER)
def test_other_types_are_no_wider_ones(there: str, wanted: str) -> None:
    assert not widens(there, parse_type(wanted))


def test_what_delta_widens_without_writing_the_table_anew() -> None:
    """Delta counts ten digits for integers and twenty for the largest ones."""
    by_itself = [pair for pair in WIDER if in_place(pair[0], parse_type(pair[1]))]
    assert by_itself == [
        ("tinyint", "smallint"), ("smallint", "int"), ("int", "bigint"), ("tinyint", "bigint"),
        ("int", "decimal(10,0)"),
        ("float", "double"), ("decimal(12,2)", "decimal(14,2)"), ("decimal(12,2)", "decimal(13,3)"),
        ("date", "timestamp_ntz"),
    ]  # fmt: skip
    assert in_place("bigint", parse_type("decimal(22,2)"))


@pytest.mark.parametrize(
    ("value", "there", "wanted", "found"),
    [
        ("'-128'", "tinyint", "bigint", "-128"),
        ("'9223372036854775807'", "bigint", "decimal(21,2)", "9223372036854775807.00"),
        ("'1.50'", "decimal(12,2)", "decimal(14,3)", "1.500"),
        ("'1.50'", "decimal(12,2)", "string", "1.50"),
        ("'true'", "boolean", "string", "true"),
        ("'2026-07-01'", "date", "timestamp", "2026-06-30 22:00:00+00"),
        ("'2026-07-01'", "date", "timestamp_ntz", "2026-07-01 00:00:00"),
        ("'2026-07-01'", "date", "string", "2026-07-01"),
        ("NULL", "int", "string", None),
    ],
)
def test_values_stay_what_they_are(value: str, there: str, wanted: str, found: str | None) -> None:
    """A day begins at midnight in the feed's zone."""
    given = f"CAST({value} AS {DUCKDB.type(parse_type(there))})"
    sql = widened("v", there, parse_type(wanted), "Europe/Rome", DUCKDB)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        query = f"SELECT CAST(w AS VARCHAR), typeof(w) FROM (SELECT {sql} AS w FROM (SELECT {given} AS v))"
        ((text, type_),) = db.execute(query).fetchall()
    assert text == found
    assert duckdb.sqltype(type_) == duckdb.sqltype(DUCKDB.type(parse_type(wanted)))

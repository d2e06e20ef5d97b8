"""One table of texts, held against the law in Python and the same law in DuckDB's SQL."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from framework.types import parse_type
from framework.values import parse, typed

BAD = "bad"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

CASES = [
    *[("int", "UTC", text, 12) for text in ("12", "12.0", "+12", " 12\t", "012")],
    *[("int", "UTC", text, BAD) for text in ("12.7", "1_000", "1e3", "1,000", "2147483648", "", "\u0663")],
    ("tinyint", "UTC", "-128", -128),
    ("tinyint", "UTC", "128", BAD),
    ("bigint", "UTC", "9223372036854775807", 9223372036854775807),
    ("bigint", "UTC", "9223372036854775808", BAD),
    ("decimal(12,2)", "UTC", "1.230", "1.23"),
    ("decimal(12,2)", "UTC", "1e3", "1000.00"),
    *[("decimal(12,2)", "UTC", text, BAD) for text in ("1.239", "1e-3", "12345678901", "1e999999999")],
    ("double", "UTC", "-infinity", -math.inf),
    *[("double", "UTC", text, BAD) for text in ("inf", "1_0", "0x10", "1e309")],
    ("float", "UTC", "1.00000017881393432617187499", 1.0000001192092896),
    *[("boolean", "UTC", text, True) for text in ("T", "yes", "Y", "1", "TRUE")],
    *[("boolean", "UTC", text, BAD) for text in ("2", "tru", "on")],
    ("date", "UTC", "2024-02-29", "2024-02-29"),
    *[("date", "UTC", text, BAD) for text in ("2023-02-29", "infinity", "epoch", "2024-2-3", "10000-01-01")],
    ("timestamp", "UTC", "2024-01-02", 1704153600000000),
    ("timestamp", "UTC", "2024-01-02T03:04:05.123456789Z", 1704164645123456),
    ("timestamp", "Europe/Rome", "2024-01-02 03:04", 1704161040000000),
    ("timestamp", "Europe/Rome", "2024-03-31 02:30:00", 1711848600000000),  # skipped by the clock
    ("timestamp", "Europe/Rome", "2024-10-27 02:30:00", 1729989000000000),  # occurs twice: the earlier one
    *[("timestamp", "UTC", f"2024-01-02 {text}", BAD) for text in ("24:00:00", "03:04:60", "03")],
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        yield connection


def comparable(value: Any) -> Any:
    match value:
        case datetime.datetime():
            return (value - EPOCH) // datetime.timedelta(microseconds=1)
        case bool() | int() | float():
            return value
        case _:
            return str(value)


@pytest.mark.parametrize(("type_", "zone", "text", "expected"), CASES)
def test_parse(type_: str, zone: str, text: str, expected: Any) -> None:
    if expected == BAD:
        with pytest.raises(ValueError, match=r"."):
            parse(text, parse_type(type_), zone=zone)
    else:
        assert comparable(parse(text, parse_type(type_), zone=zone)) == expected


@pytest.mark.parametrize(("type_", "zone", "text", "expected"), CASES)
def test_duckdb(connection: duckdb.DuckDBPyConnection, type_: str, zone: str, text: str, expected: Any) -> None:
    value = typed("x", parse_type(type_), zone=zone, dialect="duckdb")
    shown = f"epoch_us({value})" if type_ == "timestamp" else value
    row = connection.execute(f"SELECT {shown} FROM (SELECT CAST(? AS VARCHAR) AS x)", [text]).fetchone()
    assert row is not None
    assert (BAD if row[0] is None else comparable(row[0])) == expected

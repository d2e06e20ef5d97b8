"""What each type takes, written down: law and SQL share constants, so that holding them against each other shows no
mistake in those. Nothing here is computed by what is tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from framework.law.dialects import DUCKDB
from framework.law.values import check_pattern, parse, typed
from framework.types import parse_type

BAD = "bad"


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def by_law(text: str, type_: str, formats: Sequence[str] = (), zone: str = "UTC") -> Any:
    try:
        return parse(text, parse_type(type_), formats=formats, zone=zone)
    except ValueError:
        return BAD


def by_sql(
    db: duckdb.DuckDBPyConnection, texts: Sequence[str], type_: str, formats: Sequence[str] = (), zone: str = "UTC"
) -> list[Any]:
    value = typed("t", parse_type(type_), formats=formats, zone=zone, dialect=DUCKDB)
    rows = db.execute(f"SELECT {value} FROM unnest(?::VARCHAR[]) AS u(t)", [list(texts)]).fetchall()
    return [BAD if value is None else value for (value,) in rows]


def check(
    db: duckdb.DuckDBPyConnection, type_: str, wanted: dict[str, Any], formats: Sequence[str] = (), zone: str = "UTC"
) -> None:
    shown = {text: repr(value) for text, value in wanted.items()}
    assert {text: repr(by_law(text, type_, formats, zone)) for text in wanted} == shown
    values = by_sql(db, list(wanted), type_, formats, zone)
    in_utc = [value.astimezone(UTC) if isinstance(value, datetime) else value for value in values]
    assert {text: repr(value) for text, value in zip(wanted, in_utc, strict=True)} == shown


YES = ["true", "t", "yes", "y", "1", "TRUE", "True", "T", "Yes", "YES", "Y", " true ", "\ttrue\r\n"]
NO = ["false", "f", "no", "n", "0", "FALSE", "False", "F", "No", "NO", "N", " 0 "]
NEITHER = [
    "on",
    "off",
    "none",
    "null",
    "-1",
    "2",
    "01",
    "00",
    "1.0",
    "+1",
    "tru",
    "fals",
    "yess",
    "ja",
    "wahr",
    "",
    " ",
]


def test_booleans(db: duckdb.DuckDBPyConnection) -> None:
    check(db, "boolean", dict.fromkeys(YES, True) | dict.fromkeys(NO, False) | dict.fromkeys(NEITHER, BAD))


RANGES = {
    "tinyint": (-128, 127),
    "smallint": (-32768, 32767),
    "int": (-2147483648, 2147483647),
    "bigint": (-9223372036854775808, 9223372036854775807),
}


@pytest.mark.parametrize("type_", RANGES)
def test_integers(db: duckdb.DuckDBPyConnection, type_: str) -> None:
    least, most = RANGES[type_]
    wanted: dict[str, Any] = {str(least): least, str(most): most, str(least - 1): BAD, str(most + 1): BAD}
    wanted |= {f"{most}.000": most, f"+{most}": most, f"000{most}": most, f"{most}.1": BAD, f"{least}.0": least}
    wanted |= {"0": 0, "-0": 0, "+0": 0, "-7": -7, "+7": 7, "007": 7, "7.0": 7, " 7\t": 7, "\r\n7": 7}
    wanted |= dict.fromkeys(
        ["", " ", "+", "-", "7.", ".0", "7.5", "7,0", "1e1", "0x1", "1_0", "1 0", "٣", "--7", "+-7"], BAD
    )
    wanted |= {"9" * 19: BAD, "9" * 20: BAD, "1" + "0" * 5000: BAD, "0" * 5000 + "7": 7, "7" + "\u00a0": BAD}
    check(db, type_, wanted)


def test_decimals(db: duckdb.DuckDBPyConnection) -> None:
    d = Decimal
    wanted: dict[str, Any] = {"1": d("1.00"), "1.2": d("1.20"), "-1.23": d("-1.23"), "+1.23": d("1.23")}
    wanted |= {"999.99": d("999.99"), "-999.99": d("-999.99"), "1000": BAD, "-1000": BAD, "999.991": BAD, "0.001": BAD}
    wanted |= {"1.2300": d("1.23"), "1e2": d("100.00"), "1E+2": d("100.00"), "12300e-2": d("123.00"), "1e-2": d("0.01")}
    wanted |= {"1e-3": BAD, "1e3": BAD, "10e-3": d("0.01"), "0e999": d("0.00"), "-0": d("0.00"), "-0.00": d("0.00")}
    wanted |= {".5": d("0.50"), "5.": d("5.00"), "-.5e1": d("-5.00"), "+5.e-1": d("0.50")}
    wanted |= {"00001.10": d("1.10"), " 1.1 ": d("1.10"), "1e02": d("100.00"), "1e002": d("100.00"), "1e0002": BAD}
    wanted |= dict.fromkeys(
        ["", ".", "-.", ".e1", "1,5", "1.5.5", "1e", "e1", "NaN", "Infinity", "1_0", "0x1", "+-1", "$1"], BAD
    )
    check(db, "decimal(5,2)", wanted)
    check(db, "decimal(2,2)", {"0.99": d("0.99"), "1": BAD, "0": d("0.00"), "-0.5": d("-0.50"), "99e-2": d("0.99")})
    check(db, "decimal(3,0)", {"999": d("999"), "999.0": d("999"), "1000": BAD, "1.5": BAD, "5e-1": BAD})


def test_floating_points(db: duckdb.DuckDBPyConnection) -> None:
    inf, nan = float("inf"), float("nan")
    wanted: dict[str, Any] = {"1": 1.0, "-1.5": -1.5, "+1.5": 1.5, "1e3": 1000.0, "1E-3": 0.001, "0.1": 0.1, "-0": -0.0}
    wanted |= {"NaN": nan, "nan": nan, "NAN": nan, "Infinity": inf, "-INFINITY": -inf, "infinity": inf, " 2 ": 2.0}
    wanted |= dict.fromkeys(
        ["", "inf", "-inf", "+Infinity", "+NaN", "-NaN", ".", ".e1", "1f", "1d", "0x1", "1e", "1,5"], BAD
    )
    wanted |= {".5": 0.5, "5.": 5.0, "-.5E1": -5.0}
    check(db, "double", wanted | {"1.7976931348623157e308": 1.7976931348623157e308, "1e309": BAD, "-1e309": BAD})
    check(db, "float", {text: value for text, value in wanted.items() if text not in ("0.1", "1E-3")})
    check(db, "float", {"3.4028234e38": 3.4028234663852886e38, "3.5e38": BAD, "0.5": 0.5, "0.1": 0.10000000149011612})


def test_dates(db: duckdb.DuckDBPyConnection) -> None:
    good = {"2026-01-31": date(2026, 1, 31), "2024-02-29": date(2024, 2, 29), "0001-01-01": date(1, 1, 1)}
    wanted: dict[str, Any] = good | {"9999-12-31": date(9999, 12, 31), " 2026-01-31 ": date(2026, 1, 31)}
    bad = ["2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32", "0000-01-01", "2026-1-1", "26-01-01"]
    bad += ["20260131", "2026/01/31", "2026-01-31 00:00", "2026-01-31Z", "10000-01-01", "-2026-01-01", "", "today"]
    check(db, "date", wanted | dict.fromkeys(bad, BAD))


def test_timestamps(db: duckdb.DuckDBPyConnection) -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    wanted: dict[str, Any] = {"2026-01-31": noon.replace(hour=0), "2026-01-31 12:00": noon, "2026-01-31T12:00:00": noon}
    wanted |= dict.fromkeys(["2026-01-31T12:00Z", "2026-01-31 13:30+01:30", "2026-01-31 06:00:00-06:00"], noon)
    wanted |= {"2026-01-31 12:00:00.5": noon.replace(microsecond=500000)}
    wanted |= {"2026-01-31 12:00:00.123456789": noon.replace(microsecond=123456)}
    wanted |= {"2026-01-31 12:00:00.000000999Z": noon}
    wanted |= {"2026-01-31 00:00+18:00": noon - timedelta(hours=30), "2026-01-31 00:00+18:01": BAD}
    wanted |= {"2026-01-31 00:00-18:00": noon + timedelta(hours=6), "2026-01-31 00:00-18:01": BAD}
    wanted |= {"2026-01-31 00:00+00:59": noon - timedelta(hours=12, minutes=59), "2026-01-31 00:00+00:60": BAD}
    wanted |= dict.fromkeys(
        ["2026-01-31 12:00 Z", "2026-01-31 12:00UTC", "2026-01-31 13:00+01", "2026-01-31 11:30 -0030"], noon
    )
    wanted |= {"2026-01-31 23:59:59": datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)}
    wanted |= {
        "0001-01-01": datetime(1, 1, 1, tzinfo=UTC),
        "9999-12-31 23:59:59.999999999": datetime.max.replace(tzinfo=UTC),
    }
    wanted |= {"0001-01-02 00:00Z": datetime(1, 1, 2, tzinfo=UTC), "0001-01-01 00:00+00:01": BAD}
    wanted |= {"0001-01-01 00:00Z": datetime(1, 1, 1, tzinfo=UTC)}
    wanted |= {"9999-12-30 23:59Z": datetime(9999, 12, 30, 23, 59, tzinfo=UTC), "9999-12-31 23:59-00:01": BAD}
    wanted |= {"9999-12-31 23:59:59.999999Z": datetime.max.replace(tzinfo=UTC)}
    bad = [
        "24:00",
        "12:60",
        "12:00:60",
        "1:00",
        "12",
        "12:0",
        "12:00:0",
        "12:00:00.",
        "12:00:00.1234567890",
        "12:00  Z",
    ]
    bad += [
        "12:00z",
        "12:00+1:00",
        "12:00+010",
        "12:00+1",
        "12:00 utc",
        "12:00 CET",
        "12:00:00,5",
        "12:00 PM",
        "12:00[UTC]",
    ]
    bad_days = [
        "2026-02-29 12:00",
        "0000-01-01 12:00",
        "2026-01-31Z",
        "2026-01-31t12:00",
        "2026-01-31  12:00",
        "epoch",
        "",
    ]
    check(db, "timestamp", wanted | dict.fromkeys([f"2026-01-31 {time}" for time in bad] + bad_days, BAD))


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Europe/Berlin", "2026-01-31 12:00", "2026-01-31 11:00"),
        ("Europe/Berlin", "2026-07-31 12:00", "2026-07-31 10:00"),
        ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"),  # skipped: as if the clock had not been changed
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),  # twice: the earlier one
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),  # half an hour back
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45"),  # half an hour forward
        ("Antarctica/Troll", "2026-10-25 02:30", "2026-10-25 00:30"),  # two hours back
        ("Antarctica/Troll", "2026-10-25 01:30", "2026-10-24 23:30"),
        ("Antarctica/Troll", "2026-10-25 03:30", "2026-10-25 03:30"),
        ("Antarctica/Troll", "2026-03-29 02:30", "2026-03-29 02:30"),
        ("Asia/Kathmandu", "2026-01-31 12:00", "2026-01-31 06:15"),
        ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00"),
    ],
)
def test_local_times(db: duckdb.DuckDBPyConnection, zone: str, local: str, utc: str) -> None:
    instant = datetime.fromisoformat(f"{utc}+00:00")
    check(db, "timestamp", {local: instant, f"{local}:00.0": instant}, zone=zone)
    check(db, "timestamp", {local: instant}, ["yyyy-MM-dd HH:mm"], zone=zone)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_no_zone_leads_out_of_the_years(db: duckdb.DuckDBPyConnection, zone: str) -> None:
    east = zone.startswith("Europe")
    first, last = "0001-01-01 00:00", "9999-12-31 23:59:59"
    found = {text: by_law(text, "timestamp", zone=zone) for text in (first, last)}
    assert (found[first] == BAD, found[last] == BAD) == (east, not east)
    values = by_sql(db, [first, last], "timestamp", zone=zone)
    assert [value == BAD for value in values] == [east, not east]


def local_time(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 (a time without a zone)


WRITTEN = [
    # pattern, text, local time, offset in minutes (None: the zone of the feed)
    ("dd.MM.yyyy", "31.01.2026", local_time(2026, 1, 31), None),
    ("d/M/yy", "1/1/90", local_time(2090, 1, 1), None),
    ("d/M/yy", "31/12/00", local_time(2000, 12, 31), None),
    ("dd-MM-yy", "31-12-99", local_time(2099, 12, 31), None),
    ("MMM d, yyyy", "Feb 3, 2026", local_time(2026, 2, 3), None),
    ("dd MMMM yyyy", "03 February 2026", local_time(2026, 2, 3), None),
    ("dd MMMM yyyy", "03 May 2026", local_time(2026, 5, 3), None),
    ("yyyyMMdd", "20260131", local_time(2026, 1, 31), None),
    ("yyyy'T'MM''dd", "2026T01'31", local_time(2026, 1, 31), None),
    ("yyyy-MM-dd HH:mm:ss", "2026-01-31 23:59:58", local_time(2026, 1, 31, 23, 59, 58), None),
    ("yyyy-MM-dd'o''c'", "2026-01-31o'c", local_time(2026, 1, 31), None),
    ("yyyy-MM-dd HH", "2026-01-31 07", local_time(2026, 1, 31, 7), None),
    ("dd/MM/yyyy hh:mm a", "31/01/2026 12:05 AM", local_time(2026, 1, 31, 0, 5), None),
    ("dd/MM/yyyy hh:mm a", "31/01/2026 12:05 pm", local_time(2026, 1, 31, 12, 5), None),
    ("dd/MM/yyyy hh:mm a", "31/01/2026 01:05 PM", local_time(2026, 1, 31, 13, 5), None),
    ("M/d/yyyy h:m:s a", "1/31/2026 9:8:7 am", local_time(2026, 1, 31, 9, 8, 7), None),
    ("yyyy/MM/dd H:m:s", "2026/01/31 9:08:7", local_time(2026, 1, 31, 9, 8, 7), None),
    ("yyyyMMddHHmmssZ", "20260131090807+0130", local_time(2026, 1, 31, 9, 8, 7), 90),
    ("yyyyMMddHHmmssZ", "20260131090807-0000", local_time(2026, 1, 31, 9, 8, 7), 0),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-31T09:08:07.006-05:00", local_time(2026, 1, 31, 9, 8, 7, 6000), -300),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-31T09:08:07.006Z", local_time(2026, 1, 31, 9, 8, 7, 6000), 0),
    ("yyyy-MM-dd HH:mm:ss.S", "2026-01-31 09:08:07.5", local_time(2026, 1, 31, 9, 8, 7, 500000), None),
    ("yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2026-01-31 09:08:07.123456789", local_time(2026, 1, 31, 9, 8, 7, 123456), None),
]
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")


@pytest.mark.parametrize(("pattern", "text", "local", "offset"), WRITTEN)
def test_each_pattern_in_each_zone_as_each_type(
    db: duckdb.DuckDBPyConnection, pattern: str, text: str, local: datetime, offset: int | None
) -> None:
    check(db, "date", {text: local.date()}, [pattern])
    for zone in ZONES:
        there = ZoneInfo(zone).utcoffset(local) if offset is None else timedelta(minutes=offset)
        assert there is not None
        check(db, "timestamp", {text: (local - there).replace(tzinfo=UTC)}, [pattern], zone)


def test_every_month(db: duckdb.DuckDBPyConnection) -> None:
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    long = {f"1 {name} 2026": date(2026, number, 1) for number, name in enumerate(names, 1)}
    short = {f"1 {name[:3]} 2026": date(2026, number, 1) for number, name in enumerate(names, 1)}
    check(db, "date", long | {"1 Sept 2026": BAD, "1 Jan 2026": BAD, "1 may 2026": date(2026, 5, 1)}, ["d MMMM yyyy"])
    check(
        db,
        "date",
        short | {"1 January 2026": BAD, "1 jan 2026": date(2026, 1, 1), "1 DEC 2026": date(2026, 12, 1)},
        ["d MMM yyyy"],
    )


REFUSED = [
    (
        "dd.MM.yyyy",
        ["1.01.2026", "01.1.2026", "01.01.26", "32.01.2026", "31.02.2026", "01.13.2026", "01.01.0000", "01-01-2026"],
    ),
    ("d/M/yy", ["1/1/2026", "001/1/26", "0/1/26", "1/0/26", "1/001/26", "1/1/6"]),
    ("yyyyMMdd", ["2026013", "202601311", "2026-01-31", "20260230"]),
    ("yyyyMMddHHmmssZ", ["20260131090807Z", "20260131090807+01:30", "20260131090807", "20260131090807+1801"]),
    (
        "yyyy-MM-dd'T'HH:mmXXX",
        ["2026-01-31T09:08+0100", "2026-01-31T09:08", "2026-01-31T09:08+18:01", "2026-01-31T09:08z"],
    ),
    ("yyyy-MM-dd'T'HH:mmXXX", ["2026-01-31T09:08+00:60", "2026-01-31 09:08Z", "2026-01-31T24:00Z"]),
    ("dd/MM/yyyy hh:mm a", ["31/01/2026 00:05 AM", "31/01/2026 13:05 PM", "31/01/2026 01:05", "31/01/2026 1:05 PM"]),
    ("dd/MM/yyyy hh:mm a", ["31/01/2026 01:60 PM", "31/01/2026 01:05 xm", "31/01/2026 01:05PM"]),
    ("yyyy-MM-dd HH:mm:ss", ["2026-01-31 24:00:00", "2026-01-31 23:60:00", "2026-01-31 23:59:60", "2026-01-31"]),
    ("yyyy-MM-dd HH:mm:ss.SSS", ["2026-01-31 09:08:07.12", "2026-01-31 09:08:07.1234", "2026-01-31 09:08:07,123"]),
]


@pytest.mark.parametrize(("pattern", "texts"), REFUSED)
@pytest.mark.parametrize("type_", ["date", "timestamp"])
def test_what_patterns_refuse(db: duckdb.DuckDBPyConnection, pattern: str, texts: list[str], type_: str) -> None:
    check(db, type_, dict.fromkeys(texts, BAD), [pattern])


def test_the_first_pattern_that_gives_a_value_counts(db: duckdb.DuckDBPyConnection) -> None:
    both = ["dd/MM/yyyy", "MM/dd/yyyy"]
    check(db, "date", {"02/03/2026": date(2026, 3, 2), "03/31/2026": date(2026, 3, 31), "32/32/2026": BAD}, both)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("yyyy-MM", "has no day"),
        ("dd", "has no year and no month"),
        ("yyyy-MM-dd h:mm", "h and a belong together"),
        ("yyyy-MM-dd HH:mm a", "h and a belong together"),
        ("yyyy-yy-MM-dd d", "day stands twice"),
        ("yyyy-MM-MM-dd", "month stands twice"),
        ("yyyy-MM-dd HH hh a HH", "hour stands twice"),
        ("yyyy-MM-dd'T", "a quote is not closed"),
        ("YYYY-MM-dd", "'YYYY' in the pattern 'YYYY-MM-dd' is not known"),
        ("yyyy-MM-DD", "'DD' in"),
        ("yyyyy-MM-dd", "'yyyyy' in"),
        ("yyyy-MM-dd SSSSSSSSSS", "'SSSSSSSSSS' in"),
        ("yyyy-MM-dd ZZ", "'ZZ' in"),
    ],
)
def test_patterns_that_are_wrong_say_why(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["yyyy-MM-dd", "d.M.yy", "yyyyMMddHHmmssSSSSSSSSSZ", "MMMM''dd'o''clock'yyyy"])
def test_patterns_that_are_right(pattern: str) -> None:
    check_pattern(pattern)


def test_marks_in_patterns_are_themselves(db: duckdb.DuckDBPyConnection) -> None:
    for mark in "^\\.*+?(){}|$/-, ":
        pattern = f"yyyy{mark}MM{mark}dd"
        good, other = f"2026{mark}01{mark}31", "2026x01x31"
        check(db, "date", {good: date(2026, 1, 31), other: BAD}, [pattern])


def test_blanks_around_values(db: duckdb.DuckDBPyConnection) -> None:
    texts = [" a ", "\ta\r\n", "\u00a0a", "\x0ba", "a\x00"]
    rows = db.execute(f"SELECT {DUCKDB.trimmed('t')} FROM unnest(?::VARCHAR[]) AS u(t)", [texts]).fetchall()
    assert [text for (text,) in rows] == ["a", "a", "\u00a0a", "\x0ba", "a\x00"]
    assert by_law(" a ", "string") == " a "

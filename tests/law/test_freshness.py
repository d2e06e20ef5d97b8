"""Whether data has come when it was expected."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from framework.feed import Expect, RowBound
from framework.law.freshness import Arrived, Freshness, FreshnessState, judged

DAY = timedelta(days=1)
DAILY = Expect(DAY, time(6))
WEEKEND = frozenset({5, 6})


def at(text: str) -> datetime:
    """A moment of March 2026, whose first day is a Sunday; or any other."""
    return datetime.fromisoformat(text if len(text) > 8 else f"2026-03-{text}").replace(tzinfo=UTC)


def found(expect: Expect, now: str, *loads: str, waiting: str | None = None) -> Freshness:
    """The feed at a moment, loaded at these moments, oldest first."""
    return judged(
        expect, [Arrived(at(load), 10) for load in reversed(loads)], at(waiting) if waiting else None, at(now)
    )


def state(expect: Expect, now: str, *loads: str) -> str:
    seen = found(expect, now, *loads)
    return f"{seen.state} since {seen.late_since:%d %H:%M}" if seen.late_since else str(seen.state)


@pytest.mark.parametrize(
    ("now", "loads", "is_"),
    [
        ("03 05:59", ["02 05:00"], "fresh"),
        ("03 06:00", ["02 05:00"], "fresh"),
        ("03 06:01", ["02 05:00"], "late since 03 06:00"),
        ("05 12:00", ["02 05:00"], "late since 03 06:00"),
        ("03 06:01", ["02 05:00", "02 15:00"], "fresh"),  # what came after the deadline is for the next one
        ("03 06:01", ["02 05:00", "03 05:59"], "fresh"),
        ("03 08:00", ["02 05:00", "03 07:30"], "recovered"),
        ("04 05:00", ["02 05:00", "03 07:30"], "recovered"),
        ("04 06:01", ["02 05:00", "03 07:30"], "late since 04 06:00"),  # it was for the 3rd
        ("04 05:30", ["02 05:00", "04 05:00"], "recovered"),
        ("04 06:01", ["02 05:00", "04 05:00"], "fresh"),
        ("05 06:01", ["02 05:00", "04 05:00", "05 05:00"], "fresh"),  # a day was left out, and all is well again
        ("04 06:01", ["02 05:00", "03 07:30", "03 20:00"], "fresh"),
    ],
)
def test_every_day_by_six(now: str, loads: list[str], is_: str) -> None:
    assert state(DAILY, now, *loads) == is_


def test_what_never_came() -> None:
    assert found(DAILY, "03 07:00") == Freshness(FreshnessState.UNKNOWN)
    assert found(DAILY, "03 07:00", waiting="03 06:30").state is FreshnessState.UNKNOWN
    late = found(DAILY, "03 07:00", waiting="02 23:00")
    assert (late.state, late.late_since) == (FreshnessState.LATE, at("03 06:00"))


def test_days_on_which_nothing_is_expected() -> None:
    but = Expect(DAY, time(6), weekdays=WEEKEND, exceptions=frozenset({"2026-03-10", "03-11"}))
    assert state(but, "09 05:59", "06 05:00") == "fresh"  # from Friday to Monday
    assert state(but, "09 06:01", "06 05:00") == "late since 09 06:00"
    assert state(but, "11 23:00", "09 05:00") == "fresh"  # two days that are named
    assert state(but, "12 06:01", "09 05:00") == "late since 12 06:00"
    never = Expect(DAY, time(6), weekdays=frozenset(range(7)))
    assert state(never, "12 06:01", "02 05:00") == "fresh"


def test_once_a_week() -> None:
    weekly = Expect(timedelta(weeks=1), time(6), weekday=0)
    assert state(weekly, "09 05:00", "01 12:00") == "fresh"
    assert state(weekly, "09 07:00", "01 12:00") == "late since 09 06:00"
    assert state(weekly, "09 07:00", "01 12:00", "08 12:00") == "fresh"


def test_some_time_after_the_load_before() -> None:
    hourly = Expect(timedelta(hours=1))
    assert state(hourly, "02 13:00", "02 12:00") == "fresh"
    assert state(hourly, "02 13:01", "02 12:00") == "late since 02 13:00"
    assert state(hourly, "02 13:31", "02 12:00", "02 13:30") == "recovered"
    assert state(hourly, "02 14:31", "02 12:00", "02 13:30") == "late since 02 14:30"
    assert found(hourly, "02 12:30", "02 12:00").due == at("02 13:00")
    working = Expect(DAY, weekdays=WEEKEND)
    assert state(working, "09 09:59", "06 10:00") == "fresh"
    assert state(working, "09 10:01", "06 10:00") == "late since 09 10:00"
    assert state(working, "09 23:00", "07 10:00") == "fresh"  # loaded on a day that does not count
    assert state(working, "10 00:01", "07 10:00") == "late since 10 00:00"


def test_days_are_those_of_a_zone_whatever_summer_time_does() -> None:
    rome = Expect(DAY, time(6), timezone="Europe/Rome")  # 29 March has 23 hours there
    assert state(rome, "28 05:01", "27 04:00") == "late since 28 05:00"
    assert state(rome, "29 04:01", "28 04:00") == "late since 29 04:00"
    assert state(rome, "29 03:59", "28 04:00") == "fresh"
    night = Expect(DAY, timezone="Europe/Rome", weekdays=frozenset({0}))
    assert state(night, "30 21:00", "29 10:00") == "fresh"


@pytest.mark.parametrize(
    ("least", "most", "rows", "said"),
    [
        (RowBound(1), None, [0], "the newest load has 0 rows, fewer than 1"),
        (RowBound(1), None, [1], None),
        (None, RowBound(5), [1000, 10], "the newest load has 1,000 rows, more than 5"),
        (RowBound(50, True), None, [4, 10, 10], None),  # nobody knows yet what is usual
        (RowBound(50, True), None, [4, 10, 9, 11], "the newest load has 4 rows, fewer than 5, usually 10"),
        (RowBound(50, True), RowBound(300, True), [5, 10, 9, 1000], None),
        (None, RowBound(300, True), [31, 10, 9, 11], "the newest load has 31 rows, more than 30, usually 10"),
    ],
)
def test_how_many_rows(least: RowBound | None, most: RowBound | None, rows: list[int], said: str | None) -> None:
    expect = Expect(DAY, min_rows=least, max_rows=most)
    loads = [Arrived(at("02 12:00") - n * DAY, number) for n, number in enumerate(rows)]
    seen = judged(expect, loads, None, at("02 13:00"))
    assert (seen.state, seen.unusual) == (FreshnessState.FRESH, said)

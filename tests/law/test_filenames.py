"""File name patterns take names apart as regular expressions would, in a time that no name can make long."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.feed import Format, Source
from framework.law.discovery import discover
from framework.law.filenames import almost, captures, captures_in, may_meet, mistakes
from framework.names import File

PIECES = st.lists(st.sampled_from(["a", "b_", "_", "1", "*", "?", "{x}", "{y}", "{n:int}"]), max_size=6)


def as_regex(pattern: str) -> str:
    """The pattern as a regular expression; the same capture may stand in it only once."""
    marks = {"*": ".*", "?": ".", "{x}": "(?P<x>.+?)", "{y}": "(?P<y>.+?)", "{n:int}": "(?P<n>[0-9]+)"}
    return "".join(marks.get(piece, re.escape(piece)) for piece in re.findall(r"\{[^}]*\}|.", pattern))


@given(PIECES, st.text("ab_1", max_size=9))
def test_names_are_taken_apart_as_by_a_regular_expression(pieces: list[str], name: str) -> None:
    once = [piece for at, piece in enumerate(pieces) if "{" not in piece or piece not in pieces[:at]]
    pattern = "".join(once)
    found = re.fullmatch(as_regex(pattern), name)
    assert captures(pattern, name) == (found.groupdict() if found else None)


@given(PIECES, PIECES)
def test_patterns_meet_when_a_name_matches_both(one: list[str], other: list[str]) -> None:
    left, right = (re.sub(r"\{[xy]\}", "?*", "".join(pieces)) for pieces in (one, other))
    if not may_meet(left, right):
        names = ("".join(letters) for size in range(5) for letters in product("ab_1", repeat=size))
        left, right = (as_regex(re.sub(r"\{n:int\}", "[0-9]+", p).replace("?*", ".+")) for p in (left, right))
        assert not any(re.fullmatch(left, name) and re.fullmatch(right, name) for name in names)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("a?", "a", False),
        ("{x}", "", False),
        ("*", "", True),
        ("o_{day:yyyyMMdd}.csv", "o_items_*.csv", False),
        ("o_{day:yyyyMMdd}.csv", "o_2026*.csv", True),
        ("o_{n:int}.csv", "o_x*.csv", False),
        ("o_{n:int}.csv", "o_{m:int}.csv", True),
        ("o_{n:int}.csv", None, True),
        ("*a*", "*b*", True),
        ("a**b", "ab", True),
    ],
)
def test_meeting(one: str, other: str | None, meet: bool) -> None:
    assert (may_meet(one, other), may_meet(other, one)) == (meet, meet)


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("o_{day:yyyyMMdd}*.csv", "o_20260131_late.csv", {"day": "2026-01-31"}),
        ("o_{day:yyyyMMdd}*.csv", "o_20261331_late.csv", None),
        ("*{day:yyyyMMdd}*.csv", "x1_20260131_2.csv", {"day": "2026-01-31"}),
        ("{at:yyyyMMddHHmm}.csv", "202601312359.csv", {"at": "2026-01-31 23:59:00"}),
        ("{day:dd'of'MMyyyy}.csv", "31of012026.csv", {"day": "2026-01-31"}),
        ("{n:int}{rest}.csv", "0123x.csv", {"n": "0123", "rest": "x"}),
        ("{n:int}.csv", "x.csv", None),
        ("{n:int}.csv", "١٢.csv", None),
        ("{a}_{b}.csv", "x_y_z.csv", {"a": "x", "b": "y_z"}),
        ("line{a}.csv", "line\nbreak.csv", {"a": "\nbreak"}),
        ("[a]+.{x}", "[a]+.b", {"x": "b"}),
    ],
)
def test_captures(pattern: str, name: str, found: dict[str, str] | None) -> None:
    assert captures(pattern, name) == found


@pytest.mark.parametrize(
    ("pattern", "name", "but"),
    [
        ("Orders_{day:yyyyMMdd}.csv", "orders_20260131.CSV", "case"),
        ("orders_{day:yyyyMMdd}.csv", "orders_20261331.csv", "date or number"),
        ("orders_{day:yyyyMMdd}.csv", "orders_2026-01-31.csv", "date or number"),
        ("orders_{n:int}.csv", "orders_1a.csv", "date or number"),
        ("orders_{n}.csv", "customers_1.csv", None),
        ("*.csv", "README", None),
    ],
)
def test_what_alone_keeps_a_name_from_matching(pattern: str, name: str, but: str | None) -> None:
    assert almost(pattern, name) == but


def test_captures_of_a_pattern() -> None:
    found = [(each.name, each.date_pattern, each.number) for each in captures_in("{a}*{n:int}?{day:yyyyMMdd}")]
    assert found == [("a", None, False), ("n", None, True), ("day", "yyyyMMdd", False)]
    assert list(mistakes("{a}_{n:int}_{day:yyyyMMdd}.csv")) == []


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{a}_{b}_{c}_{d}.csv", "_" * 250),
        ("{a}_{b}_{c}.csv", "_" * 1000),
        ("*_" * 20 + ".csv", "_" * 1000),
        ("*a" * 50 + "b", "a" * 1000),
        ("{a}{n:int}" * 1 + "1" * 5 + "*1" * 40 + "x", "1" * 1000),
        ("*{day:yyyyMMdd}*{until:yyyyMMdd}*.csv", "20260131" * 125),
    ],
)
def test_no_name_takes_long(pattern: str, name: str) -> None:
    started = time.process_time()
    captures(pattern, name)
    almost(pattern, name)
    assert time.process_time() - started < 0.5


def test_no_two_patterns_take_long() -> None:
    started = time.process_time()
    may_meet("*a" * 1600, "*b" * 1600 + "c")
    may_meet("{x}" * 1600, "?*" * 1600)
    assert time.process_time() - started < 1


# The order


def discovered(pattern: str, *names: str, order_by: str = "n") -> tuple[list[str], str]:
    source = Source("/landing/", Format.CSV, files=pattern, order_by=order_by)
    listing = discover(source, [File(f"/landing/{name}", name, 1, 1, 1) for name in names])
    return [file.name for file in listing.pending], listing.order


def test_numbers_order_as_numbers() -> None:
    names = ("o_10.csv", "o_9.csv", "o_010.csv", "o_2.csv")
    for pattern in ("o_{n}.csv", "o_{n:int}.csv"):
        assert discovered(pattern, *names) == (["o_2.csv", "o_9.csv", "o_010.csv", "o_10.csv"], "n, as numbers")


def test_one_text_among_them_makes_all_of_them_texts() -> None:
    assert discovered("o_{n}.csv", "o_10.csv", "o_9.csv", "o_x.csv") == (
        ["o_10.csv", "o_9.csv", "o_x.csv"],
        "n, as text",
    )
    assert discovered("o_{n:int}.csv", "o_10.csv", "o_9.csv", "o_x.csv")[0] == ["o_9.csv", "o_10.csv"]


def test_dates_order_as_dates() -> None:
    assert discovered("{n:ddMMyyyy}.csv", "01022026.csv", "02012026.csv") == (["02012026.csv", "01022026.csv"], "n")


def test_a_long_number_is_one() -> None:
    longest = "9" * 250
    assert discovered("{n}", longest, "8")[0] == ["8", longest]


def test_a_name_that_looks_meant_is_told() -> None:
    source = Source("/landing/", Format.CSV, files="o_{day:yyyyMMdd}.csv")
    names = ("O_20260131.csv", "o_20261331.csv", "other.csv", "_o_20260131.csv")
    listing = discover(source, [File(f"/landing/{name}", name, 1, 1, 1) for name in names])
    assert listing.told == (
        "O_20260131.csv: skipped: the name does not match o_{day:yyyyMMdd}.csv, but for its case it would",
        "o_20261331.csv: skipped: the name does not match o_{day:yyyyMMdd}.csv, but for its date or number it would",
    )

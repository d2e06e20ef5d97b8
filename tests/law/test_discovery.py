"""Which files of a landing folder count, why others do not, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from framework.feed import Format, Source
from framework.law.discovery import Listing, captures, discover
from framework.names import File, Skipped


def file(name: str, modified: int = 1) -> File:
    return File(f"/landing/{name}", name, modified, 1, modified)


def source(files: str | None = None, order_by: str = "name") -> Source:
    return Source("/landing/", Format.CSV, files, True, order_by)


def pending(names: Sequence[str], files: str | None = None, order_by: str = "name") -> list[str]:
    return [each.name for each in discover(source(files, order_by), map(file, names)).pending]


HIDDEN = "the name begins with . or _"
UNFINISHED = "the name is that of an unfinished upload"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.csv", None),
        ("_a.csv", HIDDEN),
        (".a.csv", HIDDEN),
        ("_x/a.csv", HIDDEN),
        (".x/a.csv", HIDDEN),
        ("x/_y/a.csv", HIDDEN),
        ("x/.y/a.csv", HIDDEN),
        ("x/_a.csv", HIDDEN),
        ("x_/a_.csv", None),
        ("x.y/a.b.csv", None),
        ("a.csv~", UNFINISHED),
        ("a.csv.crdownload", UNFINISHED),
        ("a.csv.part", UNFINISHED),
        ("a.csv.tmp", UNFINISHED),
        ("x.tmp/a.csv", None),
        ("a.tmp.csv", None),
        ("a.csv.TMP", None),
        ("tmp", None),
        ("_a.tmp", HIDDEN),
    ],
)
def test_names_that_never_count(name: str, reason: str | None) -> None:
    listing = discover(source(), [file(name)])
    assert [skip.reason for skip in listing.skipped] == ([] if reason is None else [reason])
    assert [each.name for each in listing.pending] == ([name] if reason is None else [])


def test_names_that_are_not_asked_for_are_skipped_with_the_pattern() -> None:
    listing = discover(source("a*.csv"), [file("b.csv"), file("a1.csv"), file("a2.CSV"), file("a.csv.tmp")])
    assert listing.pending == (file("a1.csv"),)
    assert listing.skipped == (
        Skipped(file("a.csv.tmp"), UNFINISHED),
        Skipped(file("a2.CSV"), "the name does not match a*.csv, but for its case it would", told=True),
        Skipped(file("b.csv"), "the name does not match a*.csv"),
    )


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("a?.csv", ["ab.csv", "a?.csv", "a..csv"], ["a.csv", "abc.csv"]),
        ("??", ["ab"], ["a", "abc", ""]),
        ("a*.csv", ["a.csv", "abc.csv", "a*.csv"], ["ba.csv", "a.csv2", "aXcsv"]),
        ("*", ["", "anything at all"], []),
        ("a.csv", ["a.csv"], ["abcsv", "A.csv", "a.csv ", "a.csv\n"]),
        ("a(b)[c]+.csv", ["a(b)[c]+.csv"], ["abc.csv"]),
        (
            "*_{day:yyyyMMdd}.csv",
            ["x_20260131.csv", "_20260131.csv"],
            ["x_20260230.csv", "x_2026013.csv", "20260131.csv"],
        ),
        ("{shop}.csv", ["a.csv", "a.b.csv"], [".csv"]),
        ("a*b", ["ab", "a\nb"], []),
    ],
)
def test_patterns_match_whole_names(pattern: str, good: list[str], bad: list[str]) -> None:
    assert [name for name in good + bad if captures(pattern, name) is not None] == good


def test_a_pattern_is_about_the_name_and_not_the_folder() -> None:
    assert pending(["x/a.csv", "a/x.csv"], "a*") == ["x/a.csv"]


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("a.csv", "a.csv", {}),
        ("{shop}_{n}.csv", "north_7.csv", {"shop": "north", "n": "7"}),
        ("{a}-{b}", "1-2-3", {"a": "1", "b": "2-3"}),
        ("o_{d:yyyyMMdd}.csv", "o_20260131.csv", {"d": "2026-01-31"}),
        ("o_{d:ddMMyyyy}.csv", "o_31012026.csv", {"d": "2026-01-31"}),
        ("o_{d:yyMMdd}.csv", "o_900131.csv", {"d": "2090-01-31"}),
        ("o_{d:yyyyMMddHH}.csv", "o_2026013107.csv", {"d": "2026-01-31 07:00:00"}),
        ("o_{d:yyyyMMddHHmmss}.csv", "o_20260131070809.csv", {"d": "2026-01-31 07:08:09"}),
        ("o_{d:yyyyMMdd'T'HHmm}.csv", "o_20260131T0708.csv", {"d": "2026-01-31 07:08:00"}),
        ("o_{d:yyyyMMdd}_{shop}", "o_20260131_x", {"d": "2026-01-31", "shop": "x"}),
        ("{a}{d:yyyyMMdd}", "1220260131", {"a": "12", "d": "2026-01-31"}),
        ("o_{d:yyyyMMdd}.csv", "o_20261331.csv", None),
        ("o_{d:yyyyMMdd}.csv", "o_2026013a.csv", None),
    ],
)
def test_captures(pattern: str, name: str, found: dict[str, str] | None) -> None:
    assert captures(pattern, name) == found


def test_by_name_the_whole_path_below_the_folder_counts() -> None:
    assert pending(["b/1", "a/2", "c", "a/10", "B"]) == ["B", "a/10", "a/2", "b/1", "c"]


def test_by_time_of_modification_and_then_by_name() -> None:
    files = [file("c", 1), file("b", 2), file("a", 2), file("d", 0)]
    assert [each.name for each in discover(source(order_by="modified"), files).pending] == ["d", "c", "a", "b"]


def test_by_a_capture_and_then_by_name() -> None:
    names = ["b_02012026", "a_01022026", "z_01012026", "y/c_01012026"]
    assert pending(names, "{shop}_{d:ddMMyyyy}", "d") == ["y/c_01012026", "z_01012026", "b_02012026", "a_01022026"]
    assert pending(names, "{shop}_{d:ddMMyyyy}", "shop") == ["a_01022026", "b_02012026", "y/c_01012026", "z_01012026"]


def test_a_listing_without_some_files_says_why_and_keeps_what_was_skipped_before() -> None:
    listing = Listing((file("a"), file("b"), file("c")), (Skipped(file("_"), HIDDEN),))
    left = listing.without(lambda each: each.name == "b", "already loaded")
    assert left == Listing((file("a"), file("c")), (Skipped(file("_"), HIDDEN), Skipped(file("b"), "already loaded")))
    assert left.without(lambda _: False, "no") == left

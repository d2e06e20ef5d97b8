"""Patterns with folders, as tables."""

from __future__ import annotations

import pytest

from framework.law.pathnames import almost, captures, may_meet, mistakes

DAY = "dt={day:yyyy-MM-dd}/*.csv"


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        (DAY, "dt=2026-01-02/a.csv", {"day": "2026-01-02"}),
        (DAY, "dt=2026-01-32/a.csv", None),
        (DAY, "a.csv", None),
        (DAY, "x/dt=2026-01-02/a.csv", None),
        (DAY, "dt=2026-01-02/x/a.csv", None),
        ("*/*.csv", "x/a.csv", {}),
        ("{region}/{n:int}.csv", "it/7.csv", {"region": "it", "n": "7"}),
        ("{region}/{n:int}.csv", "it/x/7.csv", None),
        ("{n:int}.csv", "it/x/7.csv", {"n": "7"}),
    ],
)
def test_what_a_path_gives(pattern: str, path: str, found: dict[str, str] | None) -> None:
    assert captures(pattern, path) == found


@pytest.mark.parametrize(
    ("path", "but"),
    [
        ("DT=2026-01-02/a.csv", "case"),
        ("dt=2026-01-32/a.csv", "date or number"),
        ("DT=2026-01-02/a.CSV", None),
        ("a.csv", None),
    ],
)
def test_what_alone_keeps_a_path_from_matching(path: str, but: str | None) -> None:
    assert almost(DAY, path) == but


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("a/*.csv", "b/*.csv", False),
        ("a/*.csv", "{x}/b*.csv", True),
        ("a/*.csv", "a/b/*.csv", False),
        ("a/*.csv", "*.csv", True),
        ("a/*.csv", "*.json", False),
        ("a/*.csv", None, True),
    ],
)
def test_whether_two_patterns_meet(one: str, other: str | None, meet: bool) -> None:
    assert may_meet(one, other) == may_meet(other, one) == meet


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [("/a.csv", "no name"), ("a/", "no name"), ("a//b", "no name"), ("../a", "no name"), ("{d:yyyy/MM}*", "reaches")],
)
def test_wrong_patterns(pattern: str, wrong: str) -> None:
    assert wrong in next(iter(mistakes(pattern)))[0]


@pytest.mark.parametrize("pattern", [DAY, "*.csv", "{a}/{b}/*"])
def test_right_patterns(pattern: str) -> None:
    assert list(mistakes(pattern)) == []

"""File name patterns: their captures, their mistakes, and whether two could take the same file."""

from __future__ import annotations

import pytest

from framework.law.filenames import Capture, captures_in, literal_prefix, may_meet, mistakes


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.csv", ()),
        ("{shop}.csv", (Capture("shop", None),)),
        ("{d:yyyyMMdd}_{shop}", (Capture("d", "yyyyMMdd"), Capture("shop", None))),
        ("{d:HH:mm}", (Capture("d", "HH:mm"),)),
        ("{d:}", (Capture("d", ""),)),
        ("{}", (Capture("", None),)),
    ],
)
def test_captures(pattern: str, found: tuple[Capture, ...]) -> None:
    assert tuple(captures_in(pattern)) == found


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("a*?.csv", []),
        ("{a}_{b:yyyyMMdd}", []),
        ("a{b", ["a { or } without its other half"]),
        ("a}b", ["a { or } without its other half"]),
        ("{a}{", ["a { or } without its other half"]),
        ("{a}_{a}", ["the capture 'a' stands twice"]),
        ("{a}_{a}_{a}", ["the capture 'a' stands twice"] * 2),
        ("{1a}", ["'1a' cannot name a capture"]),
        ("{a b}", ["'a b' cannot name a capture"]),
        ("{}", ["'' cannot name a capture"]),
        ("{name}", ["'name' means something else in order_by"]),
        ("{modified}", ["'modified' means something else in order_by"]),
        ("{a:}", ["the capture 'a' has an empty date pattern"]),
        ("{1:}", ["'1' cannot name a capture", "the capture '1' has an empty date pattern"]),
    ],
)
def test_mistakes(pattern: str, words: list[str]) -> None:
    assert [message for message, _ in mistakes(pattern)] == words


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        (None, ""),
        ("a.csv", "a.csv"),
        ("ab*", "ab"),
        ("ab?c", "ab"),
        ("ab{c}d", "ab"),
        ("ab{c:yyyy}d", "ab"),
        ("*ab", ""),
    ],
)
def test_what_every_name_begins_with(pattern: str | None, prefix: str) -> None:
    assert literal_prefix(pattern) == prefix


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (None, None, True),
        (None, "a", True),
        ("a", "a", True),
        ("a", "b", False),
        ("a", "A", False),
        ("a", "ab", False),
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("a*", "a", True),
        ("a*c", "ab", False),
        ("*", "", True),
        ("?", "", False),
        ("?", "a", True),
        ("?", "ab", False),
        ("??", "?", False),
        ("?*", "a", True),
        ("a?", "?b", True),
        ("{x}", "a", True),
        ("{x}", "", False),
        ("a{x}", "a", False),
        ("a{x}", "abc", True),
        ("{d:yyyyMMdd}.csv", "20260101.csv", True),
        ("20260101.csv", "{d:yyyyMMdd}.csv", True),
        ("{d:yyyyMMdd}.csv", "2026010a.csv", False),
        ("2026010a.csv", "{d:yyyyMMdd}.csv", False),
        ("{d:yyyyMMdd}.csv", "2026010.csv", False),
        ("{d:yyyyMMdd}.csv", "{x}.csv", True),
        ("{d:yyyyMMdd}", "{e:ddMMyyyy}", True),
        ("{d:yyyyMMdd}", "{e:yyMMdd}", False),
        ("{d:yyyy-MM-dd}", "2026-01-01", True),
        ("{d:yyyy-MM-dd}", "2026.01.01", False),
        ("{d:yyyy-MM-dd}", "{e:yyyy.MM.dd}", False),
        ("{d:dMMMyyyy}", "1Jan2026", True),
        ("{d:dMMMyyyy}", "x", True),
        ("{d:yyyyMdd}", "20261201", True),
        ("{d:yyyy''MMdd}", "2026'0101", True),
        ("{d:HHmmss}", "235959", True),
        ("{d:HHmmss}", "2359x9", False),
        ("{d:HHmmss}", "2x5959", False),
        ("{d:yyyyMMdd'x'}", "20260101x", True),
        ("orders_*.csv", "orders_{d:yyyyMMdd}.csv", True),
        ("orders_{d:yyyyMMdd}.csv", "orders_eu_*.csv", False),
        ("a?c*", "*bc", True),
        ("*a*b*", "*c*", True),
    ],
)
def test_whether_two_patterns_can_meet(one: str | None, other: str | None, meet: bool) -> None:
    assert may_meet(one, other) is meet
    assert may_meet(other, one) is meet

"""`expect`: what is wrong with it, and what it is made into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta

from framework.errors import Problem
from framework.feed import Expect, RowBound
from framework.loader.environments import zone_problem
from framework.loader.nodes import Node
from framework.loader.values import text, texts

__all__ = ["expectation", "problems"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks"}


def problems(tree: Node) -> Iterator[Problem]:
    """Problems of `expect`, of which the JSON Schema has checked the form."""
    expect = tree.get("expect")
    if expect is None or expect.broken:
        return
    every, by, zone, but = expect.get("every"), expect.get("by"), expect.get("timezone"), expect.get("except")
    if by is not None and every is not None and _every(every.text) < timedelta(days=1):
        yield by.problem("expect.by", f"there is no time of day for every {every.shown}", "remove it, or say 1 day")
    if zone is not None and (problem := zone_problem(zone, "expect.timezone")):
        yield problem
    for node in but.items if but is not None else []:
        if node.text not in _DAYS and _month_and_day(node.text) is None:
            yield node.problem("expect.except", f"there is no day '{node.shown}'", "for example 2026-12-25 or 12-25")
    if but is not None and {node.text for node in but.items}.issuperset(_DAYS):
        yield but.problem("expect.except", "no day of the week is left", "remove one of them")
    if by is not None and (words := by.text.split())[0] in _DAYS and words[0] in texts(expect, "except"):
        yield by.problem(
            "expect.by", f"every {words[0]} is an exception", "choose another day, or remove it from except"
        )
    rows = expect.get("rows")
    if rows is not None and not rows.broken and len(rows.map) == 2:
        least, most = (_bound(rows, key) for key in ("min", "max"))
        if least and most and least.of_usual == most.of_usual and least.number > most.number:
            yield rows.problem("expect.rows", "min is more than max", "exchange them")


def expectation(tree: Node, timezone: str) -> Expect | None:
    """The expectation of a feed without problems; days are those of `timezone` unless it says another."""
    expect = tree.get("expect")
    if expect is None:
        return None
    words = (text(expect, "by") or "").split()
    excepted = texts(expect, "except")
    rows = expect.get("rows")
    return Expect(
        every=_every(text(expect, "every") or ""),
        by=time.fromisoformat(words[-1]) if words else None,
        weekday=_DAYS.index(words[0]) if len(words) == 2 else None,
        weekdays=frozenset(_DAYS.index(day) for day in excepted if day in _DAYS),
        exceptions=frozenset(day for day in excepted if day not in _DAYS),
        timezone=text(expect, "timezone") or timezone,
        min_rows=_bound(rows, "min") if rows is not None else None,
        max_rows=_bound(rows, "max") if rows is not None else None,
    )


def _every(written: str) -> timedelta:
    unit = written.lstrip("0123456789").strip()
    return timedelta(**{_UNITS[unit.removesuffix("s")]: int(written.removesuffix(unit))})


def _bound(rows: Node, key: str) -> RowBound | None:
    found = text(rows, key)
    return None if found is None else RowBound(float(found.removesuffix("%")), found.endswith("%"))


def _month_and_day(day: str) -> date | None:
    try:
        return date.fromisoformat(day if len(day) > 5 else f"2024-{day}")
    except ValueError:
        return None

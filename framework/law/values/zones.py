"""The zones that values carry, as SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from framework.law.dialects import Dialect
from framework.law.values.patterns import regions

__all__ = ["Then", "Zone", "carried", "within_years"]


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone that a value carries, as SQL: its `text` ('' for none), whether it is `real`, and the instant that
    a local time is in it."""

    text: str
    real: str
    instant: Callable[[str], str]


Then: TypeAlias = Callable[[str, Zone | None], str]
"""SQL of a value from a local time (SQL) and the zone that it carries."""


def carried(sql: Dialect, offset: str, region: str) -> Zone:
    """A zone from an offset (Z, UTC, ±HH, ±HHmm, ±HH:mm or '') or from the name of a region, if it has one."""
    hours = f"coalesce(try_cast(substring({offset}, 2, 2) AS bigint), 0)"
    minutes = f"CASE WHEN length({offset}) > 3 THEN coalesce(try_cast(right({offset}, 2) AS bigint), 0) ELSE 0 END"
    real = f"({minutes} <= 59 AND {hours} * 60 + {minutes} <= 1080)"
    total = f"({hours} * 60 + {minutes}) * CASE WHEN {offset} LIKE '-%' THEN -1 ELSE 1 END"

    def by_offset(local: str) -> str:
        return within_years(sql, sql.minutes_before(local, total))

    if not region:
        return Zone(offset, real, by_offset)
    named = f"{region} LIKE '%/%'"

    def by_either(local: str) -> str:
        there = within_years(sql, sql.instant(local, region))
        return f"CASE WHEN {named} THEN {there} ELSE {by_offset(local)} END"

    known = f"{region} IN ({sql.texts(sorted(regions()))})"
    return Zone(region, f"(CASE WHEN {named} THEN {known} ELSE {real} END)", by_either)


def within_years(sql: Dialect, instant: str) -> str:
    """The instant, NULL when its zone has moved it out of the years 0001 to 9999."""
    first, last = map(sql.instant_literal, ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"))
    value = f"CASE WHEN i BETWEEN {first} AND {last} THEN i END"
    return sql.bind("i", instant, value)

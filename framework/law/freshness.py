"""Freshness: whether a feed's data has come when it was expected, judged from when it came before.

With `by` there is a deadline on each day that is no exception (or on one day of the week). A load counts for the next
deadline, if it is no longer than `every` before it; one that comes when a deadline was missed counts for that one, if
it is nearer. Without `by` each load sets the deadline for the next one, and days that are exceptions do not count.
Days are those of the expectation's time zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from statistics import median
from zoneinfo import ZoneInfo

from framework.feed import Expect

__all__ = ["Arrived", "Freshness", "FreshnessState", "judged"]

_FEWEST = 3
"""Loads that it takes to say what is usual."""
_DAYS = 800
"""Days within which a deadline is looked for."""


class FreshnessState(StrEnum):
    """UNKNOWN: nothing was ever loaded; RECOVERED: the newest load came after its deadline."""

    UNKNOWN = "unknown"
    FRESH = "fresh"
    RECOVERED = "recovered"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A load: when it was done (UTC), and the rows that were read."""

    at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """`late_since` is the first deadline that was missed, `due` the one that is to be met, `last` the newest load (all
    UTC); `unusual` says what is wrong with its number of rows."""

    state: FreshnessState
    late_since: datetime | None = None
    due: datetime | None = None
    last: datetime | None = None
    unusual: str | None = None


def judged(expect: Expect, loads: Sequence[Arrived], waiting: datetime | None, now: datetime) -> Freshness:
    """The feed at the moment `now` (UTC), by its loads, newest first, and the time of the oldest file that waits in
    landing to be loaded."""
    if not loads:
        missed = _missed(expect, waiting, now) if waiting is not None else None
        return Freshness(FreshnessState.UNKNOWN if missed is None else FreshnessState.LATE, missed)
    met, was_late = _met(expect, [load.at for load in reversed(loads)])
    last, unusual = loads[0].at, _unusual(expect, [load.rows for load in loads])
    missed = _missed(expect, met, now)
    if missed is not None:
        return Freshness(FreshnessState.LATE, missed, missed, last, unusual)
    recovered = was_late and (expect.by is None or _passed(expect, last) == _passed(expect, now))
    state = FreshnessState.RECOVERED if recovered else FreshnessState.FRESH
    return Freshness(state, None, _next(expect, met), last, unusual)


def _met(expect: Expect, loads: Sequence[datetime]) -> tuple[datetime, bool]:
    """What the loads, oldest first, count for: the newest deadline that is met (without `by`: the newest load), and
    whether the newest load came late."""
    met, late = loads[0], False
    for at in loads:
        late = _missed(expect, met, at) is not None
        if expect.by is None:
            met = at
            continue
        passed, coming = _passed(expect, at), _next(expect, at)
        near = passed is not None and coming is not None and at - passed < coming - at
        if late and near and passed is not None:
            met = passed
        elif coming is not None and at >= _begin(expect, coming):
            met = max(met, coming)
        else:
            met = max(met, at)
    return met, late


def _missed(expect: Expect, met: datetime, now: datetime) -> datetime | None:
    """The first deadline after the one that is met, if it is over."""
    due = _next(expect, met)
    return due if due is not None and due < now else None


def _next(expect: Expect, after: datetime) -> datetime | None:
    """The first deadline after a moment; None when all days to come are exceptions."""
    if expect.by is None:
        return _after(expect, after)
    first = after.astimezone(_zone(expect)).date()
    days = (first + timedelta(days=ahead) for ahead in range(_DAYS))
    return next((d for day in days if (d := _deadline(expect, day)) is not None and d > after), None)


def _unusual(expect: Expect, rows: Sequence[int]) -> str | None:
    """What is wrong with the number of rows of the newest load, which stands first."""
    newest, earlier = rows[0], rows[1:]
    usual = median(earlier) if len(earlier) >= _FEWEST else None
    least, most = (bound.rows(usual) if bound is not None else None for bound in (expect.min_rows, expect.max_rows))
    of = f", usually {usual:,.0f}" if usual is not None else ""
    if least is not None and newest < least:
        return f"the newest load has {newest:,} rows, fewer than {least:,.0f}{of}"
    if most is not None and newest > most:
        return f"the newest load has {newest:,} rows, more than {most:,.0f}{of}"
    return None


def _passed(expect: Expect, now: datetime) -> datetime | None:
    """The newest deadline that is over."""
    local = now.astimezone(_zone(expect))
    days = (local.date() - timedelta(days=back) for back in range(_DAYS))
    return next((d for day in days if (d := _deadline(expect, day)) is not None and d <= now), None)


def _deadline(expect: Expect, day: date) -> datetime | None:
    if expect.by is None or expect.excepts(day) or expect.weekday not in (None, day.weekday()):
        return None
    return datetime.combine(day, expect.by, _zone(expect)).astimezone(UTC)


def _begin(expect: Expect, deadline: datetime) -> datetime:
    """From when on a load counts for a deadline: by the clock on the wall, whatever summer time does."""
    zone = _zone(expect)
    local = deadline.astimezone(zone).replace(tzinfo=None) - expect.every
    return local.replace(tzinfo=zone).astimezone(UTC)


def _after(expect: Expect, last: datetime) -> datetime | None:
    """When the period after a load ends, of which days that are exceptions are no part."""
    zone, left = _zone(expect), expect.every
    if not expect.exceptions and not expect.weekdays:
        return last + left
    at = last.astimezone(zone)
    first = at.date()
    for day in (first + timedelta(days=n) for n in range(_DAYS)):
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
        if expect.excepts(day):
            at = midnight
            continue
        here = midnight.astimezone(UTC) - at.astimezone(UTC)
        if left < here:
            return at.astimezone(UTC) + left
        left, at = left - here, midnight
    return None


def _zone(expect: Expect) -> ZoneInfo:
    return ZoneInfo(expect.timezone)

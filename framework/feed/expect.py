"""When data is expected, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

__all__ = ["Expect", "RowBound"]


@dataclass(frozen=True, slots=True)
class RowBound:
    """So many rows, or so many percent `of_usual`."""

    number: float
    of_usual: bool = False

    def rows(self, usual: float | None) -> float | None:
        """The number of rows, None when it depends on what is usual and nobody knows that."""
        if not self.of_usual:
            return self.number
        return None if usual is None else usual * self.number / 100


@dataclass(frozen=True, slots=True)
class Expect:
    """How often data is expected, `by` which time of day, if any, and on which `weekday` (0 is Monday; None: every
    day). `weekdays` and `exceptions` (`2026-12-25`, or `12-25` of every year) are days on which nothing is."""

    every: timedelta
    by: time | None = None
    weekday: int | None = None
    weekdays: frozenset[int] = frozenset()
    exceptions: frozenset[str] = frozenset()
    timezone: str = "UTC"
    min_rows: RowBound | None = None
    max_rows: RowBound | None = None

    def excepts(self, day: date) -> bool:
        """Whether nothing is expected on a day."""
        named = day.isoformat()
        return day.weekday() in self.weekdays or named in self.exceptions or named[5:] in self.exceptions

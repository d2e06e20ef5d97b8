"""How dates and times are written, told from values alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from framework.law.values import parse
from framework.types import Scalar

__all__ = ["Moments", "Way"]

_MOST = 4
"""More ways in one column are no longer believed."""
_LOOKS = re.compile(r"(?=.*[0-9])[A-Za-z0-9].{4,40}", re.DOTALL)
_SEPARATED = (
    *("yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd"),
    *("dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "dd-MM-yyyy", "MM-dd-yyyy"),
    *("d.M.yyyy", "d/M/yyyy", "M/d/yyyy", "d-M-yyyy", "M-d-yyyy"),
    *("dd-MMM-yyyy", "dd MMM yyyy", "d MMM yyyy", "MMM d, yyyy", "d MMMM yyyy", "MMMM d, yyyy"),
    *("dd-MMM-yy", "dd.MM.yy", "dd/MM/yy", "MM/dd/yy", "d/M/yy", "M/d/yy"),
)
_TIMES = (
    *(" HH:mm:ss", " HH:mm", "'T'HH:mm:ss", "'T'HH:mm", " HH:mm:ss.SSS", " HH:mm:ss.SSSSSS", " HH:mm:ssXXX"),
    *(" hh:mm:ss a", " hh:mm a", " h:mm:ss a", " h:mm a", " H:mm", " H:mm:ss"),
)
_WHOLE = ("yyyyMMdd'T'HHmmss", "yyyyMMdd'T'HHmmssX", "dd/MMM/yyyy:HH:mm:ss Z", "yyyyMMdd HHmmss", "yyyyMMdd HH:mm:ss")
DIGITS = (("date", "yyyyMMdd"), ("timestamp", "yyyyMMddHHmmss"))


@dataclass(frozen=True, slots=True)
class Way:
    """A type and, where it is not ISO 8601, its pattern."""

    type: str
    format: str | None = None

    def reads(self, text: str) -> bool:
        try:
            found = parse(text, Scalar(self.type), formats=(self.format,) if self.format else ())
        except ValueError:
            return False
        return bool(1000 <= found.year <= 9998)  # a zone moves none of these out of the range of years


_WAYS = (
    Way("date"),
    Way("timestamp"),
    *(Way("date", pattern) for pattern in _SEPARATED),
    *(Way("timestamp", day + time) for day in _SEPARATED for time in _TIMES),
    *(Way("timestamp", pattern) for pattern in _WHOLE),
)
_DIGIT_WAYS = tuple(Way(*way) for way in DIGITS)


@dataclass(slots=True)
class Moments:
    """What the values so far may be: `alone` reads each of them, `several` do together."""

    alone: list[Way] | None = None
    several: list[Way] | None = field(default_factory=list)

    @property
    def dead(self) -> bool:
        """Whether the values are no dates or times."""
        return self.alone == [] and self.several is None

    def take(self, text: str) -> None:
        """A further value, without blanks around it."""
        if self.dead:
            return
        if not _LOOKS.fullmatch(text):
            self.alone, self.several = [], None
            return
        ways = _DIGIT_WAYS if text.isdecimal() and text.isascii() else _WAYS
        self.alone = [way for way in (ways if self.alone is None else self.alone) if way.reads(text)]
        if self.several is not None and not any(way.reads(text) for way in self.several):
            found = next((way for way in ways if way.format and way.reads(text)), None)
            self.several = [*self.several, found] if found is not None and len(self.several) < _MOST else None

    def found(self) -> tuple[str, tuple[str, ...]] | None:
        """The type and its patterns (none for ISO 8601); None where the values are no dates or times."""
        if self.alone:
            first = self.alone[0]
            return first.type, (first.format,) if first.format else ()
        if not self.several or self.in_doubt(self.several):
            return None
        kind = "timestamp" if any(way.type == "timestamp" for way in self.several) else "date"
        return kind, tuple(way.format for way in self.several if way.format)

    @property
    def ambiguous(self) -> bool:
        """Whether the day and the month could be the other way round."""
        return self.in_doubt(self.alone or [])

    @staticmethod
    def in_doubt(ways: list[Way]) -> bool:
        """Whether two of the ways differ by the order of day and month alone."""
        formats = [way.format for way in ways if way.format]
        return any(re.sub("[Md]", "?", one) == re.sub("[Md]", "?", other) and one != other for one in formats
                   for other in formats)  # fmt: skip

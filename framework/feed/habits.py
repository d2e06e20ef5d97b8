"""Habits: how senders write their files, beyond what a format says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Control", "Negative", "Numbers", "ShortRows", "Span", "Trailer"]


class Negative(StrEnum):
    """Where a negative number has its sign."""

    LEADING = "leading"
    TRAILING = "trailing"
    PARENTHESES = "parentheses"


@dataclass(frozen=True, slots=True)
class Numbers:
    """How numbers are written: the sign before the decimals, the one between groups of digits ("" for none; a blank
    stands for blanks of any kind), where the minus of negative ones is, and signs that mean nothing."""

    decimal: str = "."
    group: str = ""
    negative: tuple[Negative, ...] = (Negative.LEADING,)
    strip: str = ""


class ShortRows(StrEnum):
    """What becomes of a record with too few fields, or with empty ones too many."""

    QUARANTINE = "quarantine"
    FILL = "fill"


@dataclass(frozen=True, slots=True)
class Span:
    """A field by its place in a line: its first character, counted from 1, and how many."""

    start: int
    width: int

    def of(self, line: str) -> str:
        return line[self.start - 1 : self.start - 1 + self.width]


@dataclass(frozen=True, slots=True)
class Trailer:
    """Records that are no rows but tell what is before them. `count` is the field (from 1, or a span of a line) that
    holds the number of records, `sums` those that hold the sum of a column."""

    starts_with: str
    count: int | Span | None = None
    sums: tuple[tuple[str, int | Span], ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """A file beside each file, which tells what is in it. `file` is its name, with {file} for the other's; the others
    are regular expressions, whose first group is the number of records, the SHA-256, or the sum of a column."""

    file: str
    count: str | None = None
    sha256: str | None = None
    sums: tuple[tuple[str, str], ...] = ()

    @property
    def patterns(self) -> Mapping[str, str]:
        """All regular expressions, by what they find."""
        named = {"count": self.count, "sha256": self.sha256}
        return {name: pattern for name, pattern in named.items() if pattern is not None} | {
            f"sums.{column}": pattern for column, pattern in self.sums
        }

"""How numbers are written, told from values alone: plainly, or by the habits of a country or a program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from framework.feed import Negative, Numbers
from framework.law.values import parse, plain_number
from framework.types import DataType, Decimal, Scalar

__all__ = ["Digits", "Written"]

_SCALE = 2
"""Digits behind the point that decimals have at least, where there is room."""
_PLAIN = re.compile(r"[+-]?(?:0*)([0-9]*)(?:\.([0-9]*))?")
_STRIPPED = "€$£¥%"
_BESIDE = re.compile(r"(?<![0-9])\s|\s(?![0-9])")
"""A blank that stands not between digits."""
_ANYWHERE = tuple(Negative)
_HABITS = tuple(
    Numbers(decimal, group, _ANYWHERE, f"{_STRIPPED} ")
    for decimal, group in ((".", ""), (",", ""), (",", "."), (",", " "), (",", "'"), (".", ","), (".", " "), (".", "'"))
)
"""The likeliest first; each takes every kind of sign, of which those are told that occur."""
_THREE = re.compile(r"[^0-9]*[0-9]{1,3}(?:[.,][0-9]{3})+[^0-9]*")
_DOUBLE = Scalar("double")


@dataclass(slots=True)
class Digits:
    """What numbers so far have in common: whether all are some, without an exponent, with zeros before them; the most
    digits before and behind the point, and how many letters long they are."""

    numbers: bool = True
    exact: bool = True
    leading_zeros: bool = False
    left: int = 0
    scale: int = 0
    lengths: set[int] = field(default_factory=set)

    def take(self, text: str | None) -> None:
        """A further number, written plainly; None for what is none."""
        if not self.numbers or text is None or not _is_number(text):
            self.numbers = False
            return
        plain = _PLAIN.fullmatch(text)
        if plain is None:
            self.exact = False
            return
        self.leading_zeros = self.leading_zeros or bool(re.match(r"\+|-?0[0-9]", text))
        self.left, self.scale = max(self.left, len(plain[1])), max(self.scale, len(plain[2] or ""))
        self.lengths.add(len(text))

    def type(self) -> DataType | None:
        """The type that takes all of them exactly; None where only text does."""
        if not self.exact:
            return _DOUBLE
        if self.left + self.scale > 38:
            return None
        if not self.scale and self.left <= 18:
            return Scalar("bigint")
        scale = max(self.scale, min(_SCALE, 38 - self.left))
        return Decimal(18 if self.left + scale <= 18 else 38, scale)


def _is_number(text: str) -> bool:
    try:
        parse(text, _DOUBLE)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class Written:
    """The habits by which every value so far is a number, each with what the numbers have in common."""

    left: dict[Numbers, Digits] = field(default_factory=lambda: {habit: Digits() for habit in _HABITS})
    signs: set[str] = field(default_factory=set)
    negative: set[Negative] = field(default_factory=set)
    _in_doubt: bool = True

    def take(self, text: str) -> None:
        """A further value, without blanks around it."""
        if not self.left:
            return
        for habit, digits in list(self.left.items()):
            digits.take(plain_number(text, habit))
            if not digits.numbers:
                del self.left[habit]
        self._in_doubt = self._in_doubt and (_THREE.fullmatch(text) is not None or text.isdecimal())
        self.signs |= {sign for sign in _STRIPPED if sign in text}
        self.signs |= {" "} if _BESIDE.search(text) else set()
        self.negative |= {Negative.LEADING} if re.match(r"[^0-9(]*[-\u2212]", text) else set()
        self.negative |= {Negative.TRAILING} if re.search(r"[0-9][^0-9)]*[-\u2212][^0-9]*$", text) else set()
        self.negative |= {Negative.PARENTHESES} if "(" in text else set()

    def found(self) -> tuple[Numbers, Digits] | None:
        """How the numbers are written; None where they are none, or could be other ones."""
        if not self.left or self.in_doubt:
            return None
        habit, digits = next(iter(self.left.items()))
        return self._told(habit), digits

    @property
    def in_doubt(self) -> bool:
        """Whether a sign could stand before decimals, or between groups of digits."""
        return self._in_doubt and len({habit.decimal for habit in self.left}) > 1 and bool(self._signs_of(self.left))

    @staticmethod
    def _signs_of(habits: dict[Numbers, Digits]) -> set[str]:
        """The signs that some take for decimals and others for groups."""
        return {habit.decimal for habit in habits} & {habit.group for habit in habits}

    def _told(self, habit: Numbers) -> Numbers:
        """The habit with the signs that occur."""
        negative = tuple(each for each in Negative if each in self.negative) or (Negative.LEADING,)
        strip = "".join(sign for sign in f"{_STRIPPED} " if sign in self.signs)
        return replace(habit, negative=negative, strip=strip)


def habits(numbers: Numbers) -> Iterator[tuple[str, str | list[str]]]:
    """The keys of a habit that are not as by default."""
    default = Numbers()
    for name in ("decimal", "group", "strip"):
        if (value := getattr(numbers, name)) != getattr(default, name):
            yield name, value
    if numbers.negative != default.negative:
        yield "negative", [each.value for each in numbers.negative]

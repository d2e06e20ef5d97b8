"""Datetime patterns: the subset of Spark's letters that the contract names, as regular expressions.

A pattern must match the whole value. Its regular expression has one group a letter run, and both the
law and the SQL builders put a moment together from these groups. A group inside `[…]` may be empty.

Beside patterns there are four words for numbers that count from 1970 (`EPOCHS`).
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

__all__ = [
    "ABBREVIATIONS",
    "EPOCHS",
    "EPOCH_NUMBER",
    "MONTHS",
    "Pattern",
    "check_pattern",
    "compile_pattern",
    "regions",
]

EPOCHS = {"epoch_seconds": 6, "epoch_millis": 3, "epoch_micros": 0, "epoch_nanos": -3}
"""Words for moments as numbers since 1970-01-01 UTC, and by how many digits a unit is longer than a microsecond."""
EPOCH_NUMBER = r"([+-]?)([0-9]{1,21})(?:\.([0-9]*))?"

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ABBREVIATIONS = {
    "UTC": "+00:00",
    "GMT": "+00:00",
    "Z": "+00:00",
    "WET": "+00:00",
    "WEST": "+01:00",
    "CET": "+01:00",
    "CEST": "+02:00",
    "EET": "+02:00",
    "EEST": "+03:00",
    "EST": "-05:00",
    "EDT": "-04:00",
    "CST": "-06:00",
    "CDT": "-05:00",
    "MST": "-07:00",
    "MDT": "-06:00",
    "PST": "-08:00",
    "PDT": "-07:00",
    "AKST": "-09:00",
    "AKDT": "-08:00",
    "HST": "-10:00",
    "JST": "+09:00",
}
"""The abbreviations of zones that `z` takes: those of which there is one meaning in use."""


def _any_case(words: Iterable[str]) -> str:
    """Words in any case, without the letters of other alphabets that a flag for it would take along."""
    return "|".join("".join(f"[{letter.upper()}{letter.lower()}]" for letter in word) for word in words)


_LETTERS = {
    "yyyy": ("year", "[0-9]{4}"),
    "yy": ("short_year", "[0-9]{2}"),
    "MM": ("month", "[0-9]{2}"),
    "M": ("month", "[0-9]{1,2}"),
    "MMM": ("month_name", _any_case(month[:3] for month in MONTHS)),
    "MMMM": ("month_name", _any_case(MONTHS)),
    "dd": ("day", "[0-9]{2}"),
    "d": ("day", "[0-9]{1,2}"),
    "HH": ("hour", "[0-9]{2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "hh": ("hour12", "[0-9]{2}"),
    "h": ("hour12", "[0-9]{1,2}"),
    "mm": ("minute", "[0-9]{2}"),
    "m": ("minute", "[0-9]{1,2}"),
    "ss": ("second", "[0-9]{2}"),
    "s": ("second", "[0-9]{1,2}"),
    "a": ("half", "[AaPp][Mm]"),
    "X": ("zone", "Z|[+-][0-9]{2}(?:[0-9]{2})?"),
    "XX": ("zone", "Z|[+-][0-9]{4}"),
    "XXX": ("zone", "Z|[+-][0-9]{2}:[0-9]{2}"),
    "x": ("zone", "[+-][0-9]{2}(?:[0-9]{2})?"),
    "z": ("abbreviation", "|".join(sorted(ABBREVIATIONS, key=len, reverse=True))),
    "VV": ("region", "Z|UTC|[+-][0-9]{2}:[0-9]{2}|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+"),
    "Z": ("zone", "[+-][0-9]{4}"),
}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([\[\]])|([^A-Za-z'])")
_NEEDED = ("year", "month", "day")
_ALWAYS = ("year", "short_year", "month", "month_name", "day")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`regex` matches a whole value; `groups` names what its groups hold, in order (from 1)."""

    regex: str
    groups: tuple[str, ...]

    def group(self, name: str) -> int | None:
        """The number of the group that holds something, None when the pattern does not have it."""
        return self.groups.index(name) + 1 if name in self.groups else None


def check_pattern(pattern: str) -> None:
    """Raises ValueError with a sentence that says what is wrong with a pattern or word for an epoch."""
    if pattern.startswith("epoch") and pattern not in EPOCHS:
        raise ValueError(f"there is no pattern {pattern!r}; numbers since 1970 are {', '.join(EPOCHS)}")
    if pattern not in EPOCHS:
        compile_pattern(pattern)


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Pattern:
    """Take a pattern apart. Raises ValueError as `check_pattern` does."""
    regex, groups, at = "", list[str](), 0
    optional: list[int] = []
    for token in _TOKEN.finditer(pattern):
        if token.start() != at:
            break
        at = token.end()
        if token.group(2):
            name, part = _letter(token.group(2), pattern)
            if name in groups:
                raise ValueError(f"{name.replace('_', ' ')} stands twice in the pattern {pattern!r}")
            if optional and name in _ALWAYS:
                raise ValueError(f"the {name.replace('_', ' ')} cannot be optional in the pattern {pattern!r}")
            groups.append(name)
            regex += f"({part})"
        elif token.group(1) is not None:
            regex += _literally(token.group(1).replace("''", "'") or "'")
        elif token.group(4) == "[":
            optional.append(at)
            regex += "(?:"
        elif token.group(4) == "]":
            if not optional:
                raise ValueError(f"a ] without its [ in the pattern {pattern!r}")
            optional.pop()
            regex += ")?"
        else:
            regex += _literally(token.group(5))
    if at != len(pattern):
        raise ValueError(f"a quote is not closed in the pattern {pattern!r}")
    if optional:
        raise ValueError(f"a [ is not closed in the pattern {pattern!r}")
    return Pattern(regex, _complete(groups, pattern))


@cache
def regions() -> frozenset[str]:
    """The names of zones that `VV` takes, as in Europe/Rome."""
    return frozenset(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))


def _letter(run: str, pattern: str) -> tuple[str, str]:
    if set(run) == {"S"} and len(run) <= 9:
        return "fraction", f"[0-9]{{{len(run)}}}"
    if run not in _LETTERS:
        raise ValueError(f"{run!r} in the pattern {pattern!r} is not known; there are {', '.join(_LETTERS)} and S")
    return _LETTERS[run]


def _literally(text: str) -> str:
    """A regular expression for the text that Python, RE2 and Java read alike."""
    return "".join(
        char if char.isalnum() or not char.isascii() else f"[{char}]" if char not in "^\\[]" else f"\\{char}"
        for char in text
    )


def _complete(groups: list[str], pattern: str) -> tuple[str, ...]:
    plain = {name.removeprefix("short_").removesuffix("_name") for name in groups}
    missing = [name for name in _NEEDED if name not in plain]
    if missing:
        raise ValueError(f"the pattern {pattern!r} has no {' and no '.join(missing)}")
    if len({"zone", "region", "abbreviation"}.intersection(groups)) > 1:
        raise ValueError(f"there are two zones in the pattern {pattern!r}")
    if ("hour12" in groups) != ("half" in groups):
        raise ValueError(f"h and a belong together in the pattern {pattern!r}; H counts to 23")
    return tuple(groups)

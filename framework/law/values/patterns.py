"""Datetime patterns: the subset of Spark's letters that the contract names, as regular expressions.

A pattern must match the whole value. Its regular expression has one group a letter run, and both the
law and the SQL builders put a moment together from these groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["MONTHS", "Pattern", "check_pattern", "compile_pattern"]

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHORT = "|".join(month[:3] for month in MONTHS)
_LONG = "|".join(MONTHS)
_ZONE = "Z|[+-][0-9]{2}:[0-9]{2}"
_LETTERS = {
    "yyyy": ("year", "[0-9]{4}"),
    "yy": ("short_year", "[0-9]{2}"),
    "MM": ("month", "[0-9]{2}"),
    "M": ("month", "[0-9]{1,2}"),
    "MMM": ("month_name", _SHORT),
    "MMMM": ("month_name", _LONG),
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
    "a": ("half", "AM|PM|am|pm"),
    "XXX": ("zone", _ZONE),
    "Z": ("zone", "[+-][0-9]{4}"),
}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'])")
_NEEDED = ("year", "month", "day")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`regex` matches a whole value; `groups` names what its groups hold, in order (from 1)."""

    regex: str
    groups: tuple[str, ...]

    def group(self, name: str) -> int | None:
        """The number of the group that holds something, None when the pattern does not have it."""
        return self.groups.index(name) + 1 if name in self.groups else None


def check_pattern(pattern: str) -> None:
    """Raises ValueError with a sentence that says what is wrong with a pattern."""
    compile_pattern(pattern)


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Pattern:
    """Take a pattern apart. Raises ValueError as `check_pattern` does."""
    regex, groups, at = "", [], 0
    for token in _TOKEN.finditer(pattern):
        if token.start() != at:
            break
        at = token.end()
        if token.group(2):
            name, part = _letter(token.group(2), pattern)
            if name in groups:
                raise ValueError(f"{name.replace('_', ' ')} stands twice in the pattern {pattern!r}")
            groups.append(name)
            regex += f"({part})"
        elif token.group(1) is not None:
            regex += _literally(token.group(1).replace("''", "'") or "'")
        else:
            regex += _literally(token.group(4))
    if at != len(pattern):
        raise ValueError(f"a quote is not closed in the pattern {pattern!r}")
    return Pattern(regex, _complete(groups, pattern))


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
    if ("hour12" in groups) != ("half" in groups):
        raise ValueError(f"h and a belong together in the pattern {pattern!r}; H counts to 23")
    return tuple(groups)

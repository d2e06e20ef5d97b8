"""Regular expressions that Java and RE2 read alike: what both have, written out where they read it differently.

`\\d \\w \\s` are of ASCII, `.` is everything but the ends of lines, `^` and `$` are the two ends of the text, `(?i)` at
the beginning ignores the case of ASCII letters. What only one of them has is refused: look-around, back references,
atomic groups, possessive repetitions, word boundaries, names of groups, sets within sets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Pattern", "portable"]

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": " \\t\\n\\x0b\\f\\r"}
_LINE_ENDS = "\\n\\r\x85\u2028\u2029"
_SIGNS = frozenset("\\^$.|?*+()[]{}-/ \"'#&~@%!,;:=<>_`")
_CONTROLS = frozenset("nrtf")
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as both engines read it, the number of its groups, and whether it matches an empty text."""

    regex: str
    groups: int
    empty: bool


@lru_cache(maxsize=4096)
def portable(text: str) -> Pattern:
    """The pattern of a text. Raises ValueError with a sentence that says why there is none."""
    writer = _Writer(text)
    regex = writer.alternatives()
    if writer.at < len(writer.text):
        raise ValueError("a ) closes nothing")
    return Pattern(regex, writer.groups, _matches_nothing(regex))


def _matches_nothing(regex: str) -> bool:
    try:
        return re.match(regex.replace("\\z", "\\Z"), "") is not None
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None


class _Writer:
    """Reads the pattern from the left and writes the one that both read alike."""

    def __init__(self, text: str) -> None:
        self.ignore_case = text.startswith("(?i)")
        self.text, self.at, self.groups = text.removeprefix("(?i)"), 0, 0

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        if self.at >= len(self.text):
            raise ValueError("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def alternatives(self) -> str:
        found = ""
        while self._next() not in ("", ")"):
            found += self._take() if self._next() == "|" else self._repeated()
        return found

    def _repeated(self) -> str:
        one = self._one()
        sign = self._next()
        if sign not in ("*", "+", "?", "{") or not sign:
            return one
        if one in ("\\A", "\\z"):
            raise ValueError("an end of the text is not repeated")
        count = self._counted() if self._take() == "{" else sign
        if one.startswith("(") and _matches_nothing(one):
            raise ValueError("a group that may be empty is repeated")
        if self._next() == "+":
            raise ValueError("possessive repetitions do not work on every engine")
        return one + count + (self._take() if self._next() == "?" else "")

    def _counted(self) -> str:
        end = self.text.find("}", self.at)
        inside = self.text[self.at : end] if end >= 0 else ""
        if not re.fullmatch(r"[0-9]+(?:,[0-9]*)?", inside):
            raise ValueError("a { that is no repetition is written \\{")
        if any(int(number) > _MOST for number in inside.split(",") if number):
            raise ValueError(f"there are at most {_MOST} repetitions")
        self.at = end + 1
        return "{" + inside + "}"

    def _one(self) -> str:
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._set()
            case "\\":
                return self._escaped()
            case ".":
                return f"[^{_LINE_ENDS}]"
            case "^":
                return "\\A"
            case "$":
                return "\\z"
            case "*" | "+" | "?":
                raise ValueError(f"{char} repeats nothing")
            case "{" | "}" | "]":
                raise ValueError(f"a {char} is written \\{char}")
        return self._letter(char)

    def _letter(self, char: str) -> str:
        if self.ignore_case and char.isascii() and char.isalpha():
            return f"[{char.lower()}{char.upper()}]"
        return char

    def _group(self) -> str:
        opening = "("
        if self._next() == "?":
            self._take()
            if self._take() != ":":
                raise ValueError("of groups that begin with (? only (?:…), and (?i) at the beginning, work everywhere")
            opening = "(?:"
        else:
            self.groups += 1
        inside = self.alternatives()
        if self._next() != ")":
            raise ValueError("a ( is not closed")
        self._take()
        return f"{opening}{inside})"

    def _escaped(self) -> str:
        char = self._take()
        if char.lower() in _CLASSES:
            return f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]"
        if char in ("A", "z"):
            return f"\\{char}"
        return self._literal(char)

    def _literal(self, char: str) -> str:
        """An escape that stands for one character."""
        if char in _CONTROLS or char in _SIGNS:
            return f"\\{char}" if char in _CONTROLS or char in "\\^$.|?*+()[]{}-" else char
        if char == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", self.text[self.at : self.at + 4]):
            self.at += 4
            return re.escape(chr(int(self.text[self.at - 4 : self.at], 16)))
        raise ValueError(f"\\{char} does not work on every engine")

    def _set(self) -> str:
        found = "[" + (self._take() if self._next() == "^" else "")
        members = 0
        while self._next() != "]" or not members:
            char = self._take()
            members += 1
            if char == "[" or (char == "&" and self._next() == "&"):
                raise ValueError("a [ in a set is written \\[, and sets are not combined")
            if char == "\\":
                char = self._take()
                found += _CLASSES[char] if char in _CLASSES else self._literal(char)
            elif char == "-" and (self._next() == "]" or members == 1):
                found += "\\-"
            else:
                found += "\\^" if char == "^" else "\\]" if char == "]" else self._both_cases(char)
        self._take()
        return found + "]"

    def _both_cases(self, char: str) -> str:
        if not self.ignore_case or not (char.isascii() and char.isalpha()):
            return char
        if self._next() == "-" or self.text[self.at - 2 : self.at - 1] == "-":
            raise ValueError("with (?i), write both cases of a range: [a-zA-Z]")
        return char.lower() + char.upper()

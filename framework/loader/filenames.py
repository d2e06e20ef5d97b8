"""File name patterns: their captures, what is wrong with them, and whether two can meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

__all__ = ["Capture", "captures", "literal_prefix", "may_meet", "mistakes"]

_PIECE = re.compile(r"\*|\?|\{([^{}]*)\}|[{}]|[^*?{}]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Capture:
    """`{name}` or `{name:date pattern}`."""

    name: str
    date_pattern: str | None


def captures(pattern: str) -> tuple[Capture, ...]:
    """The captures of a pattern, in order."""
    found = []
    for piece in _PIECE.finditer(pattern):
        if piece.group(1) is not None:
            name, colon, dated = piece.group(1).partition(":")
            found.append(Capture(name, dated if colon else None))
    return tuple(found)


def mistakes(pattern: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a pattern: a message and a hint each. Date patterns are judged elsewhere."""
    if "/" in pattern:
        yield "a file name contains no /", "name the folder in source.path, and set recursive: true for subfolders"
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", pattern)):
        yield "a { or } without its other half", "write {name} or {name:yyyyMMdd}"
    seen: set[str] = set()
    for capture in captures(pattern):
        if not _NAME.fullmatch(capture.name):
            yield (
                f"'{capture.name}' cannot name a capture",
                "use letters, digits and underscores, as in {business_date}",
            )
        elif capture.name in seen:
            yield f"the capture '{capture.name}' stands twice", "give the second one another name"
        elif capture.name in {"name", "modified"}:
            yield f"'{capture.name}' means something else in order_by", "give the capture another name"
        seen.add(capture.name)
        if capture.date_pattern == "":
            yield f"the capture '{capture.name}' has an empty date pattern", "write {name} or {name:yyyyMMdd}"


_ONE, _MANY, _DIGIT = "one", "many", "digit"
_Token: TypeAlias = tuple[str, str]


@lru_cache(maxsize=20_000)
def _tokens(pattern: str | None) -> tuple[_Token, ...]:
    """Letters, `?`, `*` and digits; a capture without a date pattern is one or more of anything."""
    tokens: list[_Token] = []
    for piece in _PIECE.finditer("*" if pattern is None else pattern):
        text = piece.group()
        if text == "*":
            tokens.append((_MANY, ""))
        elif text == "?":
            tokens.append((_ONE, ""))
        elif piece.group(1) is None:
            tokens += [("", letter) for letter in text]
        else:
            _, colon, dated = piece.group(1).partition(":")
            tokens += _dated(dated) if colon else [(_ONE, ""), (_MANY, "")]
    return tuple(tokens)


def _dated(pattern: str) -> list[_Token]:
    if re.fullmatch(r"(?:yyyy|yy|MM|dd|HH|mm|ss|[^A-Za-z'])*", pattern) is None:
        return [(_ONE, ""), (_MANY, "")]
    return [(_DIGIT, "") if letter.isalpha() else ("", letter) for letter in pattern]


def literal_prefix(pattern: str | None) -> str:
    """The letters that every matching name begins with."""
    prefix = ""
    for kind, letter in _tokens(pattern):
        if kind:
            break
        prefix += letter
    return prefix


@lru_cache(maxsize=20_000)
def may_meet(one: str | None, other: str | None) -> bool:
    """Whether some file name matches both patterns (None matches every name)."""
    left, right = _tokens(one), _tokens(other)
    reached = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if i == len(left) and j == len(right):
            return True
        for step in _steps(left, right, i, j):
            if step not in reached:
                reached.add(step)
                todo.append(step)
    return False


def _steps(left: tuple[_Token, ...], right: tuple[_Token, ...], i: int, j: int) -> Iterator[tuple[int, int]]:
    a = left[i] if i < len(left) else None
    b = right[j] if j < len(right) else None
    if a is not None and a[0] == _MANY:
        yield i + 1, j
        if b is not None:
            yield i, j + 1
    if b is not None and b[0] == _MANY:
        yield i, j + 1
        if a is not None:
            yield i + 1, j
    if a is not None and b is not None and _MANY not in (a[0], b[0]) and _fits(a, b):
        yield i + 1, j + 1


def _fits(a: _Token, b: _Token) -> bool:
    if _ONE in (a[0], b[0]):
        return True
    if a[0] == _DIGIT:
        return b[0] == _DIGIT or b[1].isdigit()
    return a[1].isdigit() if b[0] == _DIGIT else a[1] == b[1]

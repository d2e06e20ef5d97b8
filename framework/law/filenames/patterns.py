"""Patterns: what they consist of, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

__all__ = ["Capture", "Kind", "Piece", "captures_in", "mistakes", "pieces_of"]

_PIECE = re.compile(r"\*|\?|\{([^{}]*)\}|[{}]|[^*?{}]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = "int"


@dataclass(frozen=True, slots=True)
class Capture:
    """`{name}`, `{name:int}` (`number`) or `{name:date pattern}`."""

    name: str
    date_pattern: str | None = None
    number: bool = False


class Kind(Enum):
    """What a piece of a pattern stands for."""

    TEXT = auto()
    ONE = auto()
    MANY = auto()
    SOME = auto()
    """One or more characters."""
    DIGITS = auto()
    DATE = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a pattern, as it is written there."""

    kind: Kind
    text: str
    capture: Capture | None = None

    @property
    def date_pattern(self) -> str:
        return self.capture.date_pattern or "" if self.capture is not None else ""


@lru_cache(maxsize=4096)
def pieces_of(pattern: str) -> tuple[Piece, ...]:
    """What a pattern consists of, in order."""
    pieces: list[Piece] = []
    for found in _PIECE.finditer(pattern):
        text = found.group()
        if found.group(1) is not None:
            pieces.append(_captured(text, found.group(1)))
        elif text == "*":
            if not pieces or pieces[-1].kind is not Kind.MANY:
                pieces.append(Piece(Kind.MANY, text))
        else:
            pieces.append(Piece(Kind.ONE if text == "?" else Kind.TEXT, text))
    return tuple(pieces)


def _captured(text: str, inner: str) -> Piece:
    name, colon, how = inner.partition(":")
    if not colon:
        return Piece(Kind.SOME, text, Capture(name))
    if how == _NUMBER:
        return Piece(Kind.DIGITS, text, Capture(name, number=True))
    return Piece(Kind.DATE, text, Capture(name, how))


def captures_in(pattern: str) -> tuple[Capture, ...]:
    """The captures of a pattern, in order."""
    return tuple(piece.capture for piece in pieces_of(pattern) if piece.capture is not None)


def mistakes(pattern: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a pattern: a message and a hint each. Date patterns are judged elsewhere."""
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", pattern)):
        yield "a { or } without its other half", "write {name} or {name:yyyyMMdd}"
    seen: set[str] = set()
    for capture in captures_in(pattern):
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

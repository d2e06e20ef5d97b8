"""Shapes of JSON lines: the same keys in the same order with the same blanks, as one writer writes them.

A line is of a shape when it is the very text that the shape gives for the values that DuckDB took from it. Then no
question is open about it: it holds each key once, no other ones, and every value as it stands there. Of values that do
not stand there as they are (an escaped letter, a number that is written otherwise, another key) the text is another.
Of a number with a point, which DuckDB writes without zeros at its end, the text is looked for in the line.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from framework.law.dialects import DUCKDB
from framework.law.values import json_document, json_object, json_text
from framework.opening import Piece

__all__ = ["Shape", "Shapes", "shapes_of"]

_LOOKED_AT = 1 << 18
"""Bytes at the beginning of a file that are looked at."""
_MOST = 3
"""Shapes that are tried: each costs a comparison of the whole line."""
_KEYS = 200
"""Keys beyond which lines are not put together again."""
_POINT = r"(-?(?:0|[1-9][0-9]*)\.[0-9]+)[,}]"
_STYLES = ((",", ":"), (", ", ": "))
"""Between members, and behind a name: as most writers put it, and as Python does."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The names of the members, whether each is written in quotes, and what stands between them."""

    names: tuple[str, ...]
    quoted: tuple[bool, ...]
    style: tuple[str, str]

    def number(self, name: str) -> str:
        """SQL of the number with a point that a line has for a name, as it stands there; an empty text without one."""
        before = re.escape(f"{_quoted(name)}{self.style[1]}")
        return f"regexp_extract(line, {DUCKDB.text(before + _POINT)}, 1)"

    def text(self, values: Sequence[str | None]) -> str:
        """SQL of the line that has these values (SQL by position, as texts)."""
        between, behind = self.style
        parts, before = [], "{"
        for name, quoted, value in zip(self.names, self.quoted, values, strict=True):
            parts.append(DUCKDB.text(f"{before}{_quoted(name)}{behind}"))
            written = f"concat('\"', {value}, '\"')" if quoted else value
            parts.append(f"CASE WHEN {value} IS NULL THEN 'null' ELSE {written} END")
            before = between
        return f"concat({', '.join([*parts, DUCKDB.text('}')])})"


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the beginning of a file tells: the commonest shapes of its lines, all keys of its objects in the order of
    their first appearance, those of them that have numbers with a point, and those that have objects or arrays."""

    shapes: tuple[Shape, ...] = ()
    keys: tuple[str, ...] = ()
    points: frozenset[str] = frozenset()
    nested: frozenset[str] = frozenset()


def shapes_of(piece: Piece) -> Shapes | None:
    """The shapes of a file's first lines; None where they are no objects, each in a line of its own. Raises
    BROKEN_FILE."""
    with piece.stream() as stream:
        beginning = stream.read(_LOOKED_AT)
        whole = not stream.read(1)
    text = beginning.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    counted: Counter[Shape] = Counter()
    keys: dict[str, None] = {}
    kinds: dict[str, bool] = {}
    points: set[str] = set()
    nested: set[str] = set()
    for line in filter(None, lines if whole else lines[:-1]):
        members = _members(line)
        if members is None:
            return None
        keys |= dict.fromkeys(members)
        for name, value in members.items():
            if value is not None:
                kinds.setdefault(name, type(value) is str)  # numbers are texts of another type
                if isinstance(value, dict | list):
                    nested.add(name)
                elif not kinds[name] and "." in str(value):
                    points.add(name)
        shape = _shape(line, members, kinds)
        if shape is not None:
            counted[shape] += 1
    if not counted or len(keys) > _KEYS:
        return None
    return Shapes(
        tuple(shape for shape, _ in counted.most_common(_MOST)), tuple(keys), frozenset(points), frozenset(nested)
    )


def _members(line: str) -> dict[str, Any] | None:
    try:
        value, end = json_document(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    return json_object(value, line) if end == len(line) and value else None


def _shape(line: str, members: dict[str, Any], kinds: dict[str, bool]) -> Shape | None:
    """The shape that gives this line; None where none does."""
    quoted = tuple(kinds.get(name, True) for name in members)
    values = [_written(value, as_text) for value, as_text in zip(members.values(), quoted, strict=True)]
    for style in _STYLES:
        between, behind = style
        pairs = (f"{_quoted(name)}{behind}{value}" for name, value in zip(members, values, strict=True))
        if line == f"{{{between.join(pairs)}}}":
            return Shape(tuple(members), quoted, style)
    return None


def _written(value: Any, quoted: bool) -> str:
    text = json_text(value)
    return "null" if text is None else f'"{text}"' if quoted else text


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)

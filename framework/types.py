"""Column types, as the contract writes them: `bigint`, `decimal(12,2)`, `struct<a:int,b:array<string>>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

__all__ = [
    "INTEGERS",
    "MOST_DIGITS",
    "TYPE_ALIASES",
    "TYPE_NAMES",
    "Array",
    "DataType",
    "Decimal",
    "Map",
    "Scalar",
    "Struct",
    "parse_type",
]

TYPE_ALIASES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "real": "float"}
TYPE_NAMES = (
    *("string", "tinyint", "smallint", "int", "bigint", "float", "double"),
    *("boolean", "date", "timestamp", "timestamp_ntz"),
)
INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
"""The integer types and their bits."""
MOST_DIGITS = 38
"""Of a decimal."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type with no parameters; `name` is one of `TYPE_NAMES`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Decimal:
    """`decimal(precision, scale)`, 1 ≤ precision ≤ 38, 0 ≤ scale ≤ precision."""

    precision: int
    scale: int

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})"


@dataclass(frozen=True, slots=True)
class Array:
    element: DataType

    def __str__(self) -> str:
        return f"array<{self.element}>"


@dataclass(frozen=True, slots=True)
class Map:
    key: DataType
    value: DataType

    def __str__(self) -> str:
        return f"map<{self.key},{self.value}>"


@dataclass(frozen=True, slots=True)
class Struct:
    fields: tuple[tuple[str, DataType], ...]

    def __str__(self) -> str:
        return f"struct<{','.join(f'{name}:{type_}' for name, type_ in self.fields)}>"


DataType: TypeAlias = Scalar | Decimal | Array | Map | Struct

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|`((?:[^`]|``)+)`|(\d+)|([<>(),:]))")


@lru_cache(maxsize=4096)
def parse_type(text: str) -> DataType:
    """Read a type as Spark DDL writes it. Raises ValueError with a sentence that says what is wrong."""
    tokens = _tokens(text)
    parsed, rest = _parse(tokens, text)
    if rest:
        raise ValueError(f"unexpected {rest[0]!r} after the type {parsed}")
    return parsed


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"unexpected character {text[at:].lstrip()[:1]!r} in the type {text!r}")
        tokens.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    return tokens


def _expect(tokens: list[str], wanted: str, text: str) -> list[str]:
    if not tokens or tokens[0] != wanted:
        found = repr(tokens[0]) if tokens else "the end"
        raise ValueError(f"expected {wanted!r} but found {found} in the type {text!r}")
    return tokens[1:]


def _parse(tokens: list[str], text: str) -> tuple[DataType, list[str]]:
    if not tokens:
        raise ValueError(f"a type is missing in {text!r}")
    name, rest = tokens[0].lower(), tokens[1:]
    name = TYPE_ALIASES.get(name, name)
    match name:
        case "decimal" | "dec" | "numeric":
            return _parse_decimal(rest, text)
        case "array":
            element, rest = _parse(_expect(rest, "<", text), text)
            return Array(element), _expect(rest, ">", text)
        case "map":
            key, rest = _parse(_expect(rest, "<", text), text)
            value, rest = _parse(_expect(rest, ",", text), text)
            return Map(key, value), _expect(rest, ">", text)
        case "struct":
            return _parse_struct(_expect(rest, "<", text), text)
        case _ if name in TYPE_NAMES:
            return Scalar(name), rest
        case _:
            raise ValueError(f"there is no type {tokens[0]!r}")


def _parse_decimal(rest: list[str], text: str) -> tuple[DataType, list[str]]:
    if not rest or rest[0] != "(":
        return Decimal(10, 0), rest
    inside = rest[1 : rest.index(")")] if ")" in rest else []
    if not re.fullmatch(r"\d+(?: , \d+)?", " ".join(inside)):
        raise ValueError(f"decimal takes (precision, scale), as in decimal(12,2), not {text!r}")
    precision, scale = int(inside[0]), int(inside[2]) if len(inside) == 3 else 0
    if not 1 <= precision <= MOST_DIGITS or scale > precision:
        raise ValueError(f"decimal({precision},{scale}): precision is 1 to 38 and scale at most the precision")
    return Decimal(precision, scale), rest[rest.index(")") + 1 :]


def _parse_struct(rest: list[str], text: str) -> tuple[DataType, list[str]]:
    members: list[tuple[str, DataType]] = []
    while True:
        if not rest:
            raise ValueError(f"expected a field name but found the end in the type {text!r}")
        name, rest = rest[0], _expect(rest[1:], ":", text)
        member, rest = _parse(rest, text)
        if name.lower() in {known.lower() for known, _ in members}:
            raise ValueError(f"the field {name!r} stands twice in the type {text!r}")
        members.append((name, member))
        if rest[:1] == [","]:
            rest = rest[1:]
            continue
        return Struct(tuple(members)), _expect(rest, ">", text)

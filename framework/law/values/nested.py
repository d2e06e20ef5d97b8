"""Values that are JSON: arrays, maps and structs, whose members follow the rules of their own types.

DuckDB reads numbers in JSON as 64-bit floats when they are no integers, which loses digits. So such
numbers are guarded first: turned into JSON strings behind a mark that no text has.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from framework.types import Array, DataType, Map, Scalar, Struct

__all__ = [
    "DEEPEST",
    "guarded",
    "json_document",
    "json_object",
    "json_text",
    "parse_nested",
    "pointer",
    "typed_nested",
    "unguarded",
]

DEEPEST = 100
"""Brackets within each other that a JSON document may have."""

_MARK = "\ue000\uf8ff\ue000"
_STRING = r'"(?:[^"\\]|\\.)*"'
_FLOAT = r"-?[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)"


def guarded(text: str) -> str:
    """DuckDB SQL for a JSON text whose numbers with a point or an exponent are marked strings."""
    marked = rf"""replace(regexp_replace({text}, '({_STRING})|({_FLOAT})', '\1"{_MARK}\2"', 'g'), '"{_MARK}"', '')"""
    return f"CASE WHEN regexp_matches({text}, '[0-9][.eE]') THEN {marked} ELSE {text} END"


def unguarded(text: str) -> str:
    """DuckDB SQL for the text of a guarded value, with its numbers as they stood in the file."""
    bare = rf"""replace(regexp_replace({text}, '"{_MARK}([^"]*)"', '\1', 'g'), '{_MARK}', '')"""
    return f"CASE WHEN contains({text}, '{_MARK}') THEN {bare} ELSE {text} END"


def typed_nested(text: str, type_: DataType, typed: Callable[[str, DataType], str]) -> str:
    """DuckDB SQL for the value of a JSON text, NULL when it or anything in it is not of its type.

    `typed` gives the SQL of a scalar's value from the SQL of its text.
    """
    found = _Nested(typed)
    value = f"CASE WHEN {found.fits('j', type_, 0)} THEN {found.value('j', type_, 0)} END"
    bound = f"list_transform([CAST({guarded(text)} AS JSON)], lambda j: {value})[1]"
    return f"CASE WHEN json_valid({text}) AND json_type({text}) <> 'NULL' THEN {bound} END"


class _Nested:
    """Builds expressions over the SQL of a guarded JSON value. NULL fits every type."""

    def __init__(self, typed: Callable[[str, DataType], str]) -> None:
        self._typed = typed

    def value(self, value: str, type_: DataType, depth: int) -> str:
        each = f"e{depth}"
        match type_:
            case Array(element):
                items = f"json_extract({value}, '$[*]')"
                return _if(
                    value, "ARRAY", f"list_transform({items}, lambda {each}: {self.value(each, element, depth + 1)})"
                )
            case Struct(members):
                fields = (
                    f"{_name(name)} := {self.value(_member(value, name), member, depth)}" for name, member in members
                )
                return _if(value, "OBJECT", f"struct_pack({', '.join(fields)})")
            case Map(key, member):
                keys = f"list_transform({_keys(value)}, lambda {each}: {self._typed(each, key)})"
                below = self.value(_last(value, each), member, depth + 1)
                values = f"list_transform({_keys(value)}, lambda {each}: {below})"
                return _if(value, "OBJECT", f"map({keys}, {values})")
            case _:
                return self._typed(_text(value), type_)

    def fits(self, value: str, type_: DataType, depth: int) -> str:
        each = f"e{depth}"
        match type_:
            case Array(element):
                below = self.fits(each, element, depth + 1)
                items = f"json_extract({value}, '$[*]')"
                inner = f"json_type({value}) = 'ARRAY' AND {_all(items, each, below)}"
            case Struct(members):
                below = " AND ".join(self.fits(_member(value, name), member, depth) for name, member in members)
                inner = f"json_type({value}) = 'OBJECT' AND {below}"
            case Map(key, member):
                below = self.fits(_last(value, each), member, depth + 1)
                keys = f"list_transform({_keys(value)}, lambda {each}: {self._typed(each, key)})"
                inner = (
                    f"json_type({value}) = 'OBJECT' AND {_all(_keys(value), each, below)} "
                    f"AND list_unique({keys}) = len({_keys(value)})"
                )
            case Scalar("string"):
                return "true"
            case _:
                text = _text(value)
                return (
                    f"CASE WHEN {self._typed(text, type_)} IS NULL THEN coalesce(trim({text}), '') = '' ELSE true END"
                )
        return f"(CASE WHEN coalesce(json_type({value}), 'NULL') = 'NULL' THEN true ELSE {inner} END)"


def _if(value: str, kind: str, result: str) -> str:
    return f"CASE WHEN json_type({value}) = '{kind}' THEN {result} END"


def _all(items: str, each: str, condition: str) -> str:
    return f"coalesce(list_bool_and(list_transform({items}, lambda {each}: {condition})), true)"


def _text(value: str) -> str:
    return unguarded(f"json_extract_string({value}, '$')")


def _member(value: str, name: str) -> str:
    first = f"json_extract({value}, {_literal(pointer(name))})"
    twice = _literal(f'%"{name}"%"{name}"%')
    return f"CASE WHEN CAST({value} AS VARCHAR) LIKE {twice} THEN {_last(value, _literal(name))} ELSE {first} END"


def _last(value: str, key: str) -> str:
    """The last of the members of a name; DuckDB takes the first one of them by itself."""
    keys = f"json_keys({value})"
    return f"json_extract({value}, '$.*')[len({keys}) + 1 - list_position(list_reverse({keys}), {key})]"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _keys(value: str) -> str:
    """The keys of an object, each once."""
    return f"list_filter(json_keys({value}), lambda k, i: list_position(json_keys({value}), k) = i)"


def pointer(*names: str) -> str:
    """The JSON pointer (RFC 6901) to a member, or to a member of a member. DuckDB's paths cannot name the empty key."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Number(str):
    """A number as it stands in a JSON text."""


def parse_nested(text: str, type_: DataType, scalar: Callable[[str, DataType], Any]) -> Any:
    """The value of a JSON text: lists, dicts for structs and maps. Raises ValueError as `scalar` does."""
    document = _loads(text)
    if document is None:
        raise ValueError(f"null is not a {type_}")
    return _parsed(document, type_, scalar)


def json_document(text: str, at: int = 0) -> tuple[Any, int]:
    """The JSON document that begins in a text, and where it ends. Raises json.JSONDecodeError, and RecursionError for
    one that is nested too deep."""
    return _DECODER.raw_decode(text, at)


def json_object(document: Any, text: str) -> dict[str, Any] | None:
    """A document that is an object; None for others, and for one with half a letter in it. `text` is the document's
    own."""
    if not isinstance(document, dict):
        return None
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except ValueError:  # half a surrogate pair is no text
            return None
    return document


def json_text(value: Any) -> str | None:
    """A value of a document as the text that a column of any type reads; None for null."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) else _json_text(value)


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)
"""Numbers stay as they are written, also NaN and Infinity; of members of the same name the last one counts."""


def _loads(text: str) -> Any:
    """A JSON document. Raises ValueError."""
    return _DECODER.decode(text)


def _json_text(value: Any) -> str:
    """JSON without blanks, with every number as it was read."""
    match value:
        case _Number():
            return str(value)
        case list():
            return f"[{','.join(map(_json_text, value))}]"
        case dict():
            return f"{{{','.join(f'{_json_text(name)}:{_json_text(item)}' for name, item in value.items())}}}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _parsed(value: Any, type_: DataType, scalar: Callable[[str, DataType], Any]) -> Any:
    if value is None:
        return None
    match type_:
        case Array(element) if isinstance(value, list):
            return [_parsed(item, element, scalar) for item in value]
        case Struct(members) if isinstance(value, dict):
            return {name: _parsed(value.get(name), member, scalar) for name, member in members}
        case Map(key, member) if isinstance(value, dict):
            found = {scalar(name, key): _parsed(item, member, scalar) for name, item in value.items()}
            if len(found) != len(value):
                raise ValueError("two keys are the same")
            return found
        case Array() | Struct() | Map():
            raise ValueError(f"not a {type_}")
    text = str(value) if isinstance(value, str) else _json_text(value)
    if type_ != Scalar("string") and not text.strip(" \t\r\n"):
        return None
    return scalar(text, type_)

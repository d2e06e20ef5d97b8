"""Meaning: from the text of an expression to a tree in which every argument has the type that its function takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal as Number

from framework.law.functions.casts import LOCAL, WIDENED
from framework.law.functions.catalogue import BY_NAME
from framework.law.functions.grammar import read
from framework.law.functions.kinds import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP, common, exact, text_of
from framework.law.functions.nodes import NULL, Call, Field, Literal, Node, Refused
from framework.law.functions.parts import Part
from framework.law.values import parse
from framework.types import DataType, Decimal, Scalar

__all__ = ["aggregates_in", "fields_in", "meaning", "taken_as"]


def meaning(text: str, columns: Mapping[str, DataType]) -> Node:
    """The expression of a text over columns (as they are written → their types). Raises Refused."""
    spelt = {name.lower(): (name, type_) for name, type_ in columns.items()}
    return _Meaning(spelt).of(read(text))


def taken_as(node: Node, type_: DataType) -> Node:
    """The expression as a value of a type that holds all values of its own. Decimals grow as they are computed with:
    of them only the places behind the point have to fit, and a value that does not fit is an error. Raises Refused."""
    wanted = exact(node) if isinstance(type_, Decimal) else None
    if isinstance(type_, Decimal) and wanted is not None and wanted.scale <= type_.scale:
        named = Literal(str(type_), STRING, node.at)
        return node if node.type == type_ else Call(BY_NAME["cast"], (node, named), type_, node.at)
    if common(wanted or node.type, type_) != type_:
        hint = f"cast(… AS {type_}) makes one of it"
        if type_ == BOOLEAN:
            hint = "compare it with something: … = 1, … is not null"
        raise Refused(f"it gives {text_of(node.type)} where {text_of(type_)} is needed", hint, node.at)
    return _taken_as(node, type_)


def fields_in(node: Node) -> Iterator[Field]:
    """The columns that an expression looks at."""
    if isinstance(node, Field):
        yield node
    elif isinstance(node, Call):
        for arg in node.args:
            yield from fields_in(arg)


def aggregates_in(node: Node) -> Iterator[Call]:
    """The aggregates of an expression."""
    if isinstance(node, Call):
        if node.function.aggregate:
            yield node
        for arg in node.args:
            yield from aggregates_in(arg)


class _Meaning:
    def __init__(self, spelt: Mapping[str, tuple[str, DataType]]) -> None:
        self._spelt = spelt

    def of(self, part: Part) -> Node:
        match part.kind:
            case "literal":
                return _literal(part)
            case "field":
                if part.name.lower() not in self._spelt:
                    raise Refused(f"there is no column '{part.name}'", at=part.at, unknown=part.name)
                name, type_ = self._spelt[part.name.lower()]
                return Field(name, type_, part.at)
            case _:
                return self._call(part)

    def _call(self, part: Part) -> Node:
        args = [self.of(arg) for arg in part.args]
        called = BY_NAME.get(part.name)
        if called is None:
            raise Refused(f"there is no function {part.name}", _near(part.name), part.at)
        try:
            types, type_ = called.check(args)
        except Refused as refused:
            at = part.at if refused.at is None else refused.at
            raise Refused(f"{_shown(called.name)}: {refused.message}", refused.hint or called.form, at) from None
        return Call(called, tuple(map(_taken_as, args, types)), type_, part.at)


def _taken_as(node: Node, type_: DataType) -> Node:
    """An argument as the type that its function takes it as."""
    if node.type == type_:
        return node
    if isinstance(node, Literal):
        if node.value is None:
            return replace(node, type=type_)
        if isinstance(type_, Decimal) and isinstance(node.value, int | Number):
            return replace(node, value=Number(node.value), type=type_)
        if isinstance(node.value, int) and isinstance(type_, Scalar) and type_ != DOUBLE:
            return replace(node, type=type_)
        if node.type == STRING:
            return _as_moment(node, type_)
    there = node.type == TIMESTAMP and type_ in (DATE, STRING)
    return Call(LOCAL if there else WIDENED, (node,), type_, node.at)


def _as_moment(node: Literal, type_: DataType) -> Literal:
    """A text literal as the date or the moment that it stands for."""
    try:
        parse(str(node.value), type_)
    except ValueError as error:
        raise Refused(f"'{node.value}' is no {type_}: {error}", "for example '2026-01-31'", node.at) from None
    return replace(node, type=type_)


def _shown(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def _near(name: str) -> str:
    known = [each for each in BY_NAME if each.isidentifier()]
    close = difflib.get_close_matches(name[:50], known, n=3, cutoff=0.6)
    if not close:
        return "docs/expressions.md lists the functions that there are"
    return f"did you mean {' or '.join(close)}?"


def _literal(part: Part) -> Literal:
    match part.name:
        case "null":
            return Literal(None, NULL, part.at)
        case "true" | "false":
            return Literal(part.name == "true", BOOLEAN, part.at)
        case "text" | "type":
            return Literal(part.text, STRING, part.at)
        case "number":
            return _number(part)
        case _:
            return _as_moment(Literal(part.text, STRING, part.at), Scalar(part.name))


_ENDINGS = {"L": "bigint", "S": "smallint", "Y": "tinyint"}


def _number(part: Part) -> Literal:
    text = part.text.upper()
    ending = text[-1:]
    if text.endswith("BD"):
        return _decimal(text[:-2], part)
    if ending in _ENDINGS:
        try:
            return Literal(parse(text[:-1], Scalar(_ENDINGS[ending])), Scalar(_ENDINGS[ending]), part.at)
        except ValueError as error:
            raise Refused(f"{part.text} is no {_ENDINGS[ending]}: {error}", at=part.at) from None
    if ending in "DF" or "E" in text:
        return Literal(float(text.rstrip("DF")), DOUBLE, part.at)
    if "." in text:
        return _decimal(text, part)
    value = int(text)
    for type_, bits in ((INT, 31), (BIGINT, 63)):
        if -(1 << bits) <= value < 1 << bits:
            return Literal(value, type_, part.at)
    return _decimal(text, part)


def _decimal(text: str, part: Part) -> Literal:
    value = Number(text)
    exponent = value.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    precision = max(len(value.as_tuple().digits), scale)
    if precision > 38:
        raise Refused(f"{part.text} has more than 38 digits", "write it as a double: 1e39", part.at)
    return Literal(value, Decimal(precision, scale), part.at)

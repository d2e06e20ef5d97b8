"""Numbers: rounding, signs, bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.law.functions.casts import fits_bigint
from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import (
    BIGINT,
    DOUBLE,
    FLOAT,
    INT,
    STRING,
    common,
    constant,
    of,
    takes,
    text_of,
)  # fmt: skip
from framework.law.functions.nodes import Node, Refused
from framework.types import DataType, Decimal

__all__ = ["FUNCTIONS"]


def _rounded(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if not 1 <= len(nodes) <= 2:
        raise Refused(f"it takes a number and the places behind the point, not {len(nodes)} arguments")
    type_ = of(nodes[0], "number")
    places = constant(nodes[1]) if len(nodes) == 2 else None
    digits = places.value if places is not None else 0
    if (len(nodes) == 2 and places is None) or not isinstance(digits, int) or not 0 <= digits <= _PLACES:
        raise Refused(f"the places are a literal from 0 to {_PLACES}", "for example round(amount, 2)", nodes[1].at)
    types = [DOUBLE if type_ == FLOAT else type_, *([INT] if len(nodes) == 2 else [])]
    if isinstance(type_, Decimal):
        scale = min(type_.scale, digits)
        return types, Decimal(min(38, max(1, type_.precision - type_.scale + (type_.scale > scale) + scale)), scale)
    return types, types[0]


_PLACES = 12


def _places(given: Given) -> int:
    literal = constant(given.nodes[1]) if len(given.nodes) == 2 else None
    return literal.value if literal is not None and isinstance(literal.value, int) else 0


def _round(given: Given) -> str:
    if isinstance(given.type, Decimal):
        return given.dialect.try_cast(given[0], given.result)
    if given.type != DOUBLE:
        return given[0]
    text = given.dialect.as_text(given[0])
    exact_ = given.dialect.try_cast(text, given.dialect.type(Decimal(38, _places(given))))
    small = f"abs({given[0]}) < 1e15"
    return f"CASE WHEN {small} THEN CAST({exact_} AS {given.result}) ELSE {given[0]} END"


def _toward(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 1:
        raise Refused(f"it takes 1 number, not {len(nodes)}")
    type_ = of(nodes[0], "number")
    if isinstance(type_, Decimal):
        return [type_], Decimal(min(38, type_.precision - type_.scale + 1), 0)
    return [DOUBLE if type_ == FLOAT else type_], BIGINT


def _floor(name: str) -> Callable[[Given], str]:
    def say(given: Given) -> str:
        if given.nodes[0].type == DOUBLE:
            return f"CASE WHEN {fits_bigint(given[0])} THEN CAST({name}({given[0]}) AS {given.result}) END"
        return given.dialect.try_cast(f"{name}({given[0]})", given.result)

    return say


def _two(nodes: Sequence[Node]) -> tuple[Node, Node]:
    if len(nodes) != 2:
        raise Refused(f"it takes 2 whole numbers, not {len(nodes)}")
    return nodes[0], nodes[1]


def _bits(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    one, other = _two(nodes)
    shared = common(of(one, "integer"), of(other, "integer"))
    if shared is None:
        raise Refused(f"{text_of(one.type)} and {text_of(other.type)} do not meet")
    return [shared, shared], shared


def _sign(given: Given) -> str:
    return f"CASE WHEN {given[0]} > 0 THEN 1 WHEN {given[0]} < 0 THEN -1 WHEN {given[0]} = 0 THEN 0 END"


def _half_even(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = _rounded(nodes)
    if not isinstance(result, Decimal):
        raise Refused(f"it rounds decimals, not {text_of(types[0])}", "cast(… AS decimal(12,4))", nodes[0].at)
    return types, result


def _to_even(given: Given) -> str:
    """What lies in the middle goes to the even neighbour: rounded half up, and one less where that is odd."""
    result, one = given.type, given.nodes[0].type
    assert isinstance(result, Decimal)  # noqa: S101 (it rounds decimals)
    assert isinstance(one, Decimal)  # noqa: S101
    dialect, up = given.dialect, given.dialect.try_cast(given[0], given.result)
    if one.scale <= result.scale:
        return up
    step = f"CAST('{'0.' + '0' * (result.scale - 1) + '1' if result.scale else '1'}' AS {given.result})"
    half = f"CAST('0.{'0' * result.scale}5' AS {dialect.type(Decimal(min(38, one.scale + 1), one.scale))})"
    odd = f"right({dialect.as_text('u')}, 1) IN ('1', '3', '5', '7', '9')"
    tie = f"abs({given[0]} - u) = {half}"
    down = f"CAST(u - {step} * CASE WHEN {given[0]} < 0 THEN -1 ELSE 1 END AS {given.result})"
    return dialect.bind("u", up, f"CASE WHEN {tie} AND {odd} THEN {down} ELSE u END")


FUNCTIONS: tuple[Function, ...] = (
    function("sign", "sign(a)", "1, 0 or -1, an int", takes("number", returns=INT), _sign, aliases=("signum",),
             examples={"sign(-2.5)": "-1", "sign(0)": "0"}),
    function("round", "round(a [, places])", "rounded half away from zero", _rounded, _round, fails=True,
             examples={"round(2.5)": "3", "round(-2.345, 2)": "-2.35", "round(2.675e0, 2)": "2.68",
             "round(7, 2)": "7"}),
    function("bround", "bround(a [, places])", "rounded half to even, a decimal", _half_even,
             duckdb=_to_even, spark=_to_even, fails=True,
             examples={"bround(2.5)": "2", "bround(3.5)": "4", "bround(-2.345, 2)": "-2.34"}),
    function("floor", "floor(a)", "the next whole number below", _toward, _floor("floor"), fails=True,
             examples={"floor(2.7)": "2", "floor(-2.1)": "-3", "floor(1e30)": "error", "floor(5)": "5"}),
    function("ceil", "ceil(a)", "the next whole number above", _toward, _floor("ceil"), fails=True,
             aliases=("ceiling",), examples={"ceil(2.1)": "3", "ceil(-2.7)": "-2"}),
    function("sqrt", "sqrt(a)", "the square root, a double; of a negative number it is an error",
             takes("double", returns=DOUBLE), "CASE WHEN {0} >= 0 THEN sqrt({0}) END", fails=True,
             examples={"sqrt(16)": "4.0", "sqrt(-1)": "error"}),
    function("&", "a & b", "bits that both have", _bits, "({0} & {1})", examples={"6 & 3": "2"}),
    function("|", "a | b", "bits that one has", _bits, "({0} | {1})", examples={"6 | 3": "7"}),
    function("^", "a ^ b", "bits that only one has", _bits, duckdb="xor({0}, {1})", spark="({0} ^ {1})",
             examples={"6 ^ 3": "5"}),
    function("~", "~a", "the other bits", takes("integer", returns=lambda types: types[0]), "(~{0})",
             examples={"~5": "-6"}),
    function("bin", "bin(a)", "a whole number in binary digits",
             takes("integer", returns=STRING), "bin(CAST({0} AS bigint))",
             examples={"bin(10)": "'1010'", "bin(0)": "'0'"}),
)  # fmt: skip
"""The functions of this group."""

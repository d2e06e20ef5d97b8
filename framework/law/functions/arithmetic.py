"""Arithmetic. Results have Spark's types; what does not fit them is an error, never a wrong number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import (
    BIGINT,
    DOUBLE,
    FLOAT,
    common,
    exact,
    of,
    takes,
)  # fmt: skip
from framework.law.functions.nodes import Call, Node, Refused
from framework.types import DataType, Decimal

__all__ = ["FUNCTIONS"]

_IN_64_BITS = 18
"""Digits of decimals that DuckDB keeps in 64 bits."""
_LARGE = "cast one of them to a smaller decimal, or to double"


def _arithmetic(
    result: Callable[[Decimal, Decimal], tuple[int, int]],
) -> Callable[[Sequence[Node]], tuple[Sequence[DataType], DataType]]:
    """Two numbers; `result` gives the digits before and behind the point of a decimal result."""

    def check(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
        one, other = _numbers(nodes)
        if not isinstance(one.type, Decimal) and not isinstance(other.type, Decimal):
            shared = _together(one, other)
            return [shared, shared], shared
        if DOUBLE in (one.type, other.type) or FLOAT in (one.type, other.type):
            return [DOUBLE, DOUBLE], DOUBLE
        types = exact(one) or Decimal(1, 0), exact(other) or Decimal(1, 0)
        return types, _decimal(*result(*types), one)

    return check


def _numbers(nodes: Sequence[Node]) -> tuple[Node, Node]:
    if len(nodes) != 2:
        raise Refused(f"it takes 2 numbers, not {len(nodes)}")
    for node in nodes:
        of(node, "number")
    return nodes[0], nodes[1]


def _together(one: Node, other: Node) -> DataType:
    types = of(one, "number"), of(other, "number")
    shared = common(*types)
    assert shared is not None  # noqa: S101 (numbers that are no decimals meet)
    return shared


def _decimal(whole: int, scale: int, node: Node) -> Decimal:
    if whole + scale > 38:
        message = f"the result would need a decimal({whole + scale},{scale}), and there are 38 digits at most"
        raise Refused(message, _LARGE, node.at)
    return Decimal(whole + scale, scale)


def _sum(one: Decimal, other: Decimal) -> tuple[int, int]:
    return max(one.precision - one.scale, other.precision - other.scale) + 1, max(one.scale, other.scale)


def _product(one: Decimal, other: Decimal) -> tuple[int, int]:
    scale = one.scale + other.scale
    return one.precision + other.precision + 1 - scale, scale


def _remainder(one: Decimal, other: Decimal) -> tuple[int, int]:
    return min(one.precision - one.scale, other.precision - other.scale), max(one.scale, other.scale)


def _divided(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    """Integers are divided as doubles, decimals to a decimal."""
    one, other = _numbers(nodes)
    both = exact(one), exact(other)
    if both[0] is None or both[1] is None or not any(isinstance(node.type, Decimal) for node in nodes):
        return [DOUBLE, DOUBLE], DOUBLE
    scale = max(6, both[0].scale + both[1].precision + 1)
    whole = both[0].precision - both[0].scale + both[1].scale
    return [both[0], both[1]], _decimal(whole, scale, one)


def _modulo(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = _arithmetic(_remainder)(nodes)
    if isinstance(result, Decimal):
        one, other = types
        shared = common(one, other)
        if shared is None:
            raise Refused("the numbers have no decimal in common", _LARGE, nodes[0].at)
        return [shared, shared], shared
    return types, result


def _whole(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    one, other = _numbers(nodes)
    for node in (one, other):
        of(node, "integer")
    return [BIGINT, BIGINT], BIGINT


def _of_arg(types: Sequence[DataType]) -> DataType:
    return types[0]


def _safely(sign: str) -> Callable[[Given], str]:
    """On DuckDB: as the type of the result, NULL where it does not fit."""

    def say(given: Given) -> str:
        if given.type in (DOUBLE, FLOAT):
            return f"({given[0]} {sign} {given[1]})"
        if isinstance(given.type, Decimal) and sign != "*":
            one, other = (f"CAST({arg} AS {given.result})" for arg in given.args)
            return f"TRY(CAST({one} {sign} {other} AS {given.result}))"
        return f"TRY(CAST({_with_room(given) if sign == '*' else given[0]} {sign} {given[1]} AS {given.result}))"

    return say


def _with_room(given: Given) -> str:
    """The first factor. DuckDB gives the product of decimals of up to 18 digits no more than 18."""
    one, other = (node.type for node in given.nodes)
    if not isinstance(one, Decimal) or not isinstance(other, Decimal):
        return given[0]
    if max(one.precision, other.precision) > _IN_64_BITS or one.precision + other.precision <= _IN_64_BITS:
        return given[0]
    return f"CAST({given[0]} AS {given.dialect.type(Decimal(_IN_64_BITS + 1, one.scale))})"


def _tried(name: str) -> Callable[[Given], str]:
    """On Spark: by the function that gives NULL instead of an error."""

    def say(given: Given) -> str:
        if given.type in (DOUBLE, FLOAT):
            return f"({given[0]} {({'try_add': '+', 'try_subtract': '-', 'try_multiply': '*'})[name]} {given[1]})"
        if isinstance(given.type, Decimal):
            return f"CAST({name}({given[0]}, {given[1]}) AS {given.result})"
        one, other = (_apart(arg, node, name) for arg, node in zip(given.args, given.nodes, strict=True))
        return f"{name}({one}, {other})"

    return say


_ALIKE = {"try_add": ("+", "try_add"), "try_multiply": ("*", "try_multiply")}
_WIDER = {"tinyint": "int", "smallint": "int", "int": "bigint", "bigint": "decimal(19,0)"}


def _apart(arg: str, node: Node, name: str) -> str:
    """An operand that Spark does not see through: it puts sums of sums of integers, and products of products, in an
    order of its own, in which others overflow."""
    if not isinstance(node, Call) or node.function.name not in _ALIKE.get(name, ()):
        return arg
    return f"CAST(CAST({arg} AS {_WIDER[str(node.type)]}) AS {node.type})"


def _quotient(given: Given) -> str:
    """On DuckDB, which divides decimals as doubles: by the whole numbers that they are without their points, rounded
    half up, and the point put where it belongs."""
    if given.type == DOUBLE:
        return f"CASE WHEN {given[1]} <> 0 THEN {given[0]} / {given[1]} END"
    assert isinstance(given.type, Decimal)  # noqa: S101 (integers are divided as doubles)
    one, other = (node.type for node in given.nodes)
    assert isinstance(one, Decimal)  # noqa: S101
    assert isinstance(other, Decimal)  # noqa: S101
    shift = given.type.scale - one.scale + other.scale
    if 2 * given.type.precision <= _EXACT and one.precision + one.scale + shift < _EXACT:
        return _by_integers(given, one, other, shift)
    top, bottom = (f"CAST(replace(CAST({arg} AS VARCHAR), '.', '') AS HUGEINT)" for arg in given.args)
    digits = (
        f"lpad(CAST(q AS VARCHAR), CAST(greatest({given.type.scale + 1}, length(CAST(q AS VARCHAR))) AS INTEGER), '0')"
    )
    text = f"left({digits}, -{given.type.scale}) || '.' || right({digits}, {given.type.scale})"
    signed = f"CASE WHEN (n < 0) <> (d < 0) THEN '-' ELSE '' END || {text}"
    rounded = "(abs(n) // abs(d)) + CASE WHEN abs(n) % abs(d) >= abs(d) - abs(n) % abs(d) THEN 1 ELSE 0 END"
    bind = given.dialect.bind
    value = bind("q", rounded, f"TRY_CAST({signed} AS {given.result})")
    inner = bind("n", f"{top} * CAST('1{'0' * shift}' AS HUGEINT)", bind("d", bottom, value))
    return f"CASE WHEN {given[1]} <> 0 THEN {inner} END"


_SMALL, _EXACT = 18, 36
"""Digits with which whole numbers can be added and doubled: in 64 bits, and in 128."""


def _by_integers(given: Given, one: Decimal, other: Decimal, shift: int) -> str:
    """The same where nothing on the way has too many digits: with numbers instead of texts."""
    result = given.type
    assert isinstance(result, Decimal)  # noqa: S101 (_quotient has looked)
    whole = "BIGINT" if max(result.precision, other.precision) <= _SMALL else "HUGEINT"
    top = f"(CAST({given[0]} * {_power(one.scale)} AS {whole}) * CAST('1{'0' * shift}' AS {whole}))"
    bottom = f"CAST({given[1]} * {_power(other.scale)} AS {whole})"
    rounded = f"((2 * abs({top}) + abs({bottom})) // (2 * abs({bottom})))"
    places = f"CAST('0.{'0' * (result.scale - 1)}1' AS DECIMAL({result.scale}, {result.scale}))"
    signed = f"CASE WHEN ({given[0]} < 0) <> ({given[1]} < 0) THEN -{rounded} ELSE {rounded} END"
    value = f"CAST(CAST({signed} AS DECIMAL({result.precision}, 0)) * {places} AS {given.result})"
    return f"CASE WHEN {given[1]} <> 0 THEN {value} END"


def _power(digits: int) -> str:
    """A decimal of one and so many zeros."""
    return f"CAST('1{'0' * digits}' AS DECIMAL({digits + 1}, 0))"


def _modulo_sql(given: Given) -> str:
    return f"CASE WHEN {given[1]} <> 0 THEN {given[0]} % {given[1]} END"


def _pmod(given: Given) -> str:
    remainder = f"({given[0]} % {given[1]})"
    up = f"CAST(({remainder} + {given[1]}) % {given[1]} AS {given.result})"
    turned = f"CASE WHEN {remainder} < 0 AND {given[1]} > 0 THEN {up} ELSE {remainder} END"
    return f"CASE WHEN {given[1]} <> 0 THEN {turned} END"


_ANY_NUMBER = takes("number", returns=_of_arg)

FUNCTIONS: tuple[Function, ...] = (
    function("+", "a + b", "the sum", _arithmetic(_sum), duckdb=_safely("+"), spark=_tried("try_add"), fails=True,
             examples={"1 + 2": "3", "2147483647 + 1": "error", "2147483647 + 1L": "2147483648",
                                        "1.5 + 1": "2.5", "1 + null": "NULL", "0.1 + 0.2 = 0.3": "true",
                                        "-5 + (1 + 2147483647)": "error"}),
    function("-", "a - b", "the difference", _arithmetic(_sum), duckdb=_safely("-"), spark=_tried("try_subtract"),
             fails=True, examples={"1 - 2": "-1", "1.50 - 0.5": "1.00"}),
    function("*", "a * b", "the product", _arithmetic(_product), duckdb=_safely("*"), spark=_tried("try_multiply"),
             fails=True, examples={"2 * 3": "6", "1.5 * 1.5": "2.25", "100000 * 100000": "error",
                                                     "100000L * 100000": "10000000000",
                                                     "9000000000.00 * 9000000000.00": "81000000000000000000.0000"}),
    function("/", "a / b", "the quotient: of integers a double, of decimals a decimal with at least 6 places; division "
             "by zero is an error", _divided, duckdb=_quotient,
             spark=lambda given: f"CAST(try_divide({given[0]}, {given[1]}) AS {given.result})",
             fails=True,
             examples={"7 / 2": "3.5", "1 / 0": "error", "null / 0": "NULL", "1.00 / 3": "0.333333",
                       "-2.00 / 3": "-0.666667", "cast(10.00 as decimal(12,2)) / 100": "0.100000"}),
    function("div", "a div b", "the quotient of integers without what is behind the point, a bigint", _whole,
             duckdb=lambda given: f"CASE WHEN {given[1]} <> 0 THEN TRY({given[0]} // {given[1]}) END",
             spark=lambda given: f"CASE WHEN {given[1]} <> 0 AND NOT ({given[1]} = -1 AND {given[0]} = "
             f"-9223372036854775808L) THEN {given[0]} div {given[1]} END",
             fails=True, examples={"7 div 2": "3", "-7 div 2": "-3", "7 div 0": "error"}),
    function("%", "a % b", "the remainder, with the sign of a; also `mod(a, b)`", _modulo, _modulo_sql, fails=True,
             aliases=("mod",), examples={"7 % 3": "1", "-7 % 3": "-1", "5.5 % 2": "1.5", "1 % 0": "error"}),
    function("pmod", "pmod(a, b)", "the remainder, positive for a positive b", _modulo, _pmod, fails=True,
             examples={"pmod(7, 3)": "1", "pmod(-7, 3)": "2", "pmod(7, 0)": "error", "pmod(-1, -2147483648)": "-1"}),
    function("try_divide", "try_divide(a, b)", "as `/`; division by zero is NULL", _divided, duckdb=_quotient,
             spark=lambda given: f"CAST(try_divide({given[0]}, {given[1]}) AS {given.result})",
             examples={"try_divide(7, 2)": "3.5", "try_divide(1, 0)": "NULL"}),
    function("try_add", "try_add(a, b)", "as `+`; what does not fit is NULL", _arithmetic(_sum), duckdb=_safely("+"),
             spark=_tried("try_add"), examples={"try_add(2147483647, 1)": "NULL", "try_add(1, 2)": "3"}),
    function("try_subtract", "try_subtract(a, b)", "as `-`; what does not fit is NULL", _arithmetic(_sum),
             duckdb=_safely("-"), spark=_tried("try_subtract"), examples={"try_subtract(-2147483648, 1)": "NULL"}),
    function("try_multiply", "try_multiply(a, b)", "as `*`; what does not fit is NULL", _arithmetic(_product),
             duckdb=_safely("*"), spark=_tried("try_multiply"), examples={"try_multiply(100000, 100000)": "NULL"}),
    function("negative", "-a", "the number with the other sign; also `negative(a)`", _ANY_NUMBER,
             duckdb="TRY(CAST(-{0} AS {type}))",
             spark=lambda given: f"try_subtract(CAST(0 AS {given.result}), {given[0]})"
             if given.type not in (DOUBLE, FLOAT) and not isinstance(given.type, Decimal) else f"(-{given[0]})",
             fails=True, examples={"-(1 + 2)": "-3", "negative(1.5)": "-1.5", "-cast('-128' as tinyint)": "error"}),
    function("abs", "abs(a)", "the number without its sign", _ANY_NUMBER, duckdb="TRY(CAST(abs({0}) AS {type}))",
             spark=lambda given: f"CASE WHEN {given[0]} < 0 THEN try_subtract(CAST(0 AS {given.result}), {given[0]}) "
             f"ELSE {given[0]} END"
             if given.type not in (DOUBLE, FLOAT) and not isinstance(given.type, Decimal) else f"abs({given[0]})",
             fails=True, examples={"abs(-5)": "5", "abs(-1.5)": "1.5", "abs(cast('-128' as tinyint))": "error"}),
)  # fmt: skip
"""The functions of this group."""

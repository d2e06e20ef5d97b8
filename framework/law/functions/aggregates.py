"""Aggregates: functions over all rows of a batch, for checks with `scope: batch`."""

from __future__ import annotations

from collections.abc import Sequence

from framework.law.functions.function import Errors, Function, Given, function
from framework.law.functions.kinds import BIGINT, BOOLEAN, DOUBLE, FLOAT, of, takes
from framework.law.functions.nodes import Node, Refused
from framework.types import Array, DataType, Decimal, Map, Struct

__all__ = ["FUNCTIONS"]


def _counted(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    return [node.type for node in nodes], BIGINT


def _summed(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, _ = takes("number", returns=BIGINT)(nodes)
    match types[0]:
        case Decimal(precision, scale):
            return types, Decimal(min(38, precision + 10), scale)
        case _ if types[0] in (DOUBLE, FLOAT):
            return [DOUBLE], DOUBLE
        case _:
            return [BIGINT], BIGINT


def _ordered(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 1:
        raise Refused(f"it takes 1 argument, not {len(nodes)}")
    type_ = of(nodes[0], "any")
    if isinstance(type_, Array | Map | Struct):
        raise Refused(f"values of the type {type_} cannot be compared", "take a member of it", nodes[0].at)
    return [type_], type_


def _count(given: Given) -> str:
    if not given.args:
        return "count(*)"
    there = " AND ".join(f"{arg} IS NOT NULL" for arg in given.args)
    return f"count(CASE WHEN {there} THEN 1 END)"


def _distinct(given: Given) -> str:
    if len(given.args) == 1:
        return f"count(DISTINCT {given[0]})"
    there = " AND ".join(f"{arg} IS NOT NULL" for arg in given.args)
    row = given.dialect.struct({f"c{index}": arg for index, arg in enumerate(given.args)})
    return f"count(DISTINCT CASE WHEN {there} THEN {row} END)"


def _sum_overflows(given: Given) -> str:
    return f"count({given[0]}) > 0"


_CONDITION = takes("boolean", returns=BIGINT)
_ROWS = Errors.ROWS

FUNCTIONS: tuple[Function, ...] = (
    function("count", "count(*), count(a, …)", "how many rows; of them those in which no argument is NULL", _counted,
             _count, errors=_ROWS, aggregate=True, examples={"count(*)": "4", "count(n)": "3"}),
    function("count_distinct", "count(DISTINCT a, …)", "how many different values, without NULL", _counted, _distinct,
             errors=_ROWS, aggregate=True, examples={"count(distinct n)": "2", "count(distinct n, t)": "3"}),
    function("count_if", "count_if(condition)", "in how many rows the condition is true", _CONDITION,
             "count(CASE WHEN {0} THEN 1 END)", errors=_ROWS, aggregate=True, examples={"count_if(n > 1)": "2"}),
    function("sum", "sum(a)", "the sum; NULL without values, an error where it does not fit a bigint", _summed,
             duckdb="TRY_CAST(sum({0}) AS {type})", spark="CAST(try_sum({0}) AS {type})", fails=_sum_overflows,
             errors=_ROWS, aggregate=True, examples={"sum(n)": "5", "sum(if(n > 9, n, null))": "NULL"}),
    function("avg", "avg(a)", "the mean, a double; NULL without values", takes("double", returns=DOUBLE), "avg({0})",
             errors=_ROWS, aggregate=True, aliases=("mean",),
             examples={"avg(if(n is null, 1, 0))": "0.25", "avg(n) > 1.6": "true"}),
    function("min", "min(a)", "the least value", _ordered, "min({0})", errors=_ROWS, aggregate=True,
             examples={"min(n)": "1", "min(t)": "'a'"}),
    function("max", "max(a)", "the greatest value", _ordered, "max({0})", errors=_ROWS, aggregate=True,
             examples={"max(n)": "2", "max(t)": "'c'"}),
    function("every", "every(condition)", "whether the condition is true in all rows where it is not NULL",
             takes("boolean", returns=BOOLEAN), "bool_and({0})", errors=_ROWS, aggregate=True, aliases=("bool_and",),
             examples={"every(n > 0)": "true"}),
    function("any", "any(condition)", "whether the condition is true in one row", takes("boolean", returns=BOOLEAN),
             "bool_or({0})", errors=_ROWS, aggregate=True, aliases=("some", "bool_or"),
             examples={"any(n > 1)": "true"}),
)  # fmt: skip
"""The functions of this group; the examples are over the rows (1, 'a'), (2, 'b'), (2, 'c'), (NULL, 'a') of n and t."""

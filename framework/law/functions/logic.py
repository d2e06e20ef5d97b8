"""Comparisons and logic with the three values of SQL."""

from __future__ import annotations

from collections.abc import Sequence

from framework.law.functions.function import Errors, Function, Given, function
from framework.law.functions.kinds import BOOLEAN, constant, of, takes, unified
from framework.law.functions.nodes import Node, Refused
from framework.types import Array, DataType, Map, Struct

__all__ = ["FUNCTIONS"]


def _compared(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    shared = unified(nodes)
    if isinstance(shared, Array | Map | Struct):
        raise Refused(f"values of the type {shared} cannot be compared", "compare a member of it", nodes[0].at)
    return [shared] * len(nodes), BOOLEAN


def _two(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 2:
        raise Refused(f"it takes 2 arguments, not {len(nodes)}")
    return _compared(nodes)


def _three(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 3:
        raise Refused(f"it takes 3 arguments, not {len(nodes)}", "a BETWEEN 1 AND 9")
    return _compared(nodes)


def _in(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) < 2:
        raise Refused("the list behind IN is empty", "for example status IN ('A', 'I')")
    return _compared(nodes)


def _case(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    for condition in nodes[:-1:2]:
        of(condition, "boolean")
    shared = unified([*nodes[1::2], nodes[-1]])
    pairs = [type_ for _ in nodes[1::2] for type_ in (BOOLEAN, shared)]
    return [*pairs, shared], shared


def _say_case(given: Given) -> str:
    pairs = zip(given.args[:-1:2], given.args[1::2], strict=True)
    return f"CASE {' '.join(f'WHEN {test} THEN {value}' for test, value in pairs)} ELSE {given[-1]} END"


def _if(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 3:
        raise Refused(f"it takes 3 arguments, not {len(nodes)}", "if(condition, then, otherwise)")
    return _case(nodes)


def _nvl2(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 3:
        raise Refused(f"it takes 3 arguments, not {len(nodes)}", "nvl2(value, if there is one, if it is NULL)")
    shared = unified(nodes[1:])
    return [nodes[0].type, shared, shared], shared


_ESCAPE = "\\"


def _like(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if not 2 <= len(nodes) <= 3:
        raise Refused(f"it takes a text and a pattern, not {len(nodes)} arguments")
    types = [of(node, "string") for node in nodes]
    pattern, mark = constant(nodes[1]), constant(nodes[2]) if len(nodes) == 3 else None
    if pattern is None or not isinstance(pattern.value, str) or (len(nodes) == 3 and mark is None):
        raise Refused("the pattern must be a literal", "for example name LIKE 'A%'", nodes[1].at)
    escape = str(mark.value) if mark else _ESCAPE
    if len(escape) != 1:
        raise Refused("the escape is one character", "for example LIKE '10!%' ESCAPE '!'", nodes[2].at)
    text, index = pattern.value, 0
    while index < len(text):
        if text[index] == escape:
            if text[index + 1 : index + 2] not in ("%", "_", escape):
                raise Refused(f"behind the escape {escape} stands one of % _ {escape}", None, nodes[1].at)
            index += 1
        index += 1
    return types, BOOLEAN


def _escape(given: Given) -> str:
    """Nothing where the pattern has no escape, which DuckDB then reads faster."""
    pattern, mark = constant(given.nodes[1]), constant(given.nodes[2]) if len(given.nodes) == 3 else None
    used = str(mark.value) if mark else _ESCAPE
    if pattern is not None and used not in str(pattern.value) and _ESCAPE not in str(pattern.value):
        return ""
    return f" ESCAPE {given.dialect.text(used)}"


def _say_like(given: Given) -> str:
    return f"({given[0]} LIKE {given[1]}{_escape(given)})"


def _say_ilike(given: Given) -> str:
    return f"(lower({given[0]}) LIKE lower({given[1]}){_escape(given)})"


_LOGIC = takes("boolean", "boolean", returns=BOOLEAN)

FUNCTIONS: tuple[Function, ...] = (
    *(
        function(sign, f"a {sign} b", what, _two, f"({{0}} {sign} {{1}})", examples=examples)
        for sign, what, examples in (
            ("=", "whether two values are equal; also `==`", {"1 = 1.0": "true", "'a' = 'A'": "false",
            "1 = null": "NULL"}),
            ("<>", "whether two values differ; also `!=`", {"'a' <> 'b'": "true", "null <> 'b'": "NULL"}),
            ("<", "whether one value is less than another", {"1 < 2": "true", "'B' < 'a'": "true",
            "'10' < '9'": "true"}),
            ("<=", "whether one value is at most another", {"date '2026-01-31' <= '2026-02-01'": "true"}),
            (">", "whether one value is more than another; NaN is more than every number",
             {"2 > 1.5": "true", "cast('NaN' as double) > 1e300": "true"}),
            (">=", "whether one value is at least another", {"2 >= 3": "false"}),
        )
    ),
    function("<=>", "a <=> b", "whether two values are equal, or both NULL; also `a IS NOT DISTINCT FROM b`", _two,
             "({0} IS NOT DISTINCT FROM {1})", errors=Errors.ANY,
             examples={"null <=> null": "true", "1 <=> null": "false", "1 is distinct from 2": "true"}),
    function("and", "a AND b", "whether both are true; where the first is false, the second is not looked at",
             _LOGIC, "({0} AND {1})", errors=Errors.AND,
             examples={"true and null": "NULL", "false and null": "false", "0 <> 0 and 1 / 0 > 1": "false"}),
    function("or", "a OR b", "whether one is true; where the first is true, the second is not looked at",
             _LOGIC, "({0} OR {1})", errors=Errors.OR,
             examples={"true or null": "true", "false or null": "NULL", "0 = 0 or 1 / 0 > 1": "true"}),
    function("not", "NOT a", "the opposite; of NULL it is NULL", takes("boolean", returns=BOOLEAN), "(NOT {0})",
             examples={"not true": "false", "not null": "NULL"}),
    function("isnull", "a IS NULL", "whether there is no value; also `isnull(a)`", takes("any", returns=BOOLEAN),
             "({0} IS NULL)", errors=Errors.ANY, examples={"null is null": "true", "'' is null": "false"}),
    function("isnotnull", "isnotnull(a)", "whether there is a value; also `a IS NOT NULL`",
             takes("any", returns=BOOLEAN), "({0} IS NOT NULL)", errors=Errors.ANY,
             examples={"isnotnull(1)": "true", "'' is not null": "true"}),
    function("isnan", "isnan(a)", "whether a number is NaN; false for NULL", takes("double", returns=BOOLEAN),
             "coalesce(isnan({0}), false)", errors=Errors.ANY,
             examples={"isnan(cast('NaN' as double))": "true", "isnan(1)": "false", "isnan(null)": "false"}),
    function("between", "a BETWEEN b AND c", "whether a value is at least b and at most c", _three,
             "({0} BETWEEN {1} AND {2})", errors=Errors.ANY,
             examples={"2 between 1 and 3": "true", "1 not between 2 and 3": "true", "5 between null and 3": "false"}),
    function("in", "a IN (b, …)", "whether a value is one of several; NULL among them makes a miss NULL", _in,
             lambda given: f"({given[0]} IN ({', '.join(given.args[1:])}))", errors=Errors.ANY,
             examples={"'A' in ('A', 'I')": "true", "3 in (1, 2)": "false", "3 in (1, null)": "NULL",
                       "null in (1)": "NULL"}),
    function("like", "a LIKE pattern [ESCAPE e]", "whether all of a text matches a literal pattern: `%` any text, "
             "`_` one character", _like, _say_like,
             examples={"'Anna' like 'A%'": "true", "'anna' like 'A%'": "false", r"'5%' like '5\\%'": "true",
                       "'a_b' like 'a!_b' escape '!'": "true"}),
    function("ilike", "a ILIKE pattern [ESCAPE e]", "as LIKE, in any case", _like, _say_ilike,
             examples={"'anna' ilike 'A%'": "true", "null ilike 'a'": "NULL"}),
    function("case", "CASE WHEN c THEN a … [ELSE b] END", "the first value whose condition is true; NULL is not true. "
             "Also `CASE x WHEN 1 THEN …`. Only what is needed is looked at", _case, _say_case, errors=Errors.CASE,
             examples={"case when 1 > 2 then 'a' when null then 'b' else 'c' end": "'c'",
                       "case 2 when 1 then 'one' when 2 then 'two' end": "'two'",
                       "case when false then 1 end": "NULL"}),
    function("if", "if(condition, a, b)", "a where the condition is true, else b", _if, _say_case, errors=Errors.CASE,
             aliases=("iff",), examples={"if(1 > 2, 'a', 'b')": "'b'", "if(null, 1, 2)": "2",
             "if(true, 1, 1 / 0)": "1.0"}),
    function("coalesce", "coalesce(a, b, …)", "the first value that is not NULL",
             takes("same", repeated=True, returns=lambda types: types[0]), "coalesce({args})", errors=Errors.COALESCE,
             aliases=("ifnull", "nvl"), examples={"coalesce(null, 'x', 'y')": "'x'", "nvl(null, 1)": "1",
                                                "coalesce(null, null)": "NULL"}),
    function("nullif", "nullif(a, b)", "NULL where a equals b, else a",
             takes("same", "same", returns=lambda types: types[0]), "nullif({0}, {1})", errors=Errors.ANY,
             examples={"nullif('', '')": "NULL", "nullif('x', '')": "'x'", "nullif('x', null)": "'x'"}),
    function("nvl2", "nvl2(a, b, c)", "b where a is not NULL, else c", _nvl2,
             "CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END", errors=Errors.ANY,
             examples={"nvl2(null, 1, 2)": "2", "nvl2('x', 1, 2)": "1"}),
    function("greatest", "greatest(a, b, …)", "the greatest value that is not NULL",
             takes("same", "same", repeated=True, returns=lambda types: types[0]), "greatest({args})",
             errors=Errors.ANY, examples={"greatest(1, null, 3)": "3", "greatest('a', 'B')": "'a'"}),
    function("least", "least(a, b, …)", "the least value that is not NULL",
             takes("same", "same", repeated=True, returns=lambda types: types[0]), "least({args})",
             errors=Errors.ANY, examples={"least(1, null, 3)": "1",
             "least(date '2026-01-02', '2026-01-01')": "2026-01-01"}),
)  # fmt: skip
"""The functions of this group."""

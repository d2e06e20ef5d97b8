"""Casts: what a value is as another type. A text becomes a value by the value law, as texts in files do."""

from __future__ import annotations

from collections.abc import Sequence

from framework.law.dialects import Dialect
from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOAT,
    PLAIN,
    STRING,
    TIMESTAMP,
    is_number,
    text_of,
)  # fmt: skip
from framework.law.functions.nodes import NULL, Literal, Node, Refused
from framework.law.values import typed
from framework.types import INTEGERS, Array, DataType, Decimal, Map, Scalar, Struct, parse_type

__all__ = [
    "FUNCTIONS",
    "LOCAL",
    "WIDENED",
    "as_double",
    "fits_bigint",
    "instant",
    "local",
    "widened",
    "within_years",
    "zone_of",
]

_EXACT_DIGITS = 15
"""Digits that every double holds."""


def zone_of(given: Given) -> str | None:
    """The SQL of the zone of local times, None for UTC."""
    return None if given.zone == "UTC" else given.dialect.text(given.zone)


def local(given: Given, sql: str, type_: DataType) -> str:
    """The local time of a date or a moment."""
    if type_ == TIMESTAMP:
        return given.dialect.local(sql, zone_of(given))
    return f"CAST({sql} AS {given.dialect.plain_timestamp})" if type_ == DATE else sql


def within_years(given: Given, sql: str, type_: DataType) -> str:
    """A date or a local time, NULL beyond the years 0001 to 9999; it is looked at three times."""
    first, last = _YEARS[type_]
    name = given.dialect.type(type_)
    return f"CASE WHEN {sql} BETWEEN CAST('{first}' AS {name}) AND CAST('{last}' AS {name}) THEN {sql} END"


def as_local(given: Given, sql: str, type_: DataType) -> str:
    """The day or the local time of an instant. Of the first and the last ones NULL: in some zones these days are in the
    years 0 and 10000."""
    there = f"CAST({local(given, sql, TIMESTAMP)} AS {given.dialect.type(type_)})"
    if zone_of(given) is None:
        return there
    return given.dialect.bind("there", there, within_years(given, "there", type_))


def instant(given: Given, sql: str) -> str:
    """The instant of a local time."""
    return given.dialect.instant(sql, zone_of(given))


def as_double(sql: str, type_: DataType, dialect: Dialect) -> str:
    """A number as the double that is nearest to it."""
    if isinstance(type_, Decimal) and type_.precision > _EXACT_DIGITS:
        sql = dialect.as_text(sql)
    return f"CAST({sql} AS {dialect.type(DOUBLE)})"


def fits_bigint(sql: str) -> str:
    """Whether a double (SQL, looked at twice) is in the range of bigint. Spark takes 2^63 for the last number in it."""
    return f"{sql} >= -9223372036854775808e0 AND {sql} < 9223372036854775808e0"


def widened(given: Given) -> str:
    """A value as a type that holds all values of its own."""
    sql, (node,), to = given[0], given.nodes, given.type
    match node.type, to:
        case Scalar("null"), _:
            return given.dialect.null(to)
        case _, Scalar("string"):
            return _text(given, sql, node.type)
        case _, Scalar("double"):
            return as_double(sql, node.type, given.dialect)
        case Scalar("date"), Scalar("timestamp"):
            return instant(given, local(given, sql, DATE))
        case Scalar("timestamp"), Scalar("date"):
            return as_local(given, sql, to)
        case _:
            return f"CAST({sql} AS {given.result})"


def _nothing(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    return [node.type for node in nodes], nodes[0].type


WIDENED = function("(widened)", "", "", _nothing, widened, examples={})
"""Not written by anybody: how an argument becomes the type that its function takes."""
LOCAL = function("(local)", "", "", _nothing, widened, fails=True, examples={})
"""The same of a moment that is taken as its day, or as the text of its local time."""

_NESTED = (Array, Map, Struct)
_YEARS: dict[DataType, tuple[str, str]] = {
    DATE: ("0001-01-01", "9999-12-31"),
    PLAIN: ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"),
}


def _cast(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    value, name = nodes
    assert isinstance(name, Literal)  # noqa: S101 (the grammar makes it)
    try:
        to = parse_type(str(name.value))
    except ValueError as error:
        raise Refused(str(error), "for example cast(a AS bigint)", name.at) from None
    refused = _refusal(value.type, to)
    if refused is not None:
        message = f"{text_of(value.type)} is not turned into {text_of(to)}"
        raise Refused(message, refused, name.at)
    return [value.type, STRING], to


def _refusal(one: DataType, to: DataType) -> str | None:
    """What to do instead where no cast leads from one type to another, None where one does."""
    if isinstance(one, _NESTED) or isinstance(to, _NESTED):
        return None if one in (to, NULL) else "arrays, maps and structs are read from files only: take a member"
    if to == STRING:
        binary = one in (DOUBLE, FLOAT)
        return "engines write it differently: cast it to a decimal first" if binary else None
    if one in (NULL, STRING, to) or (is_number(one) and is_number(to)):
        return None
    if to == BOOLEAN or one == BOOLEAN:
        return "compare it: a <> 0" if to == BOOLEAN and is_number(one) else _of_boolean(to)
    days = {DATE, TIMESTAMP, PLAIN}
    if one in days and to in days:
        return None
    return "unix_seconds(…) and timestamp_seconds(…) lead from moments to numbers and back"


def _of_boolean(to: DataType) -> str | None:
    return None if isinstance(to, Scalar) and to.name in INTEGERS else "if(a, …, …) makes something of it"


def _say(given: Given) -> str:
    sql, one, to, dialect = given[0], given.nodes[0].type, given.type, given.dialect
    if one in (to, NULL):
        return sql if one == to else dialect.null(to)
    if one == STRING:
        return typed(sql, to, zone=given.zone, dialect=dialect)
    if to == STRING:
        return _text(given, sql, one)
    if {one, to} <= {DATE, TIMESTAMP, PLAIN}:
        if one == TIMESTAMP:
            return as_local(given, sql, to)
        there = local(given, sql, one)
        return instant(given, there) if to == TIMESTAMP else f"CAST({there} AS {given.result})"
    if one == BOOLEAN:
        return f"CAST({sql} AS {given.result})"
    return _number(given, sql, one, to)


def _text(given: Given, sql: str, one: DataType) -> str:
    """A value as a text: decimals with all digits of their scale, moments as local times."""
    dialect = given.dialect
    if one == TIMESTAMP:
        return dialect.as_text(as_local(given, sql, PLAIN))
    if one == PLAIN:
        return dialect.as_text(sql)
    if isinstance(one, Decimal) and one.scale == one.precision and one.precision < 38:
        return dialect.as_text(f"CAST({sql} AS {dialect.type(Decimal(one.precision + 1, one.scale))})")
    return dialect.as_text(sql)


def _number(given: Given, sql: str, one: DataType, to: DataType) -> str:
    """A number as another kind of number: what is behind the point of an integer is cut, of a decimal rounded."""
    dialect, binary = given.dialect, (DOUBLE, FLOAT)
    if to == DOUBLE:
        return as_double(sql, one, dialect)
    if to == FLOAT:
        return f"CAST({sql if one == DOUBLE else as_double(sql, one, dialect)} AS {given.result})"
    if isinstance(to, Decimal):
        exact = dialect.as_text(f"CAST({sql} AS {dialect.type(DOUBLE)})") if one in binary else sql
        return dialect.try_cast(exact, given.result)
    cut = dialect.cut(sql) if one in binary or (isinstance(one, Decimal) and one.scale) else sql
    if one in binary and to == BIGINT:
        cut = f"CASE WHEN {fits_bigint(sql)} THEN {cut} END"
    return dialect.try_cast(cut, given.result)


FUNCTIONS: tuple[Function, ...] = (
    function("cast", "cast(a AS type)", "the value as another type; also `a::type`. A text follows the rules of "
             "[values.md](values.md); of a number what does not fit an integer behind the point is cut, of a decimal "
             "it is rounded half up; a value that does not fit is an error", _cast, _say, fails=True,
             examples={"cast('12.0' as int)": "12", "cast('12.5' as int)": "error", "cast('yes' as boolean)": "true",
                       "cast('1.239' as decimal(5,2))": "error", "cast(1.239 as decimal(5,2))": "1.24",
                       "cast(-1.9 as int)": "-1", "cast(300 as tinyint)": "error", "cast(1.50 as string)": "'1.50'",
                       "cast(date '2026-01-31' as string)": "'2026-01-31'", "'2026-01-31'::date": "2026-01-31",
                       "cast(9223372036854775807e0 as bigint)": "error",
                       "cast(timestamp '2026-01-31 12:30:00.5' as date)": "2026-01-31", "cast(true as int)": "1",
                       "cast(timestamp '2026-01-31 12:30:00.5' as string)": "'2026-01-31 12:30:00.5'",
                       "cast('x' as date)": "error", "cast(null as date)": "NULL", "cast(0.05 as string)": "'0.05'"}),
    function("try_cast", "try_cast(a AS type)", "as `cast`; a value that does not fit is NULL", _cast, _say,
             examples={"try_cast('12.5' as int)": "NULL", "try_cast('2026-02-30' as date)": "NULL",
                       "try_cast('7' as bigint)": "7"}),
)  # fmt: skip
"""The functions of this group."""

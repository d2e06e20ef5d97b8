"""Widening: which types hold all values of another one, and what those values are there.

A value becomes what `cast` makes of it in an expression, on every engine; of these casts none loses anything. Delta
widens some types without writing a table anew, where the table says so.
"""

from __future__ import annotations

from framework.law.dialects import Dialect
from framework.law.functions import meaning, said
from framework.law.members import grows
from framework.types import INTEGERS, DataType, Decimal, Scalar, parse_type

__all__ = ["in_place", "widened", "widens"]

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
"""How many digits an integer has at most."""


def widens(there: str, wanted: DataType) -> bool:
    """Whether a column that is of a type (as in `framework.types`) may become one of the wanted type."""
    try:
        known = parse_type(there)
    except ValueError:
        return False
    match known, wanted:
        case Scalar("string" | "float" | "double"), Scalar("string"):
            return False  # engines do not write such numbers alike
        case Scalar() | Decimal(), Scalar("string"):
            return True
        case Scalar(name), Scalar(other) if name in INTEGERS and other in INTEGERS:
            return INTEGERS[name] < INTEGERS[other]
        case Scalar(name), Decimal(precision, scale) if name in INTEGERS:
            return precision - scale >= _DIGITS[name]
        case Decimal(precision, scale), Decimal(more, finer):
            return known != wanted and finer >= scale and more - finer >= precision - scale
        case Scalar(name), Scalar(other):
            return (name, other) in (("float", "double"), ("date", "timestamp"), ("date", "timestamp_ntz"))
        case _:
            return False


def in_place(there: str, wanted: DataType) -> bool:
    """Whether a table that allows type widening takes the wanted type without being written anew."""
    match parse_type(there), wanted:
        case _, Scalar("string" | "timestamp"):
            return False
        case Scalar("bigint"), Decimal(precision, scale):
            return precision - scale >= 20
        case Scalar(name), Decimal(precision, scale) if name in INTEGERS:
            return precision - scale >= 10
        case _:
            return widens(there, wanted)


def widened(value: str, there: str, wanted: DataType, zone: str, dialect: Dialect) -> str:
    """SQL of a value (SQL) of a column as one of the wanted type, by the zone of local times. Structs that grow get
    NULL for what they had not: this only DuckDB says so, which casts them by name."""
    if grows(there, wanted):
        return f"CAST({value} AS {dialect.type(wanted)})"
    node = meaning(f"cast(v as {wanted})", {"v": parse_type(there)})
    return f"CAST({said(node, {'v': value}, dialect, zone).value} AS {dialect.type(wanted)})"

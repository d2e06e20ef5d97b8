"""Conditions on rows (`apply_as_deletes`, `apply_as_truncates`) in an engine's SQL.

They are Spark SQL over the feed's columns. What stands here is a closed set: comparisons of columns with values and
with each other, IN, BETWEEN, IS NULL, AND, OR, NOT. A value that is compared with a column is read by the rules for
values of that column's type, on every engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.dialects import Spark

from framework.law.dialects import Dialect
from framework.law.values import parse, typed
from framework.types import INTEGERS, DataType, Decimal, Scalar

__all__ = ["Field", "condition", "refusals"]

_COMPARISONS: Mapping[type[Any], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_NUMBERS = {*INTEGERS, "float", "double"}


@dataclass(frozen=True, slots=True)
class Field:
    """A column that a condition may name: the SQL of its value, and its type."""

    sql: str
    type: DataType


class _Refused(Exception):
    """What this version does not translate, or what has no meaning, as a sentence."""


def condition(text: str, fields: Mapping[str, Field], zone: str, dialect: Dialect) -> str:
    """SQL that is true or false for every row, and false where the condition is NULL. `fields` are by name."""
    known = {name.lower(): field for name, field in fields.items()}
    return f"coalesce({_Translation(known, zone, dialect).boolean(_parsed(text))}, false)"


def refusals(text: str, types: Mapping[str, DataType], dialect: Dialect) -> Iterator[str]:
    """Why a text that parses is no condition that can be translated, as a sentence; nothing for one that is."""
    fields = {name.lower(): Field(dialect.name(name), type_) for name, type_ in types.items()}
    try:
        _Translation(fields, "UTC", dialect).boolean(_parsed(text))
    except _Refused as error:
        yield str(error)


def _parsed(text: str) -> Any:
    return parse_one(text, dialect=Spark)


class _Translation:
    """One condition on its way; the SQL of each part stands in brackets, so that no engine's order of operators
    matters."""

    def __init__(self, fields: Mapping[str, Field], zone: str, dialect: Dialect) -> None:
        self._fields, self._zone, self._dialect = fields, zone, dialect

    def boolean(self, tree: Any) -> str:
        match tree:
            case exp.Paren():
                return self.boolean(tree.this)
            case exp.And():
                return f"({self.boolean(tree.left)} AND {self.boolean(tree.right)})"
            case exp.Or():
                return f"({self.boolean(tree.left)} OR {self.boolean(tree.right)})"
            case exp.Not():
                return f"(NOT {self.boolean(tree.this)})"
            case exp.Boolean():
                return "true" if tree.this else "false"
            case exp.Column() if self._field(tree).type == Scalar("boolean"):
                return self._field(tree).sql
            case exp.Is():
                return self._is(tree)
            case exp.In() if tree.expressions:
                items = [self._pair(tree.this, item)[1] for item in tree.expressions]
                return f"({self._pair(tree.this, tree.expressions[0])[0]} IN ({', '.join(items)}))"
            case exp.Between():
                (low, high), value = (self._pair(tree.this, tree.args[end]) for end in ("low", "high")), tree.this
                return f"({self._pair(value, tree.args['low'])[0]} BETWEEN {low[1]} AND {high[1]})"
            case exp.NullSafeEQ():
                return f"({self._dialect.identical(*self._pair(tree.left, tree.right))})"
            case _ if type(tree) in _COMPARISONS:
                left, right = self._pair(tree.left, tree.right)
                return f"({left} {_COMPARISONS[type(tree)]} {right})"
            case _:
                raise _Refused(f"'{tree.sql(dialect=Spark)[:60]}' cannot stand in a condition yet")

    def _is(self, tree: Any) -> str:
        match tree.expression:
            case exp.Null():
                return f"({self._field(tree.this).sql} IS NULL)"
            case exp.Boolean() as truth:
                return f"({self.boolean(tree.this)} IS {'TRUE' if truth.this else 'FALSE'})"
            case _:
                raise _Refused(f"'{tree.sql(dialect=Spark)[:60]}' cannot stand in a condition yet")

    def _field(self, tree: Any) -> Field:
        while isinstance(tree, exp.Paren):
            tree = tree.this
        if not isinstance(tree, exp.Column) or len(tree.parts) != 1:
            raise _Refused(f"'{tree.sql(dialect=Spark)[:60]}' is no column; a condition compares columns with values")
        return self._fields[tree.name.lower()]

    def _pair(self, left: Any, right: Any) -> tuple[str, str]:
        """Two sides of a comparison, one of them a column."""
        if not isinstance(left, exp.Column) and isinstance(right, exp.Column):
            return tuple(reversed(self._pair(right, left)))  # type: ignore[return-value]
        field = self._field(left)
        if isinstance(right, exp.Column):
            other = self._field(right)
            if other.type != field.type and not (_is_number(field.type) and _is_number(other.type)):
                raise _Refused(f"{left.name} is {field.type} and {right.name} {other.type}, which do not compare")
            return field.sql, other.sql
        return field.sql, self._value(left.name, field, right)

    def _value(self, name: str, field: Field, tree: Any) -> str:
        minus = "-" if isinstance(tree, exp.Neg) else ""
        literal = tree.this if minus else tree
        match literal:
            case exp.Null() if not minus:
                return self._dialect.null(field.type)
            case exp.Boolean() if field.type == Scalar("boolean"):
                return "true" if literal.this else "false"
            case exp.Literal(is_string=False) if _is_number(field.type):
                return f"{minus}{literal.this}"
            case exp.Literal(is_string=True) if not minus:
                return self._typed(name, field, str(literal.this))
            case exp.Literal(is_string=False):
                raise _Refused(f"{name} is {field.type}: put {minus}{literal.this} in quotes")
            case _:
                raise _Refused(f"'{tree.sql(dialect=Spark)[:60]}' cannot be compared with a column yet")

    def _typed(self, name: str, field: Field, text: str) -> str:
        try:
            parse(text, field.type, zone=self._zone)
        except ValueError as error:
            raise _Refused(f"{name} is {field.type}, and '{text[:60]}' is not: {error}") from error
        return typed(self._dialect.text(text), field.type, formats=(), zone=self._zone, dialect=self._dialect)


def _is_number(type_: DataType) -> bool:
    return isinstance(type_, Decimal) or (isinstance(type_, Scalar) and type_.name in _NUMBERS)

"""SQL: an expression in an engine's words, and whether a row makes it fail.

No SQL made here raises an error because of a row. Where a function has no value for its arguments (a division by zero,
a text that is no date), its SQL is NULL; that NULL is told from others by `failed`, which is only worked out where the
whole value is NULL, so that rows without errors pay nothing for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import assert_never

from framework.law.dialects import Dialect
from framework.law.functions.function import Errors, Given
from framework.law.functions.nodes import NULL, Call, Field, Literal, Node
from framework.law.values import parse
from framework.types import Decimal, Scalar

__all__ = ["Sql", "said"]


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression as SQL: its value, and a condition that is true where an error is why it is NULL (None = it has
    no errors)."""

    value: str
    failed: str | None = None

    def failed_by(self, name: str) -> str | None:
        """The same where a column has the value already, which is not worked out once more then."""
        once_more = f"CASE WHEN {self.value} IS NULL THEN "
        if self.failed is None or not self.failed.startswith(once_more):
            return self.failed
        return f"CASE WHEN {name} IS NULL THEN {self.failed.removeprefix(once_more)}"


def said(node: Node, names: Mapping[str, str], dialect: Dialect, zone: str = "UTC") -> Sql:
    """The SQL of an expression; `names` is the SQL of each column, `zone` the zone of local times."""
    return _Said(names, dialect, zone).of(node)


_NAMED = r"\w+|-?[0-9.]+|'[^']*'|\"[^\"]*\"|`[^`]*`|CAST\((?:\w+|'[^']*'|-?[0-9.]+) AS [\w(),]+\)"
_SIMPLE = re.compile(rf"{_NAMED}|(?:substring|left|right)\((?:{_NAMED})(?:, (?:{_NAMED}))+\)")
"""SQL that costs less to say again than to bind."""


@dataclass(slots=True)
class _Said:
    names: Mapping[str, str]
    dialect: Dialect
    zone: str
    number: count[int] = field(default_factory=count)

    def of(self, node: Node) -> Sql:
        match node:
            case Field(name):
                return Sql(self.names[name])
            case Literal():
                return Sql(self._literal(node))
            case Call():
                return self._call(node)
            case _:
                assert_never(node)

    def _literal(self, node: Literal) -> str:
        """A constant, always with its type: an engine must not choose another."""
        dialect, value, type_ = self.dialect, node.value, node.type
        if value is None:
            return "NULL" if type_ == NULL else dialect.null(type_)
        match type_:
            case Scalar("string"):
                return dialect.text(str(value))
            case Scalar("boolean"):
                return str(value).lower()
            case Scalar("timestamp"):
                return dialect.instant_literal(_utc(parse(str(value), type_, zone=self.zone)))
            case Scalar("date" | "timestamp_ntz"):
                return f"CAST('{parse(str(value), type_).isoformat()}' AS {dialect.type(type_)})"
            case Scalar("double" | "float"):
                return f"CAST('{value!r}' AS {dialect.type(type_)})"
            case Decimal():
                return f"CAST('{value:f}' AS {dialect.type(type_)})"
            case _:
                return f"CAST('{value}' AS {dialect.type(type_)})"

    def _call(self, node: Call) -> Sql:
        args = [self.of(arg) for arg in node.args]
        value = self._value(node, [arg.value for arg in args])
        return Sql(value, self._failed(node, args, value))

    def _value(self, node: Call, args: list[str]) -> str:
        """The SQL of a call; an argument that stands in it more than once is bound, so that it is worked out once."""
        marks = tuple(arg if _SIMPLE.fullmatch(arg) else f"\0{index}\0" for index, arg in enumerate(args))
        text = self._template(node, marks)
        for mark, arg in zip(marks, args, strict=True):
            if mark == arg:
                continue
            if text.count(mark) > 1 and not node.function.aggregate:
                name = f"x{next(self.number)}"
                text = self.dialect.bind(name, arg, text.replace(mark, name))
            else:
                text = text.replace(mark, arg)
        return text

    def _template(self, node: Call, args: tuple[str, ...]) -> str:
        say = node.function.says[self.dialect.sqlglot]
        given = Given(args, node.args, node.type, self.dialect, self.zone)
        if not isinstance(say, str):
            return say(given)
        for index, arg in enumerate(args):
            say = say.replace(f"{{{index}}}", arg)
        return say.replace("{args}", ", ".join(args)).replace("{type}", given.result)

    def _failed(self, node: Call, args: list[Sql], value: str) -> str | None:
        match node.function.errors:
            case Errors.SPREAD:
                return self._spread(node, args, value)
            case Errors.ANY:
                return _either(*(arg.failed for arg in args))
            case Errors.AND:
                return _either(args[0].failed, _where(f"{args[0].value} IS DISTINCT FROM false", args[1].failed))
            case Errors.OR:
                return _either(args[0].failed, _where(f"{args[0].value} IS DISTINCT FROM true", args[1].failed))
            case Errors.CASE:
                return _case(args)
            case Errors.COALESCE:
                failed = None
                for arg in reversed(args):
                    failed = _either(arg.failed, _where(f"{arg.value} IS NULL", failed))
                return failed
            case Errors.ROWS:
                return self._rows(node, args, value)
            case _:
                assert_never(node.function.errors)

    def _spread(self, node: Call, args: list[Sql], value: str) -> str | None:
        own = self._own(node, args) if node.function.fails else None
        return _where(f"{value} IS NULL", _either(*(arg.failed for arg in args), own))

    def _own(self, node: Call, args: list[Sql]) -> str | None:
        """When the function itself fails, given that its value is NULL."""
        if any(isinstance(arg, Literal) and arg.value is None for arg in node.args):
            return None
        there = [f"{sql.value} IS NOT NULL" for arg, sql in zip(node.args, args, strict=True) if not _is_constant(arg)]
        fails = node.function.fails
        if callable(fails):
            values = tuple(arg.value for arg in args)
            there.append(fails(Given(values, node.args, node.type, self.dialect, self.zone)))
        return " AND ".join(there) or "true"

    def _rows(self, node: Call, args: list[Sql], value: str) -> str | None:
        """Whether an aggregate fails: in one of its rows, or as a whole."""
        inside = _either(*(arg.failed for arg in args))
        fails = node.function.fails
        own = None
        if callable(fails):
            values = tuple(arg.value for arg in args)
            test = fails(Given(values, node.args, node.type, self.dialect, self.zone))
            own = f"({value} IS NULL AND {test})"
        return _either(None if inside is None else f"coalesce(bool_or({inside}), false)", own)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _is_constant(node: Node) -> bool:
    return isinstance(node, Literal) and node.value is not None


def _either(*conditions: str | None) -> str | None:
    some = [condition for condition in conditions if condition is not None]
    return None if not some else some[0] if len(some) == 1 else f"({' OR '.join(some)})"


def _where(test: str, condition: str | None) -> str | None:
    """The condition where a test is true. CASE keeps engines from looking at it elsewhere."""
    return None if condition is None else f"CASE WHEN {test} THEN {condition} ELSE false END"


def _case(args: list[Sql]) -> str | None:
    *pairs, last = args
    failed = last.failed
    for test, then in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
        if failed is not None or then.failed is not None:
            failed = f"CASE WHEN {test.value} THEN {then.failed or 'false'} ELSE {failed or 'false'} END"
        failed = _either(test.failed, failed)
    return failed

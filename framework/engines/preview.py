"""What `Engine.preview` shows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from framework.engine import Preview, Where
from framework.errors import LandfeedError
from framework.law.dialects import Dialect
from framework.law.functions import Refused, meaning, said, taken_as
from framework.types import DataType, Scalar, parse_type

__all__ = ["Previewed"]


@dataclass(frozen=True, slots=True)
class Previewed:
    """A table's columns (name, type), and how its first rows are asked for."""

    columns: Sequence[tuple[str, str]]
    dialect: Dialect
    where: Where | None = None

    def query(self, table: str, limit: int, newest_by: str | None) -> str:
        """A query of the rows' texts: those of nested columns are JSON."""
        texts = [self._text(name, type_) for name, type_ in self.columns]
        listed = ", ".join(f"{text} AS c{index}" for index, text in enumerate(texts))
        newest = [f"{self.dialect.name(newest_by)} DESC NULLS LAST"] if newest_by else []
        plain = [self.dialect.name(name) for name, type_ in self.columns if not _is_nested(type_)]
        order = ", ".join([*newest, *plain]) or "1"
        rows = table if self.where is None else f"({self._wanted(table, self.where)})"
        return f"SELECT {listed} FROM {rows} AS t ORDER BY {order} LIMIT {limit}"

    def _wanted(self, table: str, where: Where) -> str:
        """The rows for which an expression is true. Meanwhile the columns have no names, as in all such queries."""
        names = [self.dialect.name(name) for name, _ in self.columns]
        numbered = ", ".join(f"{name} AS v{index}" for index, name in enumerate(names))
        named = ", ".join(f"v{index} AS {name}" for index, name in enumerate(names))
        test = self._test(where)
        return f"SELECT {named} FROM (SELECT {numbered} FROM {table}) AS r WHERE {test}"

    def _test(self, where: Where) -> str:
        types = {name: found for name, type_ in self.columns if (found := _type(type_)) is not None}
        values = {name: f"v{index}" for index, (name, _) in enumerate(self.columns)}
        try:
            node = taken_as(meaning(where.text, types), Scalar("boolean"))
        except Refused as refused:
            at = f" (character {refused.at})" if refused.at is not None else ""
            there = f"the table has: {', '.join(types)}" if refused.unknown else None
            raise LandfeedError(f"--where: {refused.message}{at}", refused.hint or there, code="where") from None
        return said(node, values, self.dialect, where.zone).value

    def _text(self, name: str, type_: str) -> str:
        column = self.dialect.column("t", name)
        return self.dialect.json(column) if _is_nested(type_) else self.dialect.as_text(column)

    def of(self, rows: Iterable[Sequence[str | None]]) -> Preview:
        names, nested = [name for name, _ in self.columns], [name for name, type_ in self.columns if _is_nested(type_)]
        return Preview(tuple(names), tuple(tuple(row) for row in rows), frozenset(nested))


def _type(text: str) -> DataType | None:
    """The type of a column, None for one that expressions do not know."""
    try:
        return parse_type(text)
    except ValueError:
        return None


def _is_nested(type_: str) -> bool:
    return type_.startswith(("array<", "map<", "struct<"))

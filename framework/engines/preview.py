"""What `Engine.preview` shows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from framework.engine import Preview
from framework.law.dialects import Dialect

__all__ = ["Previewed"]


@dataclass(frozen=True, slots=True)
class Previewed:
    """A table's columns (name, type), and how its first rows are asked for."""

    columns: Sequence[tuple[str, str]]
    dialect: Dialect

    def query(self, table: str, limit: int, newest_by: str | None) -> str:
        """A query of the rows' texts: those of nested columns are JSON."""
        texts = [self._text(name, type_) for name, type_ in self.columns]
        listed = ", ".join(f"{text} AS c{index}" for index, text in enumerate(texts))
        newest = [f"{self.dialect.name(newest_by)} DESC NULLS LAST"] if newest_by else []
        plain = [self.dialect.name(name) for name, type_ in self.columns if not _is_nested(type_)]
        order = ", ".join([*newest, *plain]) or "1"
        return f"SELECT {listed} FROM {table} AS t ORDER BY {order} LIMIT {limit}"

    def _text(self, name: str, type_: str) -> str:
        column = self.dialect.column("t", name)
        return self.dialect.json(column) if _is_nested(type_) else self.dialect.as_text(column)

    def of(self, rows: Iterable[Sequence[str | None]]) -> Preview:
        names, nested = [name for name, _ in self.columns], [name for name, type_ in self.columns if _is_nested(type_)]
        return Preview(tuple(names), tuple(tuple(row) for row in rows), frozenset(nested))


def _is_nested(type_: str) -> bool:
    return type_.startswith(("array<", "map<", "struct<"))

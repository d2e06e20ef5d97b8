"""Batches that take the place of a target's rows: which of them."""

from __future__ import annotations

from collections.abc import Sequence

from framework.feed import Column
from framework.law.dialects import Dialect, Words

__all__ = ["replaced", "values_of"]


def values_of(columns: Sequence[Column], source: str, dialect: Dialect) -> str:
    """A query of the different values of a source in these columns, as texts."""
    listed = ", ".join(dialect.as_text(dialect.name(column.name)) for column in columns)
    return f"SELECT DISTINCT {listed} FROM {source}"


def replaced(columns: Sequence[Column], values: Sequence[Sequence[str | None]], words: Words) -> str:
    """The condition for a row of the target to have the values of one of the rows (as `values_of` gives them)."""
    if not values:
        return "false"
    if len(columns) == 1:
        column, name = columns[0], words.name(columns[0].name)
        some = ", ".join(words.value(text, column.type) for (text,) in values if text is not None)
        terms = [f"{name} IN ({some})"] if some else []
        terms += [f"{name} IS NULL"] if any(text is None for (text,) in values) else []
        return " OR ".join(terms)
    return " OR ".join(f"({_same(columns, row, words)})" for row in values)


def _same(columns: Sequence[Column], row: Sequence[str | None], words: Words) -> str:
    terms = []
    for column, text in zip(columns, row, strict=True):
        name = words.name(column.name)
        terms.append(f"{name} IS NULL" if text is None else f"{name} = {words.value(text, column.type)}")
    return " AND ".join(terms)

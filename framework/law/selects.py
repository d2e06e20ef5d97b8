"""Queries in steps: what each selects from the one before, and what it says of a batch's files by their positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from framework.law.dialects import Dialect

__all__ = ["Select", "by_file", "by_position", "rendered"]


@dataclass(frozen=True, slots=True)
class Select:
    """One step of a query: what is selected from the step before, and which of the rows."""

    items: tuple[str, ...]
    where: str | None = None


def rendered(source: str, selects: Iterable[Select]) -> str:
    """The steps as SQL over `source`, a table or a query in brackets."""
    query = source
    for select in selects:
        where = f" WHERE {select.where}" if select.where else ""
        query = f"(SELECT {', '.join(select.items)} FROM {query}{where})"
    return query[1:-1] if query != source else query


def by_file(texts: Mapping[int, str], dialect: Dialect, position: str = "_file") -> str:
    """SQL of the text that belongs to the file at a position of the batch."""
    return by_position({index: dialect.text(text) for index, text in (texts or {0: ""}).items()}, dialect, position)


def by_position(values: Mapping[int, str], dialect: Dialect, position: str = "_file") -> str:
    """SQL of the value (SQL) that belongs to the file at a position of the batch; for others it has no meaning."""
    first, last = min(values), max(values)
    some = values[first]
    if len(set(values.values())) == 1:
        return some
    listed = dialect.array([values.get(index, some) for index in range(first, last + 1)])
    return dialect.item(listed, f"{position} - {first}" if first else position)

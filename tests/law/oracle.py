"""The examples of the functions, and how a value is written there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from framework.law.dialects import Dialect
from framework.law.functions import GROUPS, meaning, said
from framework.law.functions.nodes import NULL

__all__ = ["ROWS", "items", "written"]

ROWS = [
    (each.name, text, expected)
    for functions in GROUPS.values()
    for each in functions
    for text, expected in each.examples.items()
    if not each.aggregate
]
"""Every example: the function, the expression, the value or `error`."""


def items(texts: Sequence[str], dialect: Dialect, zone: str = "UTC") -> list[str]:
    """Two items of a SELECT for each expression: its value, and whether it failed."""
    found = []
    for text in texts:
        node = meaning(text, {})
        sql = said(node, {}, dialect, zone)
        value = sql.value if node.type == NULL else f"CAST({sql.value} AS {dialect.type(node.type)})"
        found += [value, sql.failed or "false"]
    return found


def written(value: Any) -> str:
    """A value as the examples write it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'"
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return moment.isoformat(sep=" ")
        case list():
            return f"[{', '.join(map(written, value))}]"
        case _:
            return str(value)

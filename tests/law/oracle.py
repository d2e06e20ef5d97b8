"""The examples of the functions, and how a value is written there."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from framework.law.dialects import Dialect
from framework.law.functions import GROUPS, meaning, said
from framework.law.functions.nodes import NULL
from framework.types import parse_type
from tests.support import REPOSITORY

__all__ = [
    "AGGREGATES",
    "ONE_ROW",
    "ROWS",
    "SEVERAL_ROWS",
    "ZONED",
    "builder",
    "items",
    "outcomes",
    "recipe_items",
    "written",
]

_ALL = [
    (each.name, text, expected, each.aggregate)
    for functions in GROUPS.values()
    for each in functions
    for text, expected in each.examples.items()
]
ROWS = [row[:3] for row in _ALL if not row[3]]
"""Every example: the function, the expression, the value or `error`."""
AGGREGATES = [row[:3] for row in _ALL if row[3]]
"""The examples of aggregates."""

ZONED = [
    ("Europe/Rome", "to_date(timestamp '2026-01-31 23:30:00Z')", "2026-02-01"),
    ("America/New_York", "to_date(timestamp '0001-01-01 00:00:00Z')", "error"),
    ("America/New_York", "cast(timestamp '0001-01-01 00:00:00Z' AS date)", "error"),
    ("America/New_York", "cast(timestamp '0001-01-01 00:00:00Z' AS timestamp_ntz)", "error"),
    ("America/New_York", "to_date(timestamp '0001-01-01 12:00:00Z')", "0001-01-01"),
    ("America/New_York", "cast(timestamp '0001-01-01 00:00:00Z' AS string)", "error"),
    ("America/New_York", "concat('at ', timestamp '0001-01-01 00:00:00Z')", "error"),
    ("Asia/Tokyo", "cast(timestamp '9999-12-31 14:59:59Z' AS string)", "'9999-12-31 23:59:59'"),
    ("Asia/Tokyo", "cast(timestamp '9999-12-31 23:00:00Z' AS string)", "error"),
    ("Asia/Tokyo", "to_date(timestamp '9999-12-31 23:00:00Z')", "error"),
    ("Asia/Tokyo", "cast(timestamp '9999-12-31 23:00:00Z' AS timestamp_ntz)", "error"),
    ("Asia/Tokyo", "cast(timestamp '9999-12-31 14:59:59Z' AS date)", "9999-12-31"),
]
"""Expressions in a feed's zone, in which an instant of our years may be in the year 0 or 10000."""

COLUMNS = {name: parse_type(type_) for name, type_ in {
    "m": "map<string,int>", "s": "struct<a:int,b:string>", "n": "int", "t": "string",
}.items()}  # fmt: skip
ONE_ROW = {
    "duckdb": "(SELECT MAP {'k': 1} AS v0, {'a': 1, 'b': 'x'} AS v1)",
    "spark": "(SELECT map('k', 1) AS v0, named_struct('a', 1, 'b', 'x') AS v1)",
}
"""The row that examples are about, by the name of an engine's SQL."""
SEVERAL_ROWS = "(SELECT * FROM VALUES (1, 'a'), (2, 'b'), (2, 'c'), (CAST(NULL AS int), 'a') AS v(v2, v3))"
"""The rows that examples of aggregates are about."""


def items(texts: Sequence[str], dialect: Dialect, zone: str = "UTC") -> list[str]:
    """Two items of a SELECT for each expression: its value, and whether it failed."""
    found = []
    for text in texts:
        node = meaning(text, COLUMNS)
        sql = said(node, {name: f"v{index}" for index, name in enumerate(COLUMNS)}, dialect, zone)
        value = sql.value if node.type == NULL else f"CAST({sql.value} AS {dialect.type(node.type)})"
        found += [value, sql.failed or "false"]
    return found


def outcomes(row: Sequence[Any]) -> list[str]:
    """What the items of a row say: values, or `error`."""
    return ["error" if failed else written(value) for value, failed in zip(row[::2], row[1::2], strict=True)]


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


def builder() -> Any:
    """docs/build_expressions.py, as a module."""
    path = os.path.join(REPOSITORY, "docs", "build_expressions.py")
    spec = importlib.util.spec_from_file_location("expressions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recipe_items(dialect: Dialect) -> list[str]:
    """Two items of a SELECT for each recipe: its value for its row, and whether it failed."""
    found = []
    for _, text, row, _ in builder().RECIPES:
        cells = {name: meaning(sql, {}) for sql, name in re.findall(r"(.+?) as (\w+)(?:, |$)", row)}
        values = {name: said(node, {}, dialect).value for name, node in cells.items()}
        sql = said(meaning(text, {name: node.type for name, node in cells.items()}), values, dialect)
        found += [sql.value, sql.failed or "false"]
    return found

"""The SQL with which Spark makes rows of records, and tells the reasons of bad ones."""

from __future__ import annotations

from collections.abc import Sequence

from framework.engine import SourceFile
from framework.feed import Column, Feed
from framework.law.dialects import SPARK
from framework.law.discovery import captures
from framework.law.layout import Layout
from framework.law.rules import Rule, error_list, is_null, row_rules, text_of, typed_literal, value_of
from framework.names import shown
from framework.steps import TableColumn
from framework.types import Array, Map, Struct

__all__ = [
    "bad",
    "by_file",
    "column_ddl",
    "errors",
    "is_nested",
    "rows",
    "texts_of",
]


def column_ddl(column: TableColumn) -> str:
    """A column as CREATE TABLE and ADD COLUMNS name it."""
    told = f" COMMENT {SPARK.text(column.comment)}" if column.comment else ""
    return f"{SPARK.name(column.name)} {SPARK.type(column.type)}{told}"


def is_nested(column: Column) -> bool:
    return isinstance(column.type, Array | Map | Struct)


def texts_of(feed: Feed, layout: Layout, sources: Sequence[SourceFile]) -> dict[str, str]:
    """SQL of the text of every column that the files have, over f0, f1, … and `_file`."""
    at = dict(layout.fields)
    found = {}
    for column in feed.columns:
        if column.from_file is not None:
            names = [source.file.name.rsplit("/", 1)[-1] for source in sources]
            captured = [
                (captures(feed.source.files or "*", shown(name)) or {}).get(column.from_file, "") for name in names
            ]
            found[column.name] = f"nullif({by_file(captured)}, '')"
        elif column.name in at:
            found[column.name] = text_of(column, f"f{at[column.name]}", feed, SPARK)
    return found


def by_file(values: Sequence[str]) -> str:
    """SQL of the value that belongs to a row's `_file`."""
    return f"array({', '.join(SPARK.text(value) for value in values)})[_file]"


def rows(feed: Feed, has_text: Sequence[str]) -> list[str]:
    """SQL of the values v0, v1, … of the columns, over their texts t0, t1, … and nested values n0, n1, …"""
    values = []
    for index, column in enumerate(feed.columns):
        values.append(f"CAST({_value(feed, column, index, column.name in has_text)} AS {SPARK.type(column.type)})")
    return [f"{value} AS v{index}" for index, value in enumerate(values)]


def _value(feed: Feed, column: Column, index: int, has_text: bool) -> str:
    if is_nested(column):
        null = is_null(f"t{index}", column, SPARK) if has_text else "true"
        return f"CASE WHEN {null} THEN d{index} ELSE n{index} END"
    if has_text:
        return value_of(column, f"t{index}", feed, SPARK)
    if column.default is None:
        return "NULL"
    return typed_literal(column.default, column, feed.source.timezone, SPARK)


def _rules(feed: Feed, has_text: Sequence[str]) -> list[Rule]:
    texts = {column.name: f"t{index}" for index, column in enumerate(feed.columns) if column.name in has_text}
    values = {column.name: f"v{index}" for index, column in enumerate(feed.columns)}
    return list(row_rules(feed, texts, values, SPARK))


def bad(feed: Feed, has_text: Sequence[str]) -> str:
    """Whether a row breaks a rule, or is no record at all (`_why`)."""
    broken = " OR ".join(rule.broken for rule in _rules(feed, has_text)) or "false"
    return f"(_why IS NOT NULL OR {broken})"


def errors(feed: Feed, has_text: Sequence[str]) -> str:
    """The reasons of a bad row."""
    none = "CAST(NULL AS STRING)"
    fields = f"'code', 'malformed_record', 'column', {none}, 'value', {none}, 'message', _why"
    struct = f"array(named_struct({fields}))"
    rules = _rules(feed, has_text)
    return f"CASE WHEN _why IS NOT NULL THEN {struct} ELSE {error_list(rules, SPARK) if rules else struct} END"

"""The SQL with which Spark reads a batch: CSV lines and their fields, rows, reasons of bad rows.

Lines that hold no quote are split; those that do are taken apart by regular expressions that say what
`framework.law.records` says. A line that ends inside quotes is the business of that reader (`OPEN`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from framework.engine import SourceFile
from framework.feed import Column, CsvOptions, Feed
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
    "is_open",
    "line_field",
    "line_fields",
    "line_problem",
    "rows",
    "texts_of",
]


def column_ddl(column: TableColumn) -> str:
    """A column as CREATE TABLE and ADD COLUMNS name it."""
    told = f" COMMENT {SPARK.text(column.comment)}" if column.comment else ""
    return f"{SPARK.name(column.name)} {SPARK.type(column.type)}{told}"


def is_nested(column: Column) -> bool:
    return isinstance(column.type, Array | Map | Struct)


# Lines


class _Line:
    """Regular expressions for a line with quotes, in Java's syntax."""

    def __init__(self, options: CsvOptions) -> None:
        quote, self.sep = re.escape(options.quote or ""), re.escape(options.sep)
        inner = f"[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+"
        other = f"[^{self.sep}]*+" if len(options.sep) == 1 else f"(?:(?!{self.sep}).)*+"
        self.field = f"(?:{quote}{inner}{quote}|(?!{quote}){other})"
        self.sound = f"(?s)\\A{self.field}(?:{self.sep}{self.field})*+\\z"
        self.open = f"(?s)\\A(?:{self.field}{self.sep})*+{quote}{inner}\\z"


def _with_quotes(options: CsvOptions, then: str, otherwise: str) -> str:
    if options.quote is None:
        return otherwise
    return f"CASE WHEN contains(value, {SPARK.text(options.quote)}) THEN {then} ELSE {otherwise} END"


def is_open(options: CsvOptions) -> str:
    """Whether the line `value` ends inside quotes."""
    return _with_quotes(options, f"value RLIKE {SPARK.text(_Line(options).open)}", "false")


def line_problem(options: CsvOptions, width: int) -> str:
    """Why the line `value` with its `fields` is no record, NULL when it is one."""
    sound = _with_quotes(options, f"value RLIKE {SPARK.text(_Line(options).sound)}", "true")
    return (
        f"CASE WHEN NOT {sound} THEN 'there is text after a closing quote' "
        f"WHEN size(fields) <> {width} THEN concat(size(fields), ' fields instead of {width}') END"
    )


def line_fields(options: CsvOptions) -> str:
    """The fields of the line `value`: an array of texts, in lines with quotes NULL for an empty one without them."""
    sep, line = SPARK.text(options.sep), _Line(options)
    plain = f"split(value, {SPARK.text(line.sep)}, -1)"
    if options.quote is None:
        return plain
    quote, pattern = SPARK.text(options.quote), SPARK.text(f"(?s)({line.field}){line.sep}")
    unquoted = f"replace(substring(x, 2, length(x) - 2), {quote} || {quote}, {quote})"
    each = f"CASE WHEN startswith(x, {quote}) THEN {unquoted} ELSE nullif(x, '') END"
    return _with_quotes(options, f"transform(regexp_extract_all(value || {sep}, {pattern}, 1), x -> {each})", plain)


def line_field(options: CsvOptions, index: int) -> str:
    """One of the `fields` of the line `value`, NULL for an empty one without quotes."""
    return _with_quotes(options, f"get(fields, {index})", f"nullif(get(fields, {index}), '')")


# Rows


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

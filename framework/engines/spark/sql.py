"""The SQL with which Spark reads a batch: CSV lines and their fields, rows, reasons of bad rows.

Lines that hold no quote are split; those that do are taken apart by regular expressions that say what
`framework.law.records` says. A line that ends inside quotes is the business of that reader (`OPEN`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from framework.feed import CsvOptions, Feed
from framework.law.dialects import SPARK
from framework.law.layout import Layout
from framework.law.staging import RowQuery
from framework.names import File
from framework.steps import TableColumn

__all__ = [
    "column_ddl",
    "is_open",
    "line_field",
    "line_fields",
    "line_problem",
    "row_query",
]


def column_ddl(column: TableColumn) -> str:
    """A column as CREATE TABLE and ADD COLUMNS name it."""
    told = f" COMMENT {SPARK.text(column.comment)}" if column.comment else ""
    return f"{SPARK.name(column.name)} {SPARK.type(column.type)}{told}"


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


def row_query(feed: Feed, layout: Layout, files: Sequence[File]) -> RowQuery:
    """How the records of a `Frame` become rows. What is filtered by the verdict must not make Spark compute the
    values twice, once for the filter: it moves no filter below a column that differs each time."""
    fields = {name: f"f{index}" for name, index in layout.fields}
    names = {index: file.name for index, file in enumerate(files)}
    return RowQuery(feed, SPARK, fields, names, why="_why", once="monotonically_increasing_id()")

"""Reasons: queries of why rows are bad, of a batch that is staged and of what is in the quarantine."""

from __future__ import annotations

from framework.law.dialects import Dialect

__all__ = ["quarantine_reasons", "reason_counts"]


def reason_counts(bad_rows: str, place: str, dialect: Dialect) -> str:
    """A query of a batch's reasons (file, code, column, rows, place of the first row, its value, message) over bad
    rows with `_file` and `_errors`."""
    first = dialect.struct({"place": place, "value": "e.value"})
    each = f"SELECT _file, {place}, {dialect.unnest('_errors')} AS e FROM {bad_rows}"
    column = f"e.{dialect.name('column')}"
    grouped = (
        f"SELECT _file, e.code AS code, {column} AS named, e.message AS message, count(*) AS number, "
        f"min({first}) AS first FROM ({each}) AS each GROUP BY _file, e.code, {column}, e.message"
    )
    return f"SELECT _file, code, named, number, first.place, first.value, message FROM ({grouped}) AS grouped"


def quarantine_reasons(table: str, feed: str, batch_id: str | None, file: str | None, dialect: Dialect) -> str:
    """A query of why rows of a feed are in the quarantine (batch, when, code, column, message, rows, file and line of
    the first row, its value), newest batch and most frequent reason first. `file` is a path or the end of one."""
    conditions = [f"_feed = {dialect.text(feed)}"]
    if batch_id is not None:
        conditions.append(f"_batch_id = {dialect.text(batch_id)}")
    if file is not None:
        ending = dialect.text("/" + file.removeprefix("/"))
        conditions.append(f"(_source_file = {dialect.text(file)} OR right(_source_file, {len(file) + 1}) = {ending})")
    column = f"e.{dialect.name('column')}"
    first = dialect.struct({"file": "_source_file", "line": "_line", "value": "e.value"})
    each = (
        f"SELECT _batch_id, _quarantined_at, _source_file, _line, {dialect.unnest('_errors')} AS e "
        f"FROM {table} WHERE {' AND '.join(conditions)}"
    )
    grouped = (
        f"SELECT _batch_id, max(_quarantined_at) AS quarantined_at, e.code AS code, {column} AS named, "
        f"e.message AS message, count(*) AS number, min({first}) AS first FROM ({each}) AS each "
        f"GROUP BY _batch_id, e.code, {column}, e.message"
    )
    listed = f"_batch_id, {dialect.as_text('quarantined_at')}, code, named, message, number"
    order = "quarantined_at DESC, _batch_id, number DESC, code, named, message"
    return f"SELECT {listed}, first.file, first.line, first.value FROM ({grouped}) AS grouped ORDER BY {order}"

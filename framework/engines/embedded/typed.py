"""Types of rows on their way from DuckDB to a table: delta-rs would convert them without a word."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from framework.law.dialects import DUCKDB
from framework.law.fitting import refuse_other_types
from framework.names import Table
from framework.types import parse_type

__all__ = ["refuse_rows"]


def refuse_rows(
    db: duckdb.DuckDBPyConnection, table: Table, rows: duckdb.DuckDBPyRelation, there: Iterable[tuple[str, str]]
) -> None:
    """Raises LandfeedError when rows have another type than the table's column of that name; `there` are the table's
    columns (name, type as in `framework.types`)."""
    types = {name.lower(): type_ for name, type_ in there}
    written = {types[name.lower()] for name in rows.columns if name.lower() in types}
    known_as = {type_: db.sqltype(DUCKDB.type(parse_type(type_))) for type_ in written}
    found = []
    for name, type_ in zip(rows.columns, rows.types, strict=True):
        known = types.get(name.lower())
        if known is not None:
            found.append((name, known if type_ == known_as[known] else str(type_).lower()))
    refuse_other_types(table, rows.columns, found, types.items())

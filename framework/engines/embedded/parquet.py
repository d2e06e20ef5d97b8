"""Parquet files that DuckDB writes into the folder of a local Delta table, and what a commit says of them.

zstd at its lowest level costs no more time than snappy and takes a fraction of the room. Encodings are those that
every reader knows. A file holds about a million rows: a merge that changes a few of them rewrites no more than that,
and the range of the keys in it is narrow when they came in order.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
from deltalake import DeltaTable, Schema
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from framework.law.dialects import DUCKDB

__all__ = ["NewFile", "is_plain", "remove", "write_parquet"]

_OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS"
_ROW_GROUPS = 8
"""Row groups of 122,880 rows in a file."""
_INDEXED = 32
"""Columns of a table whose statistics stand in its log, as Delta has it by default."""
_LONGEST = 64
"""Characters of a text that stands there; of a longer one the lowest value is cut, and the highest left out."""
_DIGITS = 15
"""Characters of a decimal number up to which every reader takes it from JSON as it is."""
_NUMBERS = frozenset(("byte", "short", "integer", "long"))


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as DuckDB wrote it; `columns` are its statistics by column."""

    path: str
    rows: int
    size: int
    columns: Mapping[str, Mapping[str, str]]

    def nulls(self, column: str) -> int:
        return int(self.columns[_quoted(column)].get("null_count", 0))

    def added(self, schema: Schema) -> AddAction:
        """The action that adds it to a table with this schema. Columns beyond it are not told of."""
        modified = os.stat(self.path).st_mtime_ns // 1_000_000
        return AddAction(os.path.basename(self.path), self.size, {}, modified, True, self.stats(schema))

    def stats(self, schema: Schema) -> str:
        """Its statistics as JSON. Numbers keep all their digits."""
        low: list[str] = []
        high: list[str] = []
        nulls: list[str] = []
        for field in schema.fields[:_INDEXED]:
            found = self.columns.get(_quoted(field.name), {})
            name = json.dumps(field.name)
            if not isinstance(field.type, PrimitiveType):
                continue
            if "null_count" in found:
                nulls.append(f"{name}: {int(found['null_count'])}")
            low += _bound(name, found, "min", field.type.type)
            high += _bound(name, found, "max", field.type.type)
        parts = {"minValues": low, "maxValues": high, "nullCount": nulls}
        told = "".join(f', "{part}": {{{", ".join(values)}}}' for part, values in parts.items())
        return f'{{"numRecords": {self.rows}{told}}}'


def write_parquet(db: duckdb.DuckDBPyConnection, query: str, folder: str, *, large: bool) -> list[NewFile]:
    """Write the rows of a query to new files; `large` ones are several, in which rows do not keep their order. There
    is no file without rows."""
    name = f"part-{uuid.uuid4()}"
    if large:
        to, options = folder, f", ROW_GROUPS_PER_FILE {_ROW_GROUPS}, APPEND, FILENAME_PATTERN '{name}-{{uuid}}'"
    else:
        to, options = os.path.join(folder, f"{name}.parquet"), ""
    try:
        told = db.execute(f"COPY ({query}) TO {DUCKDB.text(to)} ({_OPTIONS}{options})").fetchall()
    except BaseException:
        remove(entry.path for entry in os.scandir(folder) if entry.name.startswith(name))
        raise
    files = [NewFile(path, int(rows), int(size), columns or {}) for path, rows, size, _, columns, *_ in told]
    remove(file.path for file in files if not file.rows)
    return [file for file in files if file.rows]


def remove(paths: Iterable[str]) -> None:
    """Remove files that no commit names; those that cannot be removed are found by a clean-up of the table."""
    for path in paths:
        try:
            os.remove(path)
        except OSError:
            continue


def is_plain(delta: DeltaTable) -> bool:
    """Whether DuckDB may write files of the table: there is nothing in it that a writer has to see to (partitions,
    constraints, generated columns, a change data feed)."""
    metadata, protocol = delta.metadata(), delta.protocol()
    if metadata.partition_columns or set(protocol.writer_features or ()) - {"timestampNtz", "appendOnly", "invariants"}:
        return False
    asks = ("delta.constraints.", "delta.enableChangeDataFeed", "delta.appendOnly", "delta.dataSkipping")
    if any(key.startswith(asks) for key in metadata.configuration):
        return False
    return all(field.nullable and set(field.metadata) <= {"comment"} for field in delta.schema().fields)


def _quoted(name: str) -> str:
    """A column as DuckDB's statistics name it."""
    return '"' + name.replace('"', '""') + '"'


def _bound(name: str, found: Mapping[str, str], which: str, type_: str) -> Sequence[str]:
    """The lowest or highest value as a member of a JSON object; nothing where it is not known, or has no form there."""
    text = found.get(which)
    if text is None or found.get(f"{which}_is_exact") == "false":
        return []
    match type_:
        case "string":
            if len(text) > _LONGEST and which == "max":
                return []
            return [f"{name}: {json.dumps(text[:_LONGEST])}"]
        case "date":
            return [f"{name}: {json.dumps(text)}"]
        case "timestamp" | "timestamp_ntz":
            moment = _to_millis(text.removesuffix("+00"), up=which == "max")
            return [f'{name}: "{moment}{"Z" if type_ == "timestamp" else ""}"'] if moment else []
        case _ if type_ in _NUMBERS or (type_.startswith("decimal") and len(text) <= _DIGITS):
            return [f"{name}: {text}"]
        case _:
            return []


def _to_millis(text: str, *, up: bool) -> str | None:
    """A moment in whole milliseconds, which is all that readers keep of it: not above the lowest one, not below the
    highest one."""
    moment = datetime.fromisoformat(text)
    rest = timedelta(microseconds=moment.microsecond % 1000)
    try:
        moment += timedelta(milliseconds=1) - rest if up and rest else -rest
    except OverflowError:  # the last one of all
        return None
    return moment.isoformat(timespec="milliseconds")

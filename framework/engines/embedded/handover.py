"""Records of the law's readers on their way into DuckDB, as Arrow tables: no length of a record is too much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import duckdb
from arro3.core import Array, DataType, Table

from framework.engines.embedded.files import Malformed
from framework.law.layout import Layout
from framework.law.records import Record

__all__ = ["Handover", "hand_over", "insert_rows", "records_table"]

_ROWS, _LETTERS = 1 << 16, 1 << 23
"""Records, and letters in them, that are held at a time; one record more may come on top."""


def records_table(layout: Layout) -> str:
    """The columns of a table of records: the fields that columns have."""
    return ", ".join([*(f"f{index} VARCHAR" for index in layout.used), "_file INTEGER"])


def hand_over(
    db: duckdb.DuckDBPyConnection, records: Iterable[Record], layout: Layout, index: int, table: str
) -> Iterator[Malformed]:
    """Insert a file's sound records into a table (see `records_table`); the others come back as they are met."""
    handover = Handover(db, layout, table)
    for record in records:
        if record.fields is None:
            yield Malformed(record.line, record.raw, record.error or "the record is broken")
        else:
            handover.add(index, record.fields, len(record.raw))
    handover.finish()


class Handover:
    """Sound records of many files on their way into a table of a layout's records."""

    def __init__(self, db: duckdb.DuckDBPyConnection, layout: Layout, table: str) -> None:
        self._db, self._used, self._table = db, layout.used, table
        self._held: list[list[str | None]] = []
        self._files: list[int] = []
        self._letters = 0

    def add(self, index: int, fields: Sequence[str | None], letters: int) -> None:
        """Hand over a record, of so many letters, of the file at a position of the batch."""
        self._held.append([fields[number] for number in self._used])
        self._files.append(index)
        self._letters += letters
        if len(self._held) >= _ROWS or self._letters >= _LETTERS:
            self.finish()

    def finish(self) -> None:
        """Insert what is held; after the last record."""
        if not self._held:
            return
        arrays = [Array(column, type=DataType.string()) for column in zip(*self._held, strict=True)]
        names = [*(f"f{number}" for number in self._used), "_file"]
        arrays.append(Array(self._files, type=DataType.int32()))
        self._db.register("held", Table.from_arrays(arrays, names=names))
        self._db.execute(f"INSERT INTO {self._table} SELECT {', '.join(names)} FROM held")
        self._db.unregister("held")
        self._held, self._files, self._letters = [], [], 0


def insert_rows(db: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[int | str | None, ...]]) -> None:
    """Insert rows of whole numbers and texts into a table that begins with these columns, some of them at a time."""
    held: list[tuple[int | str | None, ...]] = []
    letters = 0
    for row in rows:
        held.append(row)
        letters += sum(len(value) for value in row if isinstance(value, str))
        if len(held) >= _ROWS or letters >= _LETTERS:
            _insert_rows(db, table, held)
            held, letters = [], 0
    if held:
        _insert_rows(db, table, held)


def _insert_rows(db: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[int | str | None, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    texts = [any(isinstance(value, str) for value in column) for column in columns]
    types = [DataType.string() if is_text else DataType.int64() for is_text in texts]
    arrays = [Array(column, type=type_) for column, type_ in zip(columns, types, strict=True)]
    db.register("rows_held", Table.from_arrays(arrays, names=[f"c{index}" for index in range(len(arrays))]))
    db.execute(f"INSERT INTO {table} SELECT * FROM rows_held")
    db.unregister("rows_held")

"""DuckDB's readers: for files in which nothing is out of the ordinary, many times as fast as the law's.

Whether DuckDB read a file as the law does is asked afterwards, of each file; when it is not certain, the file is
read again by the law. A format without a reader here is always read by the law.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.csv import CsvReader
from framework.engines.embedded.readers.json import JsonReader
from framework.feed import Feed, Format
from framework.law.layout import Layout, Rejected
from framework.opening import Compression, Piece

__all__ = ["FAST", "FastReader"]


class FastReader(Protocol):
    """DuckDB's way to read one format."""

    def survey(self, db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | Rejected | None:
        """See `framework.opening.Survey`."""
        ...

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        """Whether it is worth trying. What it reads is the piece's bytes in UTF-8."""
        ...

    def source(
        self, feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], compression: Compression, *, rejects: bool
    ) -> str:
        """A query of the records of files of one layout, given as (position in the batch, path): the texts f0, f1, …
        of the layout's fields, "_file", and "_bytes" for `read_as_the_law`. Broken records are noted in DuckDB's
        reject tables, or passed over without `rejects`."""
        ...

    def read_as_the_law(self, db: duckdb.DuckDBPyConnection, feed: Feed, file: FileRead, rows: int, size: int) -> bool:
        """Whether DuckDB, which found nothing broken in the file and read so many rows of so many "_bytes", did
        certainly read what the law reads."""
        ...


FAST: dict[Format, FastReader] = {Format.CSV: CsvReader(), Format.JSON: JsonReader()}

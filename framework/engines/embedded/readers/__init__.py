"""DuckDB's readers: for files in which nothing is out of the ordinary, many times as fast as the law's.

Whether DuckDB read a file as the law does is asked afterwards, of each file; when it is not certain, the file is
read again by the law. A format without a reader here is always read by the law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.bytes import Told
from framework.engines.embedded.readers.csv import CsvReader
from framework.engines.embedded.readers.json import JsonReader, json_survey
from framework.feed import Feed, Format
from framework.law.layout import Layout
from framework.opening import Compression, Piece

__all__ = ["FAST", "SURVEYS", "FastReader", "Told"]


class FastReader(Protocol):
    """DuckDB's way to read one format."""

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        """Whether it is worth trying. What it reads is the piece's bytes in UTF-8."""
        ...

    def unpack_first(self, feed: Feed, piece: Piece) -> None:
        """Look at all that the piece holds if it is packed. Raises BROKEN_FILE, also where that is more than it may
        be: DuckDB would unpack all of it."""
        ...

    def source(self, feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], compression: Compression) -> str:
        """A query of the records of files of one layout, given as (position in the batch, path): the texts f0, f1, …
        of the layout's fields, "_file", and for `Told` "_bytes" and "_quotes". A broken record is an error."""
        ...

    def read_as_the_law(self, feed: Feed, file: FileRead, told: Told) -> bool:
        """Whether DuckDB, which found nothing broken in the file, did certainly read what the law reads."""
        ...


FAST: dict[Format, FastReader] = {Format.CSV: CsvReader(), Format.JSON: JsonReader()}
SURVEYS: dict[Format, Callable[[duckdb.DuckDBPyConnection, Piece, Feed], Layout | None]] = {Format.JSON: json_survey}
"""DuckDB's ways to tell the layout of a file: see `framework.opening.Ways.survey`."""

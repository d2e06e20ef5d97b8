"""Reading: the batch's files become one temporary DuckDB table of typed rows, clean and bad ones together.

The table `batch` holds, in file and record order, every schema column (typed), `"_file"` (the file's
position in the batch), `"_texts"`: NULL for a clean row, and for a bad one the text of every column, so
that its reasons can be told without a second read, and `"_bytes"` and `"_quotes"`, by which what DuckDB read
is checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import duckdb

from framework.engines.embedded.files import BY_ITSELF, FileRead, utf8_copy
from framework.engines.embedded.handover import hand_over, insert_rows, records_table
from framework.engines.embedded.known import may_shuffle
from framework.engines.embedded.readers import FAST, SURVEYS, Told
from framework.engines.embedded.sql import select_rows, table_columns
from framework.engines.embedded.watched import watched
from framework.errors import SetAside
from framework.feed import Feed
from framework.law.layout import Layout
from framework.law.verdict import conserved
from framework.machine import most_open_files
from framework.opening import BROKEN_FILE, Piece, grouped, unreadable

__all__ = [
    "NO_MEMORY",
    "Reader",
    "groups",
    "of_files",
    "survey",
    "transaction",
]

_FILE_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.ConversionException,
    duckdb.NotImplementedException,
)
"""What DuckDB raises because of a file, the last one where a line is longer than its buffers. Anything else is about
the query, and no file's fault; but what readers of formats say in their own words has no class but that of all."""
NO_MEMORY = "Allocation failure"
"""What DuckDB says when it is the system that has no more memory, whatever the file."""
BROKEN = "_file INTEGER, _line BIGINT, _record VARCHAR, why VARCHAR"
"""The columns of the table of malformed records."""
_FILES_AT_ONCE = 1000
"""Files in one INSERT: DuckDB keeps memory for each of them until it is done, and they are open meanwhile."""
_OPEN_FILES = 1 / 16
"""The share of the files that this process may have open which one INSERT takes."""


class Reader:
    """Reads one batch into the connection's temporary table `batch`; copies go to `folder`, `audit` is the SQL of
    the audit columns."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, feed: Feed, folder: str, audit: Mapping[str, str] | None = None
    ) -> None:
        self._db, self._feed, self._folder, self._audit = connection, feed, folder, audit or {}
        self._fast = FAST.get(feed.source.format)

    def read(self, pieces: Sequence[Piece]) -> list[FileRead]:
        """Read all files; one that cannot be read comes back with the reason and leaves no rows."""
        files = [FileRead(piece) for piece in pieces]
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE batch ({table_columns(self._feed)})")
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE broken ({BROKEN})")
        there = [file for file in files if file.rejected is None]
        fast = [file for file in there if self._can_be_fast(file)]
        for group in groups(fast):
            self._load(group)
        for group in groups(self._surveyed_again(there)):
            self._load(group)
        for file in there:
            if file.by_law and file.piece.surveyed:  # DuckDB told its layout, and did not read it right
                file.open_by_the_law(self._feed)
        by_law = [file for file in there if file.by_law and file.rejected is None]
        for group in grouped(by_law, lambda file: file.layout):
            self._load_by_the_law(group)
        return files

    # By DuckDB

    def _surveyed_again(self, files: Sequence[FileRead]) -> list[FileRead]:
        """Those of files that were told by their beginnings, and turned out otherwise, whose layout DuckDB can tell
        from all of them."""
        varied = [file for file in files if file.by_law and file.piece.surveyed and file.piece.source.varies]
        found = []
        for file in varied:
            layout = survey(self._db, file.piece, self._feed)
            if layout is not None:
                file.piece, file.by_law = replace(file.piece, layout=layout), False
                found.append(file)
        return found

    def _can_be_fast(self, file: FileRead) -> bool:
        """Whether DuckDB may try to read the file, which then has a copy in UTF-8, unpacked, where it needs one."""
        only = self._feed.source.only_by_law
        file.by_law = only or self._fast is None or not self._fast.can_read(self._feed, file.piece)
        if file.by_law or self._fast is None:
            return False
        try:
            if file.piece.is_utf8 and file.piece.compression in BY_ITSELF:
                self._fast.unpack_first(self._feed, file.piece)
            else:
                file.copy = utf8_copy(file.piece, os.path.join(self._folder, str(file.index)))
        except UnicodeError:
            file.by_law = True
        except BROKEN_FILE as error:
            file.rejected = unreadable(error)
        return not file.by_law and file.rejected is None

    def _load(self, group: list[FileRead]) -> None:
        """Load files of one layout; those that DuckDB may have read wrongly are left to the law."""
        try:
            doubtful = self._insert(group)
        except (duckdb.Error, *BROKEN_FILE) as error:
            if not of_files(error):
                raise
            if len(group) > 1:  # halves find one broken file of a thousand in twenty statements
                half = len(group) // 2
                self._load(group[:half])
                self._load(group[half:])
                return
            doubtful = group
        for file in doubtful:
            self._db.execute('DELETE FROM batch WHERE "_file" = ?', [file.index])
            file.by_law = True

    def _insert(self, group: list[FileRead]) -> list[FileRead]:
        """One INSERT for files of one layout, which are open while it lasts; returns those that it may have read
        wrongly."""
        with ExitStack() as stack:
            for file in group:
                stack.enter_context(file.opened())
            stack.enter_context(watched(self._db, [file.piece.source for file in group]))
            doubtful = self._insert_opened(group)
        for file in group:
            file.piece.source.done = file not in doubtful
        return doubtful

    def _insert_opened(self, group: list[FileRead]) -> list[FileRead]:
        assert self._fast is not None  # noqa: S101 (there are no groups without)
        layout, locations = group[0].layout, [(file.index, file.at) for file in group]
        source = self._fast.source(self._feed, layout, locations, group[0].compression, [file.piece for file in group])
        with transaction(self._db):
            self._insert_rows(group, source)
            told = self._told()
            return [file for file in group if not self._read_as_the_law(file, told)]

    def _insert_rows(self, group: Sequence[FileRead], source: str) -> None:
        names = [(file.index, file.file.landed.name) for file in group]
        layout, ordered = group[0].layout, may_shuffle(self._db, self._feed)
        query = select_rows(self._feed, layout, source, names, self._audit, ordered=ordered)
        self._db.execute(f"INSERT INTO batch {query}")

    def _told(self) -> dict[int, Told]:
        sums = 'count(*), sum("_bytes"), sum("_quotes")'
        rows = self._db.execute(f'SELECT "_file", {sums} FROM batch GROUP BY "_file"').fetchall()
        return {index: Told(*figures) for index, *figures in rows}

    def _read_as_the_law(self, file: FileRead, told: dict[int, Told]) -> bool:
        assert self._fast is not None  # noqa: S101 (DuckDB read it)
        return self._fast.read_as_the_law(self._feed, file, told.get(file.index, Told(0, 0)))

    # By the law

    def _load_by_the_law(self, group: Sequence[FileRead]) -> None:
        """Read files of one layout by the law, which also tells the records that are none. Raises SetAside for one that
        takes more memory than there is."""
        try:
            self._insert_by_the_law(group)
        except duckdb.OutOfMemoryException as error:
            if NO_MEMORY in str(error):
                raise
            if len(group) == 1:
                why = "reading it takes more memory than there is; make several files of it"
                raise SetAside({group[0].file.landed.path: why}) from error
            for file in group:
                self._db.execute("DELETE FROM broken WHERE _file = ?", [file.index])
                self._load_by_the_law([file])

    def _insert_by_the_law(self, group: Sequence[FileRead]) -> None:
        layout = group[0].layout
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE records ({records_table(layout)})")
        for file in group:
            try:
                malformed = hand_over(self._db, file.records(self._feed), layout, file.index, "records")
                broken = ((file.index, bad.line, bad.record, bad.message) for bad in malformed)
                insert_rows(self._db, "broken", broken)
            except BROKEN_FILE as error:
                file.rejected = unreadable(error)
                for table in ("records", "broken"):
                    self._db.execute(f"DELETE FROM {table} WHERE _file = ?", [file.index])
            file.piece.source.done = True
        self._insert_rows(group, "SELECT *, 0 AS _bytes, 0 AS _quotes FROM records")
        self._db.execute("DROP TABLE records")
        self._conserve(group)

    def _conserve(self, group: Sequence[FileRead]) -> None:
        """Hold what the tables have of files against what the law's reader has counted. Raises LandfeedError."""
        both = "SELECT _file FROM batch UNION ALL SELECT _file FROM broken"
        found = dict(self._db.execute(f"SELECT _file, count(*) FROM ({both}) GROUP BY _file").fetchall())
        for file in group:
            if file.rejected is None:
                conserved(self._feed, "read", file.counted, found.get(file.index, 0))


@contextmanager
def transaction(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What is read in it leaves no tables behind when it fails."""
    db.execute("BEGIN")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def survey(db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | None:
    """See `framework.opening.Ways.survey`."""
    told = SURVEYS.get(feed.source.format)
    try:
        return told(db, piece, feed) if told is not None else None
    except duckdb.Error as error:
        if not of_files(error):
            raise
        return None


def of_files(error: BaseException) -> bool:
    """Whether an error may be because of one file, or of many at once."""
    known = (*_FILE_ERRORS, duckdb.OutOfMemoryException, *BROKEN_FILE)
    return isinstance(error, known) or type(error) is duckdb.Error


def groups(files: Sequence[FileRead]) -> Iterator[list[FileRead]]:
    """Some of the files that have a layout in common, in batch order. One compression is told for a whole group."""
    at_once = max(1, min(_FILES_AT_ONCE, int(most_open_files() * _OPEN_FILES)))
    for group in grouped(files, lambda file: (file.layout, file.compression)):
        yield from (group[start : start + at_once] for start in range(0, len(group), at_once))

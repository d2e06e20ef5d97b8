"""Reading: the batch's files become one temporary DuckDB table of typed rows, clean and bad ones together.

The table `batch` holds, in file and record order, every schema column (typed), `"_file"` (the file's
position in the batch) and `"_texts"`: NULL for a clean row; for a bad one the text of every column, so
that its reasons can be told without a second read; an empty list for a record that is not even JSON.
`"_bytes"` is the length of all fields of a CSV record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb

from framework.engine import SourceFile
from framework.engines.embedded.files import (
    Malformed,
    careful_copy,
    may_have_blanks_after_quotes,
    may_have_surplus_fields,
    size_without_surplus,
    utf8_copy,
)
from framework.engines.embedded.sql import (
    LINE,
    csv_source,
    json_keys,
    json_source,
    select_rows,
    surplus_records,
    table_columns,
)
from framework.engines.sources import choose_encoding, open_csv, opened, unreadable, unusable
from framework.feed import Feed, Format
from framework.law.layout import Layout, Rejected, json_layout

__all__ = ["FileRead", "Reader"]

_FILE_ERRORS = (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException)
"""What DuckDB raises because of a file. Anything else is about the query, and no file's fault."""
_FILES_AT_ONCE = 1000
"""Files in one INSERT: DuckDB keeps memory for each of them until it is done."""


@dataclass(slots=True)
class FileRead:
    """How one file of the batch was read. `location` is what DuckDB reads, which is a UTF-8 copy of
    `source.location` for other encodings; `careful` means that broken records were taken out."""

    index: int
    source: SourceFile
    location: str
    encoding: str = "utf-8"
    layout: Layout | None = None
    rejected: str | None = None
    careful: bool = False
    malformed: list[Malformed] = field(default_factory=list)

    @property
    def width(self) -> int:
        return len(self.layout.names) if self.layout else 0


class Reader:
    """Reads one batch into the connection's temporary table `batch`; copies go to `folder`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, feed: Feed, folder: str) -> None:
        self._db, self._feed, self._folder = connection, feed, folder
        self._csv = feed.source.format is Format.CSV
        options = feed.source.csv
        # DuckDB reads these options in ways of its own.
        self._by_the_law = bool(options.comment) or not options.multiLine or options.escape != options.quote

    def read(self, sources: Sequence[SourceFile]) -> list[FileRead]:
        """Read all files; one that cannot be read comes back with the reason and leaves no rows."""
        files = [self._open(index, source) for index, source in enumerate(sources)]
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE batch ({table_columns(self._feed)})")
        for group in _groups(files):
            self._load(group)
        return files

    # Before the rows: encoding and layout

    def _open(self, index: int, source: SourceFile) -> FileRead:
        file = FileRead(index, source, source.location)
        try:
            file.rejected = unusable(source.file)
            if file.rejected is not None:
                return file
            file.encoding = choose_encoding(source.location, self._feed.source.encodings)
            layout, late_header = self._csv_layout(file) if self._csv else (self._json_layout(file), False)
            if isinstance(layout, Rejected):
                file.rejected = layout.reason
                return file
            file.layout = layout
            if self._csv and (self._by_the_law or late_header):
                self._carefully(file)
            elif self._csv:
                self._to_utf8(file)
        except UnicodeError as error:
            file.rejected = str(error)
        except (OSError, EOFError, *_FILE_ERRORS) as error:
            file.rejected = unreadable(error)
        return file

    def _csv_layout(self, file: FileRead) -> tuple[Layout | Rejected, bool]:
        """The layout, and whether there are blank lines before the header, which DuckDB would take for it."""
        with opened(file.source.location) as stream:
            layout, header = open_csv(stream, file.encoding, self._feed)
        return layout, header is not None and header.line > 1

    def _json_layout(self, file: FileRead) -> Layout | Rejected:
        self._to_utf8(file)
        try:
            keys = self._json_keys(file)
        except _FILE_ERRORS:
            self._carefully(file)
            keys = self._json_keys(file)
        return Layout((LINE,), ()) if keys is None else json_layout(self._feed, keys)

    def _json_keys(self, file: FileRead) -> list[str] | None:
        """The keys that occur in the file's objects, in order of first appearance; None without any object."""
        rows = self._db.execute(json_keys(file.location, careful=file.careful)).fetchall()
        return [key for (key,) in rows if key is not None] if rows else None

    def _to_utf8(self, file: FileRead) -> None:
        if file.encoding == "utf-8":
            return
        try:
            file.location = utf8_copy(file.source.location, file.encoding, self._work_path(file))
        except UnicodeError:
            self._carefully(file)

    def _work_path(self, file: FileRead) -> str:
        return os.path.join(self._folder, f"{file.index}-{'careful' if file.careful else 'utf8'}")

    def _carefully(self, file: FileRead) -> None:
        """Take the broken records out of the file, so that DuckDB can read the rest."""
        file.careful = True
        path = self._work_path(file)
        file.malformed = list(careful_copy(file.source.location, file.encoding, self._feed, file.width, path))
        file.location = path

    # The rows

    def _load(self, group: list[FileRead]) -> None:
        """Load files of one layout; those in which DuckDB finds something wrong are read carefully instead."""
        try:
            suspicious = self._insert(group)
        except _FILE_ERRORS as error:
            if len(group) > 1:
                for file in group:
                    self._load([file])
                return
            if group[0].careful:
                group[0].rejected = unreadable(error)
                return
            suspicious = group
        for file in suspicious:
            self._reload(file)

    def _reload(self, file: FileRead) -> None:
        self._db.execute('DELETE FROM batch WHERE "_file" = ?', [file.index])
        if file.careful:
            file.rejected = "the file cannot be read: its records cannot be told apart"
            return
        try:
            self._carefully(file)
        except (OSError, EOFError) as error:
            file.rejected = unreadable(error)
            return
        if os.path.getsize(file.location):
            self._load([file])

    def _insert(self, group: list[FileRead]) -> list[FileRead]:
        """One INSERT for files of one layout; returns the files that hold broken records."""
        layout = group[0].layout
        assert layout is not None  # noqa: S101 (groups are made of files with a layout)
        locations = [(file.index, file.location) for file in group]
        if self._csv:
            source = csv_source(self._feed, layout, locations, careful=group[0].careful)
        else:
            source = json_source(layout, locations, careful=group[0].careful)
        self._db.execute("BEGIN")
        try:
            names = [(file.index, file.source.file.name) for file in group]
            rows = select_rows(self._feed, layout, source, names, is_json=not self._csv)
            self._db.execute(f"INSERT INTO batch {rows}")
            suspicious = self._rejects(group)
            if self._csv and not group[0].careful:
                suspicious += [file for file in group if file not in suspicious and self._needs_care(file, layout)]
            self._db.execute("COMMIT")
        except duckdb.Error:
            self._db.execute("ROLLBACK")
            raise
        return suspicious

    def _needs_care(self, file: FileRead, layout: Layout) -> bool:
        """Whether some record has more fields than the header that are empty, or blanks behind a closing quote:
        DuckDB lets both pass."""
        options = self._feed.source.csv
        bytes_, rows = self._db.execute(
            'SELECT coalesce(sum("_bytes"), 0), count(*) FROM batch WHERE "_file" = ?', [file.index]
        ).fetchall()[0]
        if size_without_surplus(file.location, options, bytes_ + rows * file.width):
            return False
        if may_have_blanks_after_quotes(file.location, options):
            return True
        if not may_have_surplus_fields(file.location, options):
            return False
        counted = self._db.execute(surplus_records(self._feed, layout, (file.index, file.location))).fetchone()
        return counted != (0,)

    def _rejects(self, group: list[FileRead]) -> list[FileRead]:
        rows = self._db.execute(
            "SELECT DISTINCT s.file_path FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id)"
        ).fetchall()
        self._db.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        paths = {path for (path,) in rows}
        return [file for file in group if file.location in paths]


def _groups(files: Sequence[FileRead]) -> Iterator[list[FileRead]]:
    """Some of the files that have a layout in common, in batch order. One compression is told for a whole group."""
    groups: dict[tuple[Layout, bool, bool], list[FileRead]] = {}
    for file in files:
        if file.layout is not None and file.rejected is None and os.path.getsize(file.location):
            compressed = file.location.lower().endswith(".gz")
            groups.setdefault((file.layout, file.careful, compressed), []).append(file)
    for group in groups.values():
        yield from (group[start : start + _FILES_AT_ONCE] for start in range(0, len(group), _FILES_AT_ONCE))

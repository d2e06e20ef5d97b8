"""A clean batch on its way from its files to staging's: parsed, checked and written in one pass.

Beside the columns of staging the files hold, unseen, what tells whether DuckDB read as the law does and whether all
rows are clean. When anything is out of the ordinary (a bad row, a key that stands twice, a file that DuckDB may have
misread), the files are thrown away, and the batch is staged by way of the table `batch`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime

import duckdb
from deltalake import DeltaTable

from framework.batch import Manifest
from framework.engine import Seal, Staged, staged_meanwhile
from framework.engines.delta import DeltaTables
from framework.engines.delta_schema import delta_schema
from framework.engines.embedded.checking import check_clean
from framework.engines.embedded.files import BY_ITSELF, FileRead
from framework.engines.embedded.handover import Handover, records_table
from framework.engines.embedded.parquet import NewFile, is_plain, remove, write_parquet
from framework.engines.embedded.readers import FAST, Told
from framework.engines.embedded.reading import groups, of_files, transaction
from framework.engines.embedded.sql import row_query
from framework.engines.embedded.usual import looks_usual
from framework.engines.embedded.watched import watched
from framework.errors import Conflict
from framework.law.checks import FLAGS, asks
from framework.law.dialects import DUCKDB
from framework.law.headers import seen
from framework.law.selects import Select, rendered
from framework.law.staging import FILE, KEPT, audit_values, staged
from framework.law.survivors import AllRows
from framework.law.verdict import Figures, conserved, judge
from framework.names import AUDIT_COLUMNS, CHANGE
from framework.opening import Piece, grouped
from framework.steps import Stage, TableColumn
from framework.types import Scalar

__all__ = ["CleanBatch"]

_BYTES, _QUOTES = "(bytes)", "(quotes)"
"""Names that no column has. A row that is not clean has no bytes."""
_SMALL = 4 << 20
"""Bytes of files up to which to plan how uncommon spellings are read takes longer than to read the files twice."""
_TINY, _MANY = 8 << 10, 16
"""Bytes up to which a file is read by the law's reader, if all are so small and there are so many of them."""
_LARGE = 64 << 20
"""Bytes of files from which on their rows are more than one file of a table."""


class CleanBatch:
    """Stages a batch over one connection, if it turns out to be clean."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: DeltaTables, step: Stage) -> None:
        self._db, self._tables, self._step = connection, tables, step
        self._fast = FAST.get(step.feed.source.format)
        self._schema = delta_schema(_columns(step))
        self._paths: list[str] = []
        """What the files are called, by their position."""

    def stage(self, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> Staged | None:
        """See `Engine.stage`. None when the batch is not clean, or such that it cannot be known in one pass; then
        nothing is left of it."""
        if self._step.pictured is not None:  # what a picture lacks is to be known before it is staged
            return None
        files = [FileRead(piece) for piece in pieces]
        self._paths = [file.file.shown for file in files]
        if not self._tables.local or not all(self._can_read(file) for file in files):
            return None
        delta = self._tables.to_stage(self._step)
        if delta is not None and not (is_plain(delta) and self._fits(delta)):
            return None
        written: list[NewFile] = []
        try:
            outcome = self._staged(files, delta, loaded_at, seal, written)
        except BaseException as error:
            if not of_files(error):
                remove(file.path for file in written)
                raise
            outcome = None  # because of a file, or of many at once: to be found out one by one
        if outcome is None:
            remove(file.path for file in written)
        return outcome

    def _can_read(self, file: FileRead) -> bool:
        feed, piece = self._step.feed, file.piece
        if file.rejected is not None or self._fast is None or feed.source.only_by_law:
            return False
        return piece.is_utf8 and piece.compression in BY_ITSELF and self._fast.can_read(feed, piece)

    def _fits(self, delta: DeltaTable) -> bool:
        """Whether the table has the features that its new columns need; delta-rs' own writer adds them."""
        ntz = any("timestamp_ntz" in str(column.type) for column in self._step.feed.columns)
        return not ntz or "timestampNtz" in (delta.protocol().writer_features or ())

    def _staged(
        self,
        files: Sequence[FileRead],
        delta: DeltaTable | None,
        loaded_at: datetime,
        seal: Seal,
        written: list[NewFile],
    ) -> Staged | None:
        told: dict[int, Told] = {}
        tiny = len(files) >= _MANY and all(file.file.size <= _TINY for file in files)
        if self._fast is not None and not tiny:
            for file in files:
                self._fast.unpack_first(self._step.feed, file.piece)
        for group in grouped(files, lambda file: file.layout) if tiny else groups(files):
            found = (self._write_by_law if tiny else self._write)(group, loaded_at, written)
            if found is None:
                return None
            told |= found
        if self._some_key_twice(written):
            return None
        step = self._step
        judgement = judge(step.feed, self._figures(files, told), step.header)
        if any(why is not None for why in judgement.rejected):
            return None
        rows = [told[file.index].rows if file.index in told else 0 for file in files]
        checked = check_clean(self._db, step.feed, _scan(written)) if written else None
        if checked is None and step.feed.checks:
            return None
        manifest = seal(judgement.outcomes(rows, [0] * len(rows)), checked or ())
        return self._commit(delta, written, manifest)

    def _commit(self, delta: DeltaTable | None, written: list[NewFile], manifest: Manifest) -> Staged:
        feed, new = self._step.feed, written.copy()
        written.clear()  # an error may come after the commit: they are removed only when it certainly was not made
        try:
            actions = [file.added(self._schema) for file in new]
            after = self._tables.replace(feed.target.staging, delta, actions, self._schema, manifest)
        except Conflict as error:
            remove(file.path for file in new)
            raise staged_meanwhile(feed) from error
        conserved(feed, "staged", manifest.rows.staged, self._tables.records_in(after))
        return Staged(manifest, after.version(), self._tables.columns(after))

    def _write(self, group: list[FileRead], loaded_at: datetime, written: list[NewFile]) -> dict[int, Told] | None:
        """Write the rows of files of one layout; what was told of each file, None when something is wrong with one."""
        assert self._fast is not None  # noqa: S101 (every file can be read)
        with transaction(self._db), ExitStack() as stack:
            for file in group:
                stack.enter_context(file.opened())
            stack.enter_context(watched(self._db, [file.piece.source for file in group]))
            locations = [(file.index, file.at) for file in group]
            source = self._fast.source(
                self._step.feed, group[0].layout, locations, group[0].compression, [file.piece for file in group]
            )
            new = self._copied(group, source, loaded_at, written)
            if any(file.nulls(_BYTES) for file in new):
                return None
            told = self._told(new)
            for file in group:
                if not self._fast.read_as_the_law(self._step.feed, file, told.get(file.index, Told(0, 0))):
                    return None
        return told

    def _write_by_law(
        self, group: list[FileRead], loaded_at: datetime, written: list[NewFile]
    ) -> dict[int, Told] | None:
        """The same for files so small that DuckDB takes longer to open one than the law's reader to read it."""
        layout, read = group[0].layout, Counter[int]()
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE records ({records_table(layout)})")
        handover = Handover(self._db, layout, "records")
        for file in group:
            for record in file.piece.records(self._step.feed, layout):
                if record.fields is None:
                    return None
                handover.add(file.index, record.fields, len(record.raw))
                read[file.index] += 1
        handover.finish()
        new = self._copied(group, "SELECT *, 0 AS _bytes, 0 AS _quotes FROM records", loaded_at, written)
        told = self._told(new)
        right = all(told.get(index, Told(0, 0)).rows == rows for index, rows in read.items())
        return told if right and not any(file.nulls(_BYTES) for file in new) else None

    def _copied(
        self, group: Sequence[FileRead], source: str, loaded_at: datetime, written: list[NewFile]
    ) -> list[NewFile]:
        """Write the rows of a source of records."""
        size = sum(file.file.size for file in group)
        usual = size <= _SMALL and looks_usual(self._step.feed, group[0].piece, group[0].layout)
        query = self._query(group, source, loaded_at, usual_only=usual)
        folder = self._tables.folder(self._step.feed.target.staging)
        new = write_parquet(self._db, query, folder, large=size >= _LARGE)
        written += new
        return new

    def _query(self, group: Sequence[FileRead], source: str, loaded_at: datetime, *, usual_only: bool) -> str:
        """The rows of staging, from the records of a source."""
        feed, names, paths = self._step.feed, [(file.index, file.file.landed.name) for file in group], self._paths
        audit = audit_values(self._step.batch.id, paths, loaded_at, DUCKDB)
        rows = row_query(feed, group[0].layout, names, audit, usual_only=usual_only)
        columns = staged(feed, self._step.batch.id, paths, loaded_at, DUCKDB).items
        clean = f"{KEPT} AND {FLAGS} IS NULL" if asks(feed) else KEPT
        told = (f"_file AS {DUCKDB.name(FILE)}", f"CASE WHEN {clean} THEN _bytes END AS {DUCKDB.name(_BYTES)}")
        last = Select((*columns, *told, f"_quotes AS {DUCKDB.name(_QUOTES)}"))
        return rendered(f"({source})", [*rows.selects(), last])

    def _told(self, files: Sequence[NewFile]) -> dict[int, Told]:
        if not files:
            return {}
        sums = f"count(*), sum({DUCKDB.name(_BYTES)}), sum({DUCKDB.name(_QUOTES)})"
        rows = self._db.execute(f"SELECT {DUCKDB.name(FILE)}, {sums} FROM {_scan(files)} GROUP BY ALL").fetchall()
        return {index: Told(*figures) for index, *figures in rows}

    def _some_key_twice(self, files: Sequence[NewFile]) -> bool:
        survivor = self._step.survivor
        if isinstance(survivor, AllRows) or not files:
            return False
        keys = f"SELECT DISTINCT {DUCKDB.names(survivor.keys)} FROM {_scan(files)}"
        return self._db.execute(f"SELECT count(*) FROM ({keys})").fetchone() != (sum(file.rows for file in files),)

    def _figures(self, files: Sequence[FileRead], told: dict[int, Told]) -> Iterator[Figures]:
        for file in files:
            piece, rows = file.piece, told[file.index].rows if file.index in told else 0
            was = seen(self._step.feed, piece.layout, piece.encoding, header=piece.header is not None)
            yield Figures(file.file, rows, seen=was)


def _columns(step: Stage) -> tuple[TableColumn, ...]:
    source, batch, loaded = AUDIT_COLUMNS
    audit = ((source, Scalar("string")), (batch, Scalar("string")), (loaded, Scalar("timestamp")))
    columns = [TableColumn(column.name, column.type) for column in step.feed.columns]
    columns += [TableColumn(CHANGE, Scalar("string"))] if step.feed.target.deletes else []
    return (*columns, *(TableColumn(name, type_) for name, type_ in audit))


def _scan(files: Sequence[NewFile]) -> str:
    return f"read_parquet([{', '.join(DUCKDB.text(file.path) for file in files)}])"

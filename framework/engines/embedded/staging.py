"""Staging: from the table `batch` to two commits, the quarantine's and staging's."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import datetime

import duckdb
from deltalake import DeltaTable, write_deltalake

from framework.batch import FileOutcome, Manifest, transaction_id
from framework.engine import Seal, SourceFile
from framework.engines.delta import DeltaTables, commit, translated
from framework.engines.embedded.files import FileRead, located
from framework.engines.embedded.reading import Reader
from framework.engines.embedded.sql import reasons
from framework.errors import LandfeedError, PolicyError
from framework.feed import Feed, OnExceed
from framework.law.change import AllRows, Survivor
from framework.law.dialects import DUCKDB
from framework.law.limits import exceeded
from framework.law.merging import survivor_order
from framework.names import AUDIT_COLUMNS, Rows, Table
from framework.opening import fetch_all
from framework.steps import Stage

__all__ = ["Staging"]

_ERRORS = 'STRUCT(code VARCHAR, "column" VARCHAR, value VARCHAR, message VARCHAR)[]'
_QUARANTINE = f"_line BIGINT, _record VARCHAR, _errors {_ERRORS}, _file INTEGER"


class Staging:
    """Stages one batch over one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: DeltaTables) -> None:
        self._db, self._tables = connection, tables
        self._clean = "true"
        """SQL for: a row of the table `batch` is clean. Looking at no column is fastest when all are."""

    def stage(self, step: Stage, sources: Sequence[SourceFile], seal: Seal) -> tuple[Manifest, int]:
        """See `Engine.stage`."""
        feed = step.feed
        fetch_all(sources)
        with tempfile.TemporaryDirectory(prefix="landfeed-") as folder:
            files = Reader(self._db, feed, folder).read(sources)
            self._apply_limits(feed, files)
            self._deduplicate(step.survivor)
            manifest = seal(self._outcomes(files))
            if manifest.rows.quarantined:
                self._fill_quarantine(feed, files)
        if manifest.rows.quarantined:
            self._commit_quarantine(step, sources, manifest)
        version = self._commit_staging(step, sources, manifest)
        self._db.execute("DROP TABLE batch")
        return manifest, version

    # Bad rows and duplicates

    def _counts(self) -> dict[int, tuple[int, int]]:
        """Rows and bad rows in the table `batch`, by file."""
        rows = self._db.execute('SELECT _file, count(*), count("_texts") FROM batch GROUP BY _file').fetchall()
        return {index: (read, bad) for index, read, bad in rows}

    def _apply_limits(self, feed: Feed, files: Sequence[FileRead]) -> None:
        counts = self._counts()
        for file in files:
            read, bad = counts.get(file.index, (0, 0))
            broken = len(file.malformed)
            reason = exceeded(feed.quarantine, read + broken, bad + broken)
            if file.rejected is None and reason is not None:
                if feed.quarantine.on_exceed is OnExceed.FAIL:
                    raise PolicyError(
                        f"feed {feed.name}, file {file.source.file.path}: {reason}",
                        "nothing was loaded; mend the file, or raise the limits under `quarantine`",
                    )
                file.rejected = reason
            if file.rejected is not None and read:
                self._db.execute("DELETE FROM batch WHERE _file = ?", [file.index])
            elif bad:
                self._clean = "_texts IS NULL"

    def _deduplicate(self, survivor: Survivor) -> None:
        """Collect the rowids of clean rows that another row of the same key in the batch beats in `losers`."""
        self._db.execute("CREATE OR REPLACE TEMP TABLE losers (id BIGINT, _file INTEGER)")
        if isinstance(survivor, AllRows):
            return
        keys = DUCKDB.names(survivor.keys)
        distinct = f"(SELECT count(*) FROM (SELECT DISTINCT {keys} FROM batch WHERE {self._clean}))"
        same = self._db.execute(f"SELECT count(*) = {distinct} FROM batch WHERE {self._clean}").fetchone()
        if same == (True,):
            return
        order = survivor_order(survivor, ("_file", "rowid"), DUCKDB)
        self._db.execute(
            f"INSERT INTO losers SELECT rowid, _file FROM batch WHERE {self._clean} "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {order}) > 1"
        )

    def _outcomes(self, files: Sequence[FileRead]) -> list[FileOutcome]:
        counts = self._counts()
        lost = dict(self._db.execute("SELECT _file, count(*) FROM losers GROUP BY _file").fetchall())
        staged = dict(
            self._db.execute(
                f"SELECT _file, count(*) FROM batch WHERE {self._clean} AND rowid NOT IN (SELECT id FROM losers) "
                "GROUP BY _file"
            ).fetchall()
            if lost
            else {index: read - bad for index, (read, bad) in counts.items()}
        )
        outcomes = []
        for file in files:
            if file.rejected is not None:
                outcomes.append(FileOutcome(file.source.file, rejected=file.rejected))
                continue
            read, bad = counts.get(file.index, (0, 0))
            broken = len(file.malformed)
            rows = Rows(
                read=read + broken,
                staged=staged.get(file.index, 0),
                quarantined=bad + broken,
                deduplicated=lost.get(file.index, 0),
            )
            outcomes.append(FileOutcome(file.source.file, rows))
        return outcomes

    # Quarantine

    def _fill_quarantine(self, feed: Feed, files: Sequence[FileRead]) -> None:
        """Collect the bad rows with their reasons, lines and raw records in the table `quarantined`."""
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE quarantined ({_QUARANTINE})")
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE places (_file INTEGER, id BIGINT, _line BIGINT, _record VARCHAR)"
        )
        broken = [
            (file.index, bad.line, bad.record, bad.message)
            for file in files
            if file.rejected is None
            for bad in file.malformed
        ]
        self._insert("places", self._places(feed, files))
        if broken:
            self._insert_broken(broken)
        self._db.execute(
            f"INSERT INTO quarantined SELECT p._line, p._record, r.errors, r._file "
            f"FROM ({reasons(feed)}) r(id, _file, errors) LEFT JOIN places p ON p.id = r.id ORDER BY r._file, r.id"
        )

    def _places(self, feed: Feed, files: Sequence[FileRead]) -> list[tuple[int, int, int, str]]:
        """Where the bad rows of the table `batch` stand: (file, rowid, line, raw record)."""
        found = self._db.execute(
            "SELECT _file, list(rowid ORDER BY rowid), "
            "(SELECT min(b.rowid) FROM batch b WHERE b._file = batch._file) "
            "FROM batch WHERE _texts IS NOT NULL GROUP BY _file"
        ).fetchall()
        places = []
        for index, ids, first in found:
            where = located(files[index], feed, [id_ - first for id_ in ids])
            places += [(index, first + ordinal, line, raw) for ordinal, line, raw in where]
        return places

    def _insert_broken(self, broken: Sequence[tuple[int, int | None, str, str]]) -> None:
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE broken (_file INTEGER, _line BIGINT, _record VARCHAR, why VARCHAR)"
        )
        self._insert("broken", broken)
        self._db.execute(
            f"INSERT INTO quarantined SELECT _line, _record, [{_error('malformed_record', 'why')}], _file FROM broken"
        )

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert Python rows in bulk, as one JSON document (executemany costs a statement a row)."""
        names = [name for name, *_ in self._db.execute(f"DESCRIBE {table}").fetchall()]
        types = [type_ for _, type_, *_ in self._db.execute(f"DESCRIBE {table}").fetchall()]
        shape = json.dumps([dict(zip(names, types, strict=True))])
        document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
        listed = ", ".join(f"row_.{DUCKDB.name(name)}" for name in names)
        self._db.execute(
            f"INSERT INTO {table} SELECT {listed} FROM (SELECT unnest(from_json(?::JSON, ?)) AS row_)",
            [document, shape],
        )

    def _commit_quarantine(self, step: Stage, sources: Sequence[SourceFile], manifest: Manifest) -> None:
        """Append the bad rows, unless an earlier process already did for this batch."""
        table = step.feed.quarantine.table
        delta = self._tables.open(table)
        if delta is not None:
            self._tables.writable(delta, table)
            if (delta.transaction_version(transaction_id(step.feed.name)) or 0) >= step.batch.seq:
                return
        rows = self._db.sql(
            f"SELECT {DUCKDB.text(step.feed.name)} AS _feed, {DUCKDB.text(step.batch.id)} AS _batch_id, "
            f"{_path(sources)} AS _source_file, _line, _record, _errors, "
            f"{_moment(manifest.staged_at)} AS _quarantined_at FROM quarantined ORDER BY _file, _line"
        )
        self._write(table, delta or self._tables.uri(table), rows, manifest, mode="append")

    # Staging

    def _commit_staging(self, step: Stage, sources: Sequence[SourceFile], manifest: Manifest) -> int:
        table = step.feed.target.staging
        delta = self._tables.open(table)
        if delta is not None:
            self._tables.writable(delta, table)
        columns = ", ".join(DUCKDB.name(column.name) for column in step.feed.columns)
        source, batch, loaded = AUDIT_COLUMNS
        keep = ""
        if manifest.rows.deduplicated:
            keep = "AND rowid NOT IN (SELECT id FROM losers)"
        rows = self._db.sql(
            f"SELECT {columns}, {_path(sources)} AS {source}, {DUCKDB.text(step.batch.id)} AS {batch}, "
            f"{_moment(manifest.staged_at)} AS {loaded} FROM batch WHERE {self._clean} {keep}"
        )
        version = self._write(table, delta or self._tables.uri(table), rows, manifest, mode="overwrite")
        self._check_staged(step, version, manifest)
        return version

    def _write(
        self, table: Table, target: DeltaTable | str, rows: duckdb.DuckDBPyRelation, manifest: Manifest, *, mode: str
    ) -> int:
        properties = commit(manifest, files=True)
        options = None if isinstance(target, DeltaTable) else self._tables.options
        with translated(table):
            if mode == "overwrite":
                write_deltalake(
                    target,
                    rows,
                    mode="overwrite",
                    schema_mode="overwrite",
                    commit_properties=properties,
                    storage_options=options,
                )
            else:
                write_deltalake(target, rows, mode="append", commit_properties=properties, storage_options=options)
        return target.version() if isinstance(target, DeltaTable) else 0

    def _check_staged(self, step: Stage, version: int, manifest: Manifest) -> None:
        """Compare what staging holds, by its own statistics, with what was read."""
        staged = self._tables.records(step.feed.target.staging, version)
        if staged != manifest.rows.staged:
            raise LandfeedError(
                f"feed {step.feed.name}: {manifest.rows.staged} rows were to be staged and {staged} were",
                "this is a defect in Landfeed: nothing was merged, please report it",
                code="conservation",
            )


def _path(sources: Sequence[SourceFile]) -> str:
    """SQL of the file path of a row, from its position in the batch."""
    if len(sources) == 1:
        return DUCKDB.text(sources[0].file.shown)
    return f"[{', '.join(DUCKDB.text(source.file.shown) for source in sources)}][_file + 1]"


def _moment(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{moment.isoformat(sep=' ')}'"


def _error(code: str, message: str) -> str:
    """A reason that concerns the whole record; `message` is SQL."""
    return f"struct_pack(code := '{code}', \"column\" := NULL::VARCHAR, value := NULL::VARCHAR, message := {message})"

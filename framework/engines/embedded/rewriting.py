"""A merge into a plain local table: DuckDB tells what every staged row does and writes the files anew that hold rows
which change; new rows come with them, and all of it is one commit.

Rows are known by their places in the files of one version of a table, so that only the key and what is compared is
read of the target, and the rest only of files that are written anew. The commit is made against that version, or not
at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import duckdb
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from framework.engines.delta import DeltaTables
from framework.engines.delta_errors import translated
from framework.engines.embedded.parquet import NewFile, is_plain, remove, write_parquet
from framework.errors import Conflict
from framework.law.change import Change, Delete, Insert, Match, Update
from framework.law.counts import Counts, Written, check_written
from framework.law.dialects import DUCKDB
from framework.law.merging import CASE, partners
from framework.names import Table
from framework.types import parse_type

__all__ = ["BY_PLACE", "PLACE", "Placed", "Rewriting", "Version", "rewriting", "version_of"]

PLACE = "(place)"
"""A column that no table has: the position of the row's file, and that of the row in it."""
_ROWS = 40
"""Bits for the position of a row in its file."""
_CASE = "(case)"
"""The case of each row in a new file, by which what was written is counted."""
_LARGE = 1_000_000
"""Rows from which on they are more than one file."""


@dataclass(frozen=True, slots=True)
class Version:
    """The files of one version of a local table, as its log names them, with their rows and sizes."""

    folder: str
    paths: tuple[str, ...]
    rows: tuple[int, ...]
    sizes: tuple[int, ...]

    def select(self, columns: Sequence[str]) -> str:
        """A query of columns of all rows and their places."""
        files = ", ".join(DUCKDB.text(f"{self.folder}/{path}") for path in self.paths)
        place = f"(file_index::BIGINT << {_ROWS}) | file_row_number AS {DUCKDB.name(PLACE)}"
        return f"SELECT {', '.join([*columns, place])} FROM read_parquet([{files}], union_by_name = true)"

    def only(self, some: Sequence[bool]) -> Version:
        """The same with some of the files."""
        rows, sizes = tuple(compress(self.rows, some)), tuple(compress(self.sizes, some))
        return Version(self.folder, tuple(compress(self.paths, some)), rows, sizes)


def version_of(delta: DeltaTable, folder: str) -> Version | None:
    """The version that was opened; None where its log does not tell what is needed."""
    actions = delta.get_add_actions(flatten=True)
    paths = actions.column("path").to_pylist()
    rows, sizes = actions.column("num_records").to_pylist(), actions.column("size_bytes").to_pylist()
    if None in rows or any("%" in path or "://" in path or path.startswith("/") for path in paths):
        return None
    return Version(folder, tuple(paths), tuple(rows), tuple(sizes))


def rewriting(tables: DeltaTables, table: Table, target: DeltaTable, change: Change) -> Rewriting | None:
    """How the target is written in this way; None when it cannot be."""
    if not tables.local or not is_plain(target):
        return None
    version = version_of(target, tables.uri(table))
    spelled = {name: DUCKDB.type(parse_type(type_)) for name, type_ in tables.columns(target)}
    known = {name.lower() for name in spelled}
    if version is None or not version.paths or any(column.lower() not in known for column in change.columns):
        return None
    return Rewriting(target, version, table, change, spelled)


class Placed(NamedTuple):
    """Rows with their cases, and where in the target their partners stand (`t_at`): a query of them, and a relation of
    places and cases alone."""

    rows: str
    places: str


BY_PLACE = Placed(
    f"SELECT s.*, c.t_at, c.{CASE} FROM classified AS c JOIN s ON s.{DUCKDB.name(PLACE)} = c.s_at", "classified"
)
"""Those of the view `s`, of which the table `classified` has the places (`s_at`) and those of their partners."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Writes what the cases of rows say. `types` is the SQL type of each column of the table, as it spells it."""

    target: DeltaTable
    version: Version
    table: Table
    change: Change
    types: dict[str, str]

    @property
    def rows(self) -> str:
        """A query of the target's rows with their places."""
        return self.version.select([DUCKDB.name(name) for name in self.types])

    def place(self, db: duckdb.DuckDBPyConnection, rows: str) -> Placed:
        """Find, by their keys, the partners that rows (a query) change: the table `placed`."""
        match = self.change.match
        assert match is not None  # noqa: S101 (what has no partner is appended)
        found = self.version.select([DUCKDB.name(key) for key in match.keys])
        on = f"s.{_in([*self._cases(Update), *self._cases(Delete)])} AND {partners(match, DUCKDB)}"
        query = f"SELECT s.*, t.{DUCKDB.name(PLACE)} AS t_at FROM ({rows}) AS s LEFT JOIN ({found}) AS t ON {on}"
        db.execute(f"CREATE OR REPLACE TEMP TABLE placed AS {query}")
        return Placed("SELECT * FROM placed", "placed")

    def write(
        self, db: duckdb.DuckDBPyConnection, placed: Placed, counts: Counts, properties: CommitProperties
    ) -> None:
        """Write what rows say. Raises Conflict, and LandfeedError when what was written does not fit the counts."""
        touched = self._touched(db, placed)
        old = self.version.only(touched)
        new: list[NewFile] = []
        try:
            query = " UNION ALL ".join([*self._kept(db, placed, touched), *self._inserted(placed, counts)])
            if query:
                rows = sum(old.rows) + sum(counts.get(index, 0) for index in self._cases(Insert))
                new = write_parquet(db, query, self.version.folder, large=rows > _LARGE)
            check_written(self.change, counts, self._written(db, new, sum(old.rows)), self.table)
            self._commit(old, new, properties)
        except Conflict:
            remove(file.path for file in new)
            raise

    def _cases(self, kind: type[Insert | Update | Delete]) -> list[int]:
        return [index for index, case in enumerate(self.change.cases) if isinstance(case.write, kind)]

    def _touched(self, db: duckdb.DuckDBPyConnection, placed: Placed) -> list[bool]:
        """For each file whether a row of it changes."""
        cases = [*self._cases(Update), *self._cases(Delete)]
        if not cases:
            return [False] * len(self.version.paths)
        query = f"SELECT DISTINCT t_at >> {_ROWS} FROM {placed.places} WHERE {_in(cases)}"
        found = {index for (index,) in db.execute(query).fetchall()}
        return [index in found for index in range(len(self.version.paths))]

    def _kept(self, db: duckdb.DuckDBPyConnection, placed: Placed, touched: Sequence[bool]) -> list[str]:
        """The rows that stay in the files that are written anew, changed or not."""
        if not any(touched):
            return []
        place, match = DUCKDB.name(PLACE), self.change.match
        assert isinstance(match, Match)  # noqa: S101 (what has no partner touches nothing)
        positions = ", ".join(str(index) for index, is_ in enumerate(touched) if is_)
        moved = f"((([{positions}])[({place} >> {_ROWS}) + 1])::BIGINT << {_ROWS}) | ({place} & {(1 << _ROWS) - 1})"
        files = self.version.only(touched).select(["*"])
        there = _lower([name for name, *_ in db.execute(f"DESCRIBE {files}").fetchall()])
        old = f"SELECT * REPLACE ({moved} AS {place}) FROM ({files})"
        changes = f"SELECT * FROM ({placed.rows}) WHERE {_in([*self._cases(Update), *self._cases(Delete)])}"
        columns = [
            f"CAST({self._updated(name, there)} AS {type_}) AS {DUCKDB.name(name)}"
            for name, type_ in self.types.items()
        ]
        columns.append(f"CAST(s.{CASE} AS TINYINT) AS {DUCKDB.name(_CASE)}")
        on = f"s.t_at = t.{place} AND {partners(match, DUCKDB)}"
        deleted = self._cases(Delete)
        stays = f" WHERE s.{CASE} IS NULL OR NOT s.{_in(deleted)}" if deleted else ""
        return [f"SELECT {', '.join(columns)} FROM ({old}) t LEFT JOIN ({changes}) s ON {on}{stays}"]

    def _updated(self, name: str, known: set[str]) -> str:
        """SQL of a column's value in a row that stays; files that were there before a column do not have it."""
        cases = [index for index in self._cases(Update) if name.lower() in _lower(self._columns(index))]
        new, there = DUCKDB.column("s", name), DUCKDB.column("t", name) if name.lower() in known else "NULL"
        return f"CASE WHEN s.{_in(cases)} THEN {new} ELSE {there} END" if cases else there

    def _inserted(self, placed: Placed, counts: Counts) -> list[str]:
        """The new rows."""
        return [self._new(placed, index) for index in self._cases(Insert) if counts.get(index)]

    def _new(self, placed: Placed, index: int) -> str:
        given = _lower(self._columns(index))
        columns = []
        for name, type_ in self.types.items():
            value = DUCKDB.column("s", name) if name.lower() in given else "NULL"
            columns.append(f"CAST({value} AS {type_}) AS {DUCKDB.name(name)}")
        columns.append(f"CAST({index} AS TINYINT) AS {DUCKDB.name(_CASE)}")
        return f"SELECT {', '.join(columns)} FROM ({placed.rows}) AS s WHERE s.{CASE} = {index}"

    def _columns(self, index: int) -> tuple[str, ...]:
        write = self.change.cases[index].write
        return write.columns if isinstance(write, Insert | Update) else ()

    def _written(self, db: duckdb.DuckDBPyConnection, new: Sequence[NewFile], before: int) -> Written:
        """What the new files hold, in place of so many rows."""
        if not new:
            return Written(deleted=before)
        files = ", ".join(DUCKDB.text(file.path) for file in new)
        case = DUCKDB.name(_CASE)
        found = db.execute(f"SELECT {case}, count(*) FROM read_parquet([{files}]) GROUP BY ALL").fetchall()
        by_case = {index: rows for index, rows in found if index is not None}
        inserted = sum(by_case.get(index, 0) for index in self._cases(Insert))
        updated = sum(by_case.get(index, 0) for index in self._cases(Update))
        return Written(inserted, updated, before - (sum(file.rows for file in new) - inserted))

    def _commit(self, old: Version, new: Sequence[NewFile], properties: CommitProperties) -> None:
        now = time.time_ns() // 1_000_000
        actions: list[AddAction | RemoveAction] = [file.added(self.target.schema()) for file in new]
        actions += (RemoveAction(path, True, now, size, {}) for path, size in zip(old.paths, old.sizes, strict=True))
        with translated(self.table):
            self.target.create_write_transaction(actions, "append", self.target.schema(), commit_properties=properties)
            self.target.update_incremental()


def _in(cases: Sequence[int]) -> str:
    return f"{CASE} IN ({', '.join(map(str, cases))})"


def _lower(names: Sequence[str]) -> set[str]:
    return {name.lower() for name in names}

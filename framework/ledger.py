"""Ledger: the memory of the system, two append-only Delta tables of events, written in groups.

`files` holds what happened to each file, `batches` what happened to each batch; the contract lists
their columns. A commit to a Delta table costs milliseconds to seconds, so events of feeds that are
worked on at the same time share one: whoever comes first commits what has gathered meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from framework.control import Control
from framework.keeping import Keeping, Kept
from framework.names import BatchState, FileState, Rows, Table, bigint, shown

__all__ = ["COLUMN_TYPES", "BatchEvent", "FileEvent", "Ledger"]


@dataclass(frozen=True, slots=True)
class FileEvent:
    """One row of `files`: a file reached a state. Times are UTC."""

    recorded_at: datetime
    run_id: str
    batch_id: str
    feed: str
    file: str
    file_version: int
    file_size: int
    state: FileState
    rows_read: int
    rows_staged: int
    rows_quarantined: int
    rows_filtered: int
    rows_deduplicated: int
    moved_to: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """One row of `batches`: a batch reached a state. Times are UTC, durations seconds."""

    recorded_at: datetime
    run_id: str
    batch_id: str
    feed: str
    state: BatchState
    engine: str
    files: int
    rows_read: int
    rows_staged: int
    rows_quarantined: int
    rows_filtered: int
    rows_deduplicated: int
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    stale: int
    target: str
    target_version: int | None
    seconds_stage: float | None
    seconds_merge: float | None
    seconds_archive: float | None
    error: str | None = None

    @property
    def rows(self) -> Rows:
        read = (self.rows_read, self.rows_staged, self.rows_quarantined, self.rows_filtered, self.rows_deduplicated)
        return Rows(*read, self.inserted, self.updated, self.deleted, self.unchanged, self.stale)


class Ledger:
    """The events of all feeds of one environment. Safe to use from several threads and processes."""

    def __init__(self, control: Control, schema: str, keeping: Keeping | None = None) -> None:
        self._control, self._keeping = control, keeping or Kept()
        self._files = _GroupedTable(control, Table(f"{schema}.files"), self._keeping)
        self._batches = _GroupedTable(control, Table(f"{schema}.batches"), self._keeping)

    def mend(self) -> list[str]:
        """Set half-written last entries of the tables' logs aside; a sentence for each."""
        mended = (self._keeping.mend(grouped.table) for grouped in (self._files, self._batches))
        return [sentence for sentence in mended if sentence is not None]

    def record_files(self, events: Iterable[FileEvent]) -> None:
        """Append events; returns when they are durable."""
        self._files.append([_row(event) for event in events])

    def record_batches(self, events: Iterable[BatchEvent]) -> None:
        """Append events; returns when they are durable."""
        self._batches.append([_row(event) for event in events])

    def batch_events(
        self, *, feeds: Sequence[str] = (), batch_ids: Sequence[str] = (), limit: int | None = None
    ) -> list[BatchEvent]:
        """Events of these feeds or batches (of all, if none is named), newest first."""
        where = _given(feed=feeds, batch_id=batch_ids)
        return [_batch_event(row) for row in self._control.select(self._batches.table, where, limit=limit)]

    def latest(self) -> dict[str, BatchEvent]:
        """The newest batch event of every feed, by feed."""
        rows = self._control.select(self._batches.table, {}, latest_by="feed")
        return {event.feed: event for event in map(_batch_event, rows)}

    def file_events(
        self, *, feeds: Sequence[str] = (), batch_ids: Sequence[str] = (), files: Sequence[str] = ()
    ) -> list[FileEvent]:
        """Events of the files of these feeds, of these batches, at these paths; newest first."""
        where = _given(feed=feeds, batch_id=batch_ids, file=files)
        return [_file_event(row) for row in self._control.select(self._files.table, where)]

    def upkeep(self) -> None:
        """Keep the tables quick to read: compact those that this process appended to, when that is due."""
        for grouped in (self._files, self._batches):
            grouped.upkeep()


def _given(**where: Sequence[str]) -> dict[str, Sequence[str]]:
    return {column: values for column, values in where.items() if values}


def _batch_event(row: dict[str, Any]) -> BatchEvent:
    return BatchEvent(**{**_by_name(BatchEvent, row), "state": BatchState(str(row.get("state")))})


def _file_event(row: dict[str, Any]) -> FileEvent:
    return FileEvent(**{**_by_name(FileEvent, row), "state": FileState(str(row.get("state")))})


def _by_name(event: type[FileEvent | BatchEvent], row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an event's fields. Columns that a newer version added are passed over; what an older one
    did not write is zero, an empty text, or None where the field may be None."""
    empty = {"int": 0, "str": ""}
    types = {field.name: str(field.type) for field in fields(event)}
    found = {name: row.get(name) for name in types}
    return {name: empty.get(types[name]) if value is None else value for name, value in found.items()}


class _GroupedTable:
    """Appends to one table; callers that arrive during a commit share the next one."""

    def __init__(self, control: Control, table: Table, keeping: Keeping) -> None:
        self._control, self.table, self._keeping = control, table, keeping
        self.appended = False
        self._commit = threading.Lock()
        self._gather = threading.Lock()
        self._waiting: list[_Group] = []

    def append(self, rows: Sequence[Mapping[str, object]]) -> None:
        if not rows:
            return None
        group = _Group(rows)
        with self._gather:
            self._waiting.append(group)
        with self._commit:
            if group.done:
                return group.result()
            with self._gather:
                groups, self._waiting = self._waiting, []
            self._flush(groups)
        return group.result()

    def upkeep(self) -> None:
        with self._commit:
            if self.appended:
                self._control.compact(self.table)

    def _flush(self, groups: Sequence[_Group]) -> None:
        try:
            self._control.append(self.table, [row for group in groups for row in group.rows])
            self.appended = True
            self._keeping.settle(self.table)
        except Exception as error:
            for group in groups:
                group.error = error
        for group in groups:
            group.done = True


class _Group:
    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        self.rows = rows
        self.done = False
        self.error: Exception | None = None

    def result(self) -> None:
        if self.error is not None:
            raise self.error


def _row(event: FileEvent | BatchEvent) -> dict[str, object]:
    row = {name: _written(value) for name, value in asdict(event).items()}
    row["state"] = str(event.state)
    return row


def _written(value: object) -> object:
    match value:
        case str():
            return shown(value)
        case int():
            return bigint(value)
        case _:
            return value


def _column_types() -> dict[str, str]:
    """The types of the columns of both tables, by column name, in the contract's words."""
    words = {"datetime": "timestamp", "int": "bigint", "float": "double"}
    declared = {field.name: str(field.type) for field in (*fields(FileEvent), *fields(BatchEvent))}
    return {name: words.get(type_.removesuffix(" | None"), "string") for name, type_ in declared.items()}


COLUMN_TYPES = _column_types()

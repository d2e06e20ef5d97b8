"""Ledger: the memory of the system, append-only Delta tables of events, written in groups.

`files` holds what happened to each file, `batches` what happened to each batch, `checks` what came of its checks. A
commit to a Delta table costs milliseconds to seconds, so events are gathered: those of all feeds of a run share one
commit a table (`Ledger.write`). What is gathered is lost when the process dies; the manifests in the tables' own
commits say it once more, and the feed's lease that somebody has to look there (`framework.leases`).
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

__all__ = ["CLOSED", "COLUMN_TYPES", "CONTROL_TABLES", "BatchEvent", "CheckEvent", "FileEvent", "Ledger", "NoticeEvent"]

_MERGED = (FileState.MERGED,)
CLOSED = frozenset((BatchState.ARCHIVED, BatchState.ABANDONED))
"""The states of a batch that is over."""
CONTROL_TABLES = ("files", "batches", "checks", "notices")
"""The tables of the control schema."""


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
    def is_staged(self) -> bool:
        """Whether anything of the batch is durable. One that failed before that knows no seconds."""
        return self.state is not BatchState.FAILED or self.seconds_stage is not None

    @property
    def rows(self) -> Rows:
        read = (self.rows_read, self.rows_staged, self.rows_quarantined, self.rows_filtered, self.rows_deduplicated)
        return Rows(*read, self.inserted, self.updated, self.deleted, self.unchanged, self.stale)


@dataclass(frozen=True, slots=True)
class CheckEvent:
    """One row of `checks`: what came of a check of a batch (`framework.batch.Checked`). Times are UTC."""

    recorded_at: datetime
    run_id: str
    batch_id: str
    feed: str
    check: str
    scope: str
    action: str
    rows_failed: int | None
    value: str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class NoticeEvent:
    """One row of `notices`: what a webhook knows of a feed since then (of the run itself where the feed is empty). The
    last three are `ok` or what is wrong. Times are UTC."""

    recorded_at: datetime
    run_id: str
    feed: str
    hook: str
    load: str
    freshness: str
    rows: str


class Ledger:
    """The events of all feeds of one environment. Safe to use from several threads and processes.

    One that `gathers` keeps events until `write` is called; any other writes them when they are recorded, together
    with those that came meanwhile. Either way they are read as if they were written. `keeping` looks after the tables.
    """

    def __init__(self, control: Control, schema: str, keeping: Keeping | None = None, *, gathers: bool = False) -> None:
        self._control, self._gathers, self._keeping = control, gathers, keeping or Kept()
        self._files = _GroupedTable(control, Table(f"{schema}.files"), self._keeping)
        self._batches = _GroupedTable(control, Table(f"{schema}.batches"), self._keeping)
        self._checks = _GroupedTable(control, Table(f"{schema}.checks"), self._keeping)
        self._notices = _GroupedTable(control, Table(f"{schema}.notices"), self._keeping)
        self._closed: dict[str, str] = {}
        """By feed, the last batch that is known to be over."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Where the events stand; some may not be there yet."""
        return (self._files.table, self._batches.table, self._checks.table)

    def mend(self) -> list[str]:
        """Set half-written last entries of the tables' logs aside; a sentence for each."""
        mended = (self._keeping.mend(grouped.table) for grouped in (self._files, self._batches))
        return [sentence for sentence in mended if sentence is not None]

    def record_files(self, events: Iterable[FileEvent]) -> None:
        self._record(self._files, events)

    def record_batches(self, events: Iterable[BatchEvent]) -> None:
        self._record(self._batches, events)

    def record_checks(self, events: Iterable[CheckEvent]) -> None:
        self._record(self._checks, events)

    def record_notices(self, events: Iterable[NoticeEvent]) -> None:
        """Record what webhooks were told; written at once."""
        self._notices.gather([_row(event) for event in events])
        self._notices.write()

    def notices(self, hooks: Sequence[str]) -> dict[str, dict[str, NoticeEvent]]:
        """What each of these webhooks was told last of each feed, by webhook and feed."""
        found: dict[str, dict[str, NoticeEvent]] = {}
        for hook in hooks:
            rows = self._notices.select({"hook": [hook]}, latest_by="feed")
            found[hook] = {str(row["feed"]): NoticeEvent(**_by_name(NoticeEvent, row)) for row in rows}
        return found

    def _record(self, table: _GroupedTable, events: Iterable[FileEvent | BatchEvent | CheckEvent]) -> None:
        rows = [_row(event) for event in events]
        table.gather(rows)
        if rows and not self._gathers:
            table.write()

    def write(self, feed: str | None = None) -> None:
        """Write what is gathered, or what is gathered if something of this feed is; returns when it is durable. The
        batches come last, so that one that is over has its files recorded. What cannot be written stays gathered."""
        tables = (self._checks, self._files, self._batches)
        if feed is None or any(table.holds(feed) for table in tables):
            self._checks.write()
            self._files.write()
            self._batches.write()

    def batch_events(
        self, *, feeds: Sequence[str] = (), batch_ids: Sequence[str] = (), limit: int | None = None
    ) -> list[BatchEvent]:
        """Events of these feeds or batches (of all, if none is named), newest first."""
        where = _given(feed=feeds, batch_id=batch_ids)
        return [_batch_event(row) for row in self._batches.select(where, limit=limit)]

    def latest(self, since: datetime | None = None) -> dict[str, BatchEvent]:
        """The newest batch event of every feed, by feed; of those `since` a moment, where one is given."""
        rows = self._batches.select({}, latest_by="feed", since=since)
        latest = {event.feed: event for event in map(_batch_event, rows)}
        self._closed = {feed: event.batch_id for feed, event in latest.items() if event.state in CLOSED}
        return latest

    def loads(self, feeds: Sequence[str], newest: int, since: datetime | None = None) -> dict[str, list[BatchEvent]]:
        """The newest batches of each of these feeds that are in its target and did not consist of rejected files only,
        newest first, by feed."""
        merged = {"feed": feeds, "state": [BatchState.MERGED]}
        rows = self._batches.select(merged, latest_by="feed", newest=newest, since=since) if feeds else []
        events = list(map(_batch_event, rows))
        empty = [event.batch_id for event in events if not event.rows_read]
        good = {file.batch_id for file in self.file_events(batch_ids=empty, states=_MERGED)} if empty else set()
        found: dict[str, list[BatchEvent]] = {}
        for event in events:
            if event.rows_read or event.batch_id in good:
                found.setdefault(event.feed, []).append(event)
        return found

    def ended(self, since: datetime, columns: Sequence[str]) -> list[dict[str, object]]:
        """These columns of the last events of batches that are over or have failed, newest first."""
        states = [BatchState.ARCHIVED, BatchState.FAILED, BatchState.ABANDONED]
        return self._control.select(self._batches.table, {"state": states}, since=since, columns=columns)

    def rejected(self, since: datetime) -> list[FileEvent]:
        """The files that were rejected since then, newest first."""
        return [_file_event(row) for row in self._files.select({"state": [FileState.REJECTED]}, since=since)]

    def unfinished(self, feed: str, batch_id: str) -> list[BatchEvent] | None:
        """What is recorded of a batch; None when it is over. A batch that was over when `latest` was called costs
        nothing, since it stays so."""
        if self._closed.get(feed) == batch_id:
            return None
        events = self.batch_events(feeds=[feed], batch_ids=[batch_id])
        return None if any(event.state in CLOSED for event in events) else events

    def file_events(
        self,
        *,
        feeds: Sequence[str] = (),
        batch_ids: Sequence[str] = (),
        files: Sequence[str] = (),
        states: Sequence[FileState] = (),
    ) -> list[FileEvent]:
        """Events of the files of these feeds, of these batches, at these paths, with these states; newest first."""
        where = _given(feed=feeds, batch_id=batch_ids, file=files, state=states)
        return [_file_event(row) for row in self._files.select(where)]

    def upkeep(self) -> None:
        """Keep the tables quick to read: compact those that this process appended to, when that is due."""
        for grouped in (self._files, self._batches, self._checks, self._notices):
            grouped.upkeep()


def _given(**where: Sequence[str]) -> dict[str, Sequence[str]]:
    return {column: values for column, values in where.items() if values}


def _batch_event(row: Mapping[str, Any]) -> BatchEvent:
    return BatchEvent(**{**_by_name(BatchEvent, row), "state": BatchState(str(row.get("state")))})


def _file_event(row: Mapping[str, Any]) -> FileEvent:
    return FileEvent(**{**_by_name(FileEvent, row), "state": FileState(str(row.get("state")))})


def _by_name(event: type[FileEvent | BatchEvent | NoticeEvent], row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an event's fields. Columns that a newer version added are passed over; what an older one
    did not write is zero, an empty text, or None where the field may be None."""
    empty = {"int": 0, "str": ""}
    types = {field.name: str(field.type) for field in fields(event)}
    found = {name: row.get(name) for name in types}
    return {name: empty.get(types[name]) if value is None else value for name, value in found.items()}


class _GroupedTable:
    """Gathers rows of one table, and appends all that have gathered at once."""

    def __init__(self, control: Control, table: Table, keeping: Keeping) -> None:
        self._control, self.table, self._keeping = control, table, keeping
        self.appended = False
        self._commit = threading.Lock()
        self._lock = threading.Lock()
        self._gathered: list[Mapping[str, object]] = []

    def gather(self, rows: Iterable[Mapping[str, object]]) -> None:
        with self._lock:
            self._gathered += rows

    def holds(self, feed: str) -> bool:
        with self._lock:
            return any(row["feed"] == feed for row in self._gathered)

    def write(self) -> None:
        """Append what has gathered. Who comes during a commit waits for it, and often finds nothing left to do."""
        with self._commit:
            with self._lock:
                rows = list(self._gathered)
            if rows:
                self._control.append(self.table, rows)
                self._keeping.settle(self.table)
                self.appended = True
                with self._lock:
                    del self._gathered[: len(rows)]

    def select(
        self,
        where: Mapping[str, Sequence[str]],
        *,
        latest_by: str | None = None,
        newest: int = 1,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Mapping[str, object]]:
        """As `Control.select`, with what has gathered."""
        with self._lock:
            gathered = [row for row in self._gathered if all(row[name] in where[name] for name in where)]
        found = [
            *reversed(gathered),
            *self._control.select(self.table, where, latest_by=latest_by, newest=newest, since=since, limit=limit),
        ]
        if not gathered:
            return found
        found.sort(key=_recorded_at, reverse=True)
        if latest_by is not None:
            by_value: dict[object, list[Mapping[str, object]]] = {}
            for row in found:
                by_value.setdefault(row[latest_by], []).append(row)
            found = [row for rows in by_value.values() for row in rows[:newest]]
            found.sort(key=_recorded_at, reverse=True)
        return found[:limit]

    def upkeep(self) -> None:
        with self._commit:
            if self.appended:
                self._control.compact(self.table)


def _recorded_at(row: Mapping[str, Any]) -> datetime:
    moment: datetime = row["recorded_at"]
    return moment


def _row(event: FileEvent | BatchEvent | CheckEvent | NoticeEvent) -> dict[str, object]:
    row = {name: _written(value) for name, value in asdict(event).items()}
    return row if isinstance(event, CheckEvent | NoticeEvent) else row | {"state": str(event.state)}


def _written(value: object) -> object:
    match value:
        case str():
            return shown(value)
        case int():
            return bigint(value)
        case _:
            return value


def _column_types() -> dict[str, str]:
    """The types of the columns of all tables, by column name, in the contract's words."""
    words = {"datetime": "timestamp", "int": "bigint", "float": "double", "bool": "boolean"}
    events = (*fields(FileEvent), *fields(BatchEvent), *fields(CheckEvent), *fields(NoticeEvent))
    declared = {field.name: str(field.type) for field in events}
    return {name: words.get(type_.removesuffix(" | None"), "string") for name, type_ in declared.items()}


COLUMN_TYPES = _column_types()

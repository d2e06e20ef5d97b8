"""Ledger: the memory of the system, append-only Delta tables of events, written in groups.

`files` holds what happened to each file, `batches` what happened to each batch, `checks` what came of its checks,
`schema_changes` what was different in its files and what became of the target for it, `resolved` which records of the
quarantine were loaded after all. A commit to a Delta table costs milliseconds to seconds, so events are gathered: those
of all feeds of a run share one commit a table (`Ledger.write`). What is gathered is lost when the process dies; the
manifests in the tables' own commits say it once more, and the feed's lease that somebody has to look there
(`framework.leases`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from framework.control import Control
from framework.keeping import Keeping, Kept
from framework.ledger.events import (
    COLUMN_TYPES,
    BatchEvent,
    CheckEvent,
    Event,
    FileEvent,
    NoticeEvent,
    ResolvedEvent,
    SchemaChangeEvent,
    batch_event,
    file_event,
    notice_event,
    row_of,
    schema_change_event,
)
from framework.ledger.grouped import GroupedTable
from framework.names import BatchState, FileState, Table

__all__ = [
    "CLOSED", "COLUMN_TYPES", "CONTROL_TABLES", "BatchEvent", "CheckEvent", "FileEvent", "Ledger", "NoticeEvent",
    "ResolvedEvent", "SchemaChangeEvent",
]  # fmt: skip

_MERGED = (FileState.MERGED,)
CLOSED = frozenset((BatchState.ARCHIVED, BatchState.ABANDONED))
"""The states of a batch that is over."""
CONTROL_TABLES = ("files", "batches", "checks", "notices", "resolved", "schema_changes")
"""The tables of the control schema."""


class Ledger:
    """The events of all feeds of one environment. Safe to use from several threads and processes.

    One that `gathers` keeps events until `write` is called; any other writes them when they are recorded, together
    with those that came meanwhile. Either way they are read as if they were written. `keeping` looks after the tables.
    """

    def __init__(self, control: Control, schema: str, keeping: Keeping | None = None, *, gathers: bool = False) -> None:
        self._control, self._gathers, self._keeping = control, gathers, keeping or Kept()
        self._files = GroupedTable(control, Table(f"{schema}.files"), self._keeping)
        self._batches = GroupedTable(control, Table(f"{schema}.batches"), self._keeping)
        self._checks = GroupedTable(control, Table(f"{schema}.checks"), self._keeping)
        self._notices = GroupedTable(control, Table(f"{schema}.notices"), self._keeping)
        self._changes = GroupedTable(control, Table(f"{schema}.schema_changes"), self._keeping)
        self._resolved = GroupedTable(control, Table(f"{schema}.resolved"), self._keeping)
        self._closed: dict[str, str] = {}
        """By feed, the last batch that is known to be over."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Where the events stand; some may not be there yet."""
        return tuple(grouped.table for grouped in self._of_batches)

    @property
    def _of_batches(self) -> tuple[GroupedTable, ...]:
        """What is told of batches, in the order in which it is written."""
        return (self._checks, self._changes, self._files, self._batches)

    def mend(self) -> list[str]:
        """Set half-written last entries of the tables' logs aside; a sentence for each."""
        mended = (self._keeping.mend(grouped.table) for grouped in self._of_batches)
        return [sentence for sentence in mended if sentence is not None]

    def record_files(self, events: Iterable[FileEvent]) -> None:
        self._record(self._files, events)

    def record_batches(self, events: Iterable[BatchEvent]) -> None:
        self._record(self._batches, events)

    def record_checks(self, events: Iterable[CheckEvent]) -> None:
        self._record(self._checks, events)

    def record_changes(self, events: Iterable[SchemaChangeEvent]) -> None:
        self._record(self._changes, events)

    def record_notices(self, events: Iterable[NoticeEvent]) -> None:
        """Record what webhooks were told; written at once."""
        self._record_now(self._notices, events)

    def record_resolved(self, events: Iterable[ResolvedEvent]) -> None:
        """Record records of the quarantine that are loaded now; written at once."""
        self._record_now(self._resolved, events)

    def resolved(self, feed: str) -> set[tuple[str, str, int]]:
        """The records of the feed's quarantine that were loaded after all: (batch, file, line)."""
        rows: list[Any] = list(self._resolved.select({"feed": [feed]}))
        return {(row["batch_id"], row["file"], row["line"]) for row in rows}

    def notices(self, hooks: Sequence[str]) -> dict[str, dict[str, NoticeEvent]]:
        """What each of these webhooks was told last of each feed, by webhook and feed."""
        found: dict[str, dict[str, NoticeEvent]] = {}
        for hook in hooks:
            rows = self._notices.select({"hook": [hook]}, latest_by="feed")
            found[hook] = {str(row["feed"]): notice_event(row) for row in rows}
        return found

    def _record(self, table: GroupedTable, events: Iterable[Event]) -> None:
        rows = [row_of(event) for event in events]
        table.gather(rows)
        if rows and not self._gathers:
            table.write()

    def _record_now(self, table: GroupedTable, events: Iterable[Event]) -> None:
        table.gather([row_of(event) for event in events])
        table.write()

    def write(self, feed: str | None = None) -> None:
        """Write what is gathered, or what is gathered if something of this feed is; returns when it is durable. The
        batches come last, so that one that is over has its files recorded. What cannot be written stays gathered."""
        if feed is None or any(table.holds(feed) for table in self._of_batches):
            for table in self._of_batches:
                table.write()

    def batch_events(
        self, *, feeds: Sequence[str] = (), batch_ids: Sequence[str] = (), limit: int | None = None
    ) -> list[BatchEvent]:
        """Events of these feeds or batches (of all, if none is named), newest first."""
        where = _given(feed=feeds, batch_id=batch_ids)
        return [batch_event(row) for row in self._batches.select(where, limit=limit)]

    def latest(self, since: datetime | None = None) -> dict[str, BatchEvent]:
        """The newest batch event of every feed, by feed; of those `since` a moment, where one is given."""
        rows = self._batches.select({}, latest_by="feed", since=since)
        latest = {event.feed: event for event in map(batch_event, rows)}
        self._closed = {feed: event.batch_id for feed, event in latest.items() if event.state in CLOSED}
        return latest

    def loads(self, feeds: Sequence[str], newest: int, since: datetime | None = None) -> dict[str, list[BatchEvent]]:
        """The newest batches of each of these feeds that are in its target and did not consist of rejected files only,
        newest first, by feed."""
        merged = {"feed": feeds, "state": [BatchState.MERGED]}
        rows = self._batches.select(merged, latest_by="feed", newest=newest, since=since) if feeds else []
        events = list(map(batch_event, rows))
        empty = [event.batch_id for event in events if not event.rows_read]
        good = {file.batch_id for file in self.file_events(batch_ids=empty, states=_MERGED)} if empty else set()
        found: dict[str, list[BatchEvent]] = {}
        for event in events:
            if event.rows_read or event.batch_id in good:
                found.setdefault(event.feed, []).append(event)
        return found

    def ended(self, since: datetime, columns: Sequence[str], *, newest: int | None = None) -> list[dict[str, object]]:
        """These columns of the last events of batches that are over or have failed, newest first; of each feed the
        `newest`, where that is given."""
        where = {"state": [BatchState.ARCHIVED, BatchState.FAILED, BatchState.ABANDONED]}
        by, most = (None, 1) if newest is None else ("feed", newest)
        table = self._batches.table
        return self._control.select(table, where, latest_by=by, newest=most, since=since, columns=columns)

    def rejected(self, since: datetime) -> list[FileEvent]:
        """The files that were rejected since then, newest first."""
        return [file_event(row) for row in self._files.select({"state": [FileState.REJECTED]}, since=since)]

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
        return [file_event(row) for row in self._files.select(where)]

    def schema_changes(self, batch_ids: Sequence[str]) -> list[SchemaChangeEvent]:
        """What was different in these batches, newest first."""
        rows = self._changes.select({"batch_id": batch_ids}) if batch_ids else []
        return [schema_change_event(row) for row in rows]

    def changed(self, since: datetime) -> list[SchemaChangeEvent]:
        """What was different since then, newest first."""
        return [schema_change_event(row) for row in self._changes.select({}, since=since)]

    def upkeep(self) -> None:
        """Keep the tables quick to read: compact those that this process appended to, when that is due."""
        for grouped in (*self._of_batches, self._notices, self._resolved):
            grouped.upkeep()


def _given(**where: Sequence[str]) -> dict[str, Sequence[str]]:
    return {column: values for column, values in where.items() if values}

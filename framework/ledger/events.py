"""Events: the rows of the control tables, and how they are written and read by name, whatever version wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypeAlias

from framework.names import BatchState, FileState, Rows, bigint, shown

__all__ = [
    "COLUMN_TYPES",
    "BatchEvent",
    "CheckEvent",
    "Event",
    "FileEvent",
    "NoticeEvent",
    "ResolvedEvent",
    "SchemaChangeEvent",
    "batch_event",
    "file_event",
    "notice_event",
    "row_of",
    "schema_change_event",
]


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
class SchemaChangeEvent:
    """One row of `schema_changes`: a file, the feed or the target is not what it was (`framework.names.SchemaChange`).
    Times are UTC. `from_` is the column `from`, a word that Python has for itself."""

    recorded_at: datetime
    run_id: str
    batch_id: str
    feed: str
    file: str | None
    kind: str
    column: str
    from_: str | None
    to: str | None
    action: str

    def as_dict(self) -> dict[str, str | None]:
        """As `framework.names.SchemaChange` is told."""
        told = {"file": self.file, "kind": self.kind, "column": self.column}
        return told | {"from": self.from_, "to": self.to, "action": self.action}


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


@dataclass(frozen=True, slots=True)
class ResolvedEvent:
    """One row of `resolved`: a record of the quarantine (its batch, its file as the quarantine tells it, its line) was
    loaded after all, in the batch `loaded_in`. Times are UTC."""

    recorded_at: datetime
    run_id: str
    feed: str
    batch_id: str
    file: str
    line: int
    loaded_in: str


Event: TypeAlias = FileEvent | BatchEvent | CheckEvent | NoticeEvent | ResolvedEvent | SchemaChangeEvent


def batch_event(row: Mapping[str, Any]) -> BatchEvent:
    return BatchEvent(**{**_by_name(BatchEvent, row), "state": BatchState(str(row.get("state")))})


def file_event(row: Mapping[str, Any]) -> FileEvent:
    return FileEvent(**{**_by_name(FileEvent, row), "state": FileState(str(row.get("state")))})


def notice_event(row: Mapping[str, Any]) -> NoticeEvent:
    return NoticeEvent(**_by_name(NoticeEvent, row))


def schema_change_event(row: Mapping[str, Any]) -> SchemaChangeEvent:
    return SchemaChangeEvent(**_by_name(SchemaChangeEvent, {**row, "from_": row.get("from")}))


def _by_name(event: type[Event], row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an event's fields. Columns that a newer version added are passed over; what an older one
    did not write is zero, an empty text, or None where the field may be None."""
    empty = {"int": 0, "str": ""}
    types = {field.name: str(field.type) for field in fields(event)}
    found = {name: row.get(name) for name in types}
    return {name: empty.get(types[name]) if value is None else value for name, value in found.items()}


def row_of(event: Event) -> dict[str, object]:
    row = {name.rstrip("_"): _written(value) for name, value in asdict(event).items()}
    return row | {"state": str(event.state)} if isinstance(event, FileEvent | BatchEvent) else row


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
    events = (FileEvent, BatchEvent, CheckEvent, NoticeEvent, ResolvedEvent, SchemaChangeEvent)
    declared = {field.name.rstrip("_"): str(field.type) for event in events for field in fields(event)}
    return {name: words.get(type_.removesuffix(" | None"), "string") for name, type_ in declared.items()}


COLUMN_TYPES = _column_types()

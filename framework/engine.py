"""Engine: the seam to what reads files and writes Delta tables. `engines/` holds the implementations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from framework.batch import Checked, FileOutcome, Manifest
from framework.errors import Conflict, Failure
from framework.feed import Feed
from framework.names import Reason, Rows, Table
from framework.opening import Piece, Ways
from framework.steps import AddColumns, CreateTable, Discard, Merge, Stage, WidenColumns

__all__ = [
    "CONSTRAINT",
    "BadRows",
    "Engine",
    "Merged",
    "Preview",
    "Seal",
    "Staged",
    "TableState",
    "Upkeep",
    "Where",
    "staged_meanwhile",
]


CONSTRAINT = "constraint"
"""The code of what `Engine.merge` raises when the target has a constraint that refuses rows of the batch."""


@dataclass(frozen=True, slots=True)
class TableState:
    """A table as observed: its Delta version, its columns (name, type as in `framework.types`), the
    sequence number of the last batch that a given feed committed to it (None = none yet), why this
    engine cannot write it (None = it can), and the columns that take no NULL and get no value by themselves."""

    version: int
    columns: tuple[tuple[str, str], ...]
    seq: int | None = None
    unwritable: Failure | None = None
    not_null: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staged:
    """The staged batch's manifest, and what staging is now: its version and its columns (name, type)."""

    manifest: Manifest
    version: int
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The target's version after the merge, and the batch's full row figures."""

    version: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What looking after a table did, or would do: how many small files were written together, how many files were
    deleted that no version of the last days needs, with their bytes (None = not known), and how many entries of its
    log that are past their retention."""

    compacted: int = 0
    deleted: int = 0
    deleted_bytes: int | None = 0
    log_entries: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """Some rows of a table, values as text (None = NULL), those of the `nested` columns as JSON."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    nested: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Where:
    """Which rows are wanted: an expression (docs/expressions.md) over a table, and the zone of local times."""

    text: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class BadRows:
    """Rows of one batch that are in the quarantine for the same reason; the reason's value and line are those of the
    first of them, which is in `file`."""

    batch_id: str
    at: datetime
    reason: Reason
    file: str

    @classmethod
    def of(cls, row: Sequence[Any]) -> BadRows:
        """From a row of `framework.law.staging.quarantine_reasons`."""
        batch_id, at, code, column, message, rows, file, line, value = row
        moment = datetime.fromisoformat(at)
        reason = Reason(code, column, rows, value, line, message)
        return cls(batch_id, moment if moment.tzinfo else moment.replace(tzinfo=UTC), reason, file)


def staged_meanwhile(feed: Feed) -> Conflict:
    """What `Engine.stage` raises when staging has this batch, or a newer one, already."""
    return Conflict(
        f"feed {feed.name}: another runner staged it at the same time",
        "run again; if runners cannot know of each other, see to it that one runs at a time",
    )


class Seal(Protocol):
    """Called by `Engine.stage` when all files are read and before any commit that carries the batch: checks that the
    files are still the ones that were listed (raises SourceChanged) and that the figures add up, and returns the
    manifest that the commits carry, with what came of the batch's checks."""

    def __call__(self, outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest: ...


class Engine(Ways, Protocol):
    """The verbs that a plan needs. Every method may be called from several threads at once."""

    def state(self, table: Table, feed: str) -> TableState | None:
        """The table as it is now, None when there is none."""
        ...

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        """The manifest that the feed's batch `seq` left in this table's history, and its version."""
        ...

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        """The feed's manifests with files that this table's history still has, newest first."""
        ...

    def stage(self, step: Stage, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> Staged:
        """Read, check and convert the batch's files, which have been opened; append bad rows to the quarantine (once
        per batch), overwrite staging, and tell what it then is.

        `loaded_at` (UTC) is the value of `_loaded_at` and the manifest's `staged_at`. Raises Conflict
        when the batch, or a newer one, is staged already: another runner did it meanwhile, and what it staged
        stays as it is.
        """
        ...

    def create(self, step: CreateTable) -> None:
        """Make the table; nothing happens when it is already there."""
        ...

    def add_columns(self, step: AddColumns) -> None:
        """Add the columns that are not there yet."""
        ...

    def widen(self, step: WidenColumns) -> None:
        """Give columns wider types, those that have not got them yet: where the table allows it without writing it
        anew, else in one commit that holds the same rows. Raises Conflict when another writer commits meanwhile."""
        ...

    def to_rewrite(self, step: WidenColumns) -> int | None:
        """How many bytes of files that would write anew; None when it is not known."""
        ...

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        """Merge the staged batch, exactly once: a target that has this batch already is left alone, and a target
        that has a newer one refuses it (`superseded`). Raises Conflict when another writer commits meanwhile, and
        LandfeedError when what was written is not what the cases of the rows imply (`conservation`), and before
        anything is written when a key of the batch is in the target twice (`key_twice`) or a constraint of it refuses
        rows (CONSTRAINT)."""
        ...

    def discard(self, step: Discard) -> None:
        """Delete one batch's rows from a quarantine table."""
        ...

    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        """Let a table hold what another one holds, its columns and partitions too, in one commit, which carries the
        manifest's batch; the version that the table then has. It is made where there is none. Raises Conflict when
        another writer commits meanwhile."""
        ...

    def upkeep(self, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
        """Write a table's small files together if wanted, and delete the files that no version within the table's
        retention (7 days, if it says none) needs, and entries of its log that are older than its `logRetentionDuration`
        (30 days); with `dry_run` only tell. Raises Conflict when another writer commits
        meanwhile."""
        ...

    def expire(self, table: Table, feed: str, before: datetime, *, dry_run: bool) -> int:
        """Delete the feed's rows of a quarantine table that are older than a moment; how many there are."""
        ...

    def rows(self, table: Table) -> int | None:
        """How many rows a table has; None when there is no table, or when that would take a look at all of them."""
        ...

    def preview(
        self, table: Table, limit: int, newest_by: str | None = None, where: Where | None = None
    ) -> Preview | None:
        """The first rows of a table in a stable order, with `newest_by` the newest by this column first, with `where`
        only those for which it is true; None when there is no table. Raises LandfeedError for an expression that the
        table's columns do not allow."""
        ...

    def bad_rows(self, feed: Feed, batch_id: str | None, file: str | None) -> list[BadRows]:
        """Why rows of the feed are in the quarantine, newest batch first: of one batch or of all, of one file (a path
        or the end of one) or of all. An empty list when there is no table."""
        ...

    def sql(self, step: Stage | Merge) -> str:
        """The SQL of a step as this engine runs it, formatted for reading."""
        ...

    def close(self) -> None: ...

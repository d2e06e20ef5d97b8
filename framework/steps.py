"""The closed set of steps that a plan consists of. Inert: `execute` runs them, `explain` describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from framework.batch import Batch, Manifest
from framework.feed import Feed
from framework.law.change import Change, Match
from framework.law.survivors import Survivor
from framework.names import Table
from framework.types import DataType

__all__ = [
    "Abandon", "AddColumns", "Archive", "CreateTable", "Discard", "Merge", "Stage", "Step", "TableColumn",
    "WidenColumns",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table to make: its name, type and comment."""

    name: str
    type: DataType
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Abandon:
    """Record that a staged batch will never be finished, and why: its files, or the schema, changed before it was
    merged, or something of it was lost."""

    feed: Feed
    manifest: Manifest
    reason: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Take a batch's rows out of the quarantine again: the batch was never completed."""

    table: Table
    feed: str
    batch_id: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Read the batch's files, put bad rows into the quarantine, overwrite staging with the good ones that survive.
    `header` is that of the file that was loaded last, as far as it is known. With `pictured` the files are a complete
    picture, which is applied to the target unless it lacks too many of its keys."""

    feed: Feed
    batch: Batch
    survivor: Survivor
    header: tuple[str, ...] = ()
    pictured: Match | None = None


@dataclass(frozen=True, slots=True)
class CreateTable:
    """Make a table. `cluster_by` is for engines that cluster."""

    table: Table
    columns: tuple[TableColumn, ...]
    comment: str | None = None
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AddColumns:
    """Add columns that the feed has and the target does not; old rows hold NULL in them."""

    table: Table
    columns: tuple[TableColumn, ...]


@dataclass(frozen=True, slots=True)
class WidenColumns:
    """Give columns of a table wider types, named as the table spells them; `were` are the types that they have. `zone`
    is that of local times."""

    table: Table
    columns: tuple[TableColumn, ...]
    were: tuple[str, ...]
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Merge:
    """Do to the target what the change says of the staged batch, once. `memory` holds what later batches may need and
    the target does not show."""

    change: Change
    staging: Table
    target: Table
    batch: Batch
    memory: Table | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """Move the batch's files out of the landing folder: loaded ones and rejected ones."""

    feed: Feed
    batch: Batch


Step: TypeAlias = Abandon | Discard | Stage | CreateTable | AddColumns | WidenColumns | Merge | Archive

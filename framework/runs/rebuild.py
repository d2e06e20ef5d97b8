"""Rebuild: a feed's target made anew from its archive under today's YAML, beside the old one; how they differ; and the
new one in the place of the old one, in one commit.

The tables of a rebuild are those of the feed with `__rebuild` in their names; they are made from nothing each time. Its
batches are recorded nowhere: the archive is as it was, and what counts is the commit that swaps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from framework.batch import Batch, Manifest
from framework.control import Control
from framework.engine import Merged
from framework.errors import LandfeedError
from framework.feed import Feed, loaded_as
from framework.keeping import Kept
from framework.law.deliveries import as_replayed
from framework.law.modes import memory_table
from framework.law.sheets import Difference, Sheet, compare
from framework.leases import Leases
from framework.ledger import Ledger
from framework.names import AUDIT_COLUMNS, START_AT, BatchState, FileState, Status, Table
from framework.plan.archiving import Moves
from framework.plan.observe import observe
from framework.plan.recording import Done, record_batch
from framework.plan.world import World
from framework.report import FeedReport
from framework.runs.archives import archived
from framework.runs.dropping import drop
from framework.runs.landing import landing_of
from framework.runs.options import Options
from framework.runs.replay import Deliveries
from framework.runs.run import run_feeds
from framework.types import parse_type

__all__ = ["Rebuilt", "rebuild"]

_COMPARED = 1_000_000
"""Rows up to which two tables are compared row by row."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of a rebuild: how many deliveries it took, the rows of both tables (None = not known), how they differ
    (None = they were not compared), columns that only one of them has, and the version of the target that holds the
    new rows (None = it was not swapped)."""

    report: FeedReport
    table: Table
    deliveries: int = 0
    rows_before: int | None = None
    rows: int | None = None
    difference: Difference | None = None
    columns_gone: tuple[str, ...] = ()
    columns_new: tuple[str, ...] = ()
    swapped: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return self.report.as_dict() | {
            "rebuilt": self.table.name,
            "deliveries": self.deliveries,
            "rows_before": self.rows_before,
            "rows_after": self.rows,
            "difference": None if self.difference is None else self.difference.as_dict(),
            "columns_gone": list(self.columns_gone),
            "columns_new": list(self.columns_new),
            "swapped": self.swapped,
        }


def rebuild(
    feed: Feed, world: World, leases: Leases, control: Control, options: Options, *, swap: bool, force: bool
) -> Rebuilt:
    """Make the feed's target anew, and with `swap` put it into the place of the old one: meanwhile no other runner
    works on the feed. `control` holds what a rebuild records of itself, in no table; with `force` files that were
    loaded and are not in the archive any more count for nothing. Raises LandfeedError."""
    _refuse(feed, world)
    if not swap:
        return _rebuilt(feed, world, leases, control, options, force=True)
    with leases.hold(feed.name, options.wait):
        seq = _last_seq(feed, world) + 1
        made = _rebuilt(feed, world, leases, control, options, force=force)
        if made.report.error is not None or made.report.status is Status.FAILED:
            return made
        version = _swap(feed, world, max(seq, made.deliveries + 1, _seq(made.table, feed, world) + 1))
        _drop(feed, world)
        return replace(made, swapped=version)


def _refuse(feed: Feed, world: World) -> None:
    if world.tables is None:
        raise LandfeedError(
            f"feed {feed.name}: a table in a catalog (tables.catalog) cannot be made anew in its place",
            f"name a new table in target.table, load it with `landfeed replay {feed.name} --all`, and drop the old one",
            code="rebuild",
        )
    if feed.target.shared_target:
        raise LandfeedError(
            f"feed {feed.name}: {feed.target.table} is the target of other feeds too, whose rows would be lost",
            "load into a table of its own; or delete the table, and `landfeed replay --all --force` each of the feeds",
            code="rebuild",
        )


def _last_seq(feed: Feed, world: World) -> int:
    """The number of the feed's last batch. Raises LandfeedError when that one is not over, and what it brings not in
    the archive yet; one that no run can finish, as none of its files is in landing, is over."""
    listing = landing_of([feed], world).listing(feed)
    facts = observe(feed, world.storage(feed), world.ledger, world.engine, listing, world.keeping)
    unfinished, orphan = facts.unfinished, facts.orphan is not None
    if orphan or (unfinished and (unfinished.merged or len(unfinished.changed) < len(unfinished.manifest.batch.files))):
        raise LandfeedError(
            f"feed {feed.name} has an unfinished batch", f"finish it first: landfeed run {feed.name}", code="rebuild"
        )
    return facts.last_seq


def _seq(table: Table, feed: Feed, world: World) -> int:
    state = world.engine.state(table, feed.name)
    return (state.seq or 0) if state is not None else 0


# Making


def _beside(feed: Feed) -> Feed:
    """The feed with tables of its own for the rebuild."""
    table = feed.target.table.suffixed("__rebuild")
    target = replace(feed.target, table=table, staging=table.suffixed("__staging"))
    return replace(
        as_replayed(feed), target=target, quarantine=replace(feed.quarantine, table=table.suffixed("__quarantine"))
    )


class _OtherLeases:
    """Leases under names of their own: the feed goes on being loaded while it is rebuilt."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def hold(self, feed: str, wait_seconds: float) -> AbstractContextManager[None]:
        return self._leases.hold(f"{feed}__rebuild", wait_seconds)

    def left(self) -> frozenset[str]:
        return frozenset()


def _rebuilt(feed: Feed, world: World, leases: Leases, control: Control, options: Options, *, force: bool) -> Rebuilt:
    found, skipped = archived(feed, world.storage(feed), world.ledger)
    told = [f"{skip.file.shown}: passed over: {skip.reason}" for skip in skipped]
    there = [*(file for delivery in found for file in delivery.files), *(skip.file for skip in skipped)]
    gone = _gone(feed, world, {file.shown for file in there})
    if gone:
        message = f"{gone:,} file(s) that were loaded are not in {feed.archive.path}"
        if not force:
            raise LandfeedError(
                f"feed {feed.name}: {message}: their rows would be lost", "--force if that is wanted", code="rebuild"
            )
        told.append(f"{message}: the rebuilt table is without them")
    _drop(feed, world)
    new, alone = _beside(feed), replace(world, ledger=Ledger(control, "rebuild"), keeping=Kept())
    waiting = Deliveries({feed.name: list(found)})
    report = run_feeds([new], alone, _OtherLeases(leases), options, waiting)[0]
    report = replace(report, warnings=(*told, *report.warnings))
    made = Rebuilt(report, new.target.table, len(found))
    return made if report.error is not None else _compared(feed, world, made)


def _gone(feed: Feed, world: World, there: Collection[str]) -> int:
    """How many files were loaded and are not in the archive."""
    archived_ = {
        event.moved_to or event.file
        for event in world.ledger.file_events(feeds=[feed.name])
        if event.state is FileState.ARCHIVED and not (event.moved_to is None and event.reason)
    }
    return sum(path not in there and not path.startswith(feed.archive.path + "_") for path in archived_)


def _compared(feed: Feed, world: World, made: Rebuilt) -> Rebuilt:
    """With how the rebuilt table differs from the old one, audit columns aside."""
    before, after = (world.engine.state(table, feed.name) for table in (feed.target.table, made.table))
    rows = [world.engine.rows(table) for table in (feed.target.table, made.table)]
    made = replace(made, rows_before=rows[0], rows=rows[1])
    if before is None or after is None:
        return made
    old, new = ([name for name, _ in state.columns if name not in AUDIT_COLUMNS] for state in (before, after))
    made = replace(
        made,
        columns_gone=tuple(name for name in old if name not in new),
        columns_new=tuple(name for name in new if name not in old),
    )
    if any((number or 0) > _COMPARED for number in rows):
        return made
    common = [name for name in old if name in new]
    expected, found = (_sheet(world, table, common) for table in (feed.target.table, made.table))
    keys = (*feed.target.keys, *([START_AT] if feed.target.scd_type == 2 else []))
    types = {name: parse_type(type_) for name, type_ in after.columns}
    return replace(made, difference=compare(expected, found, types, keys))


def _sheet(world: World, table: Table, columns: Sequence[str]) -> Sheet:
    found = world.engine.preview(table, _COMPARED + 1)
    return Sheet(found.columns, found.rows).only(columns) if found is not None else Sheet(tuple(columns))


# Swapping


def _swap(feed: Feed, world: World, seq: int) -> int:
    """Let the target hold what was rebuilt, as the feed's next batch; the version that it then has. What the target
    does not show and later batches may need comes before it, as in every batch."""
    new = _beside(feed)
    batch = Batch(feed.name, seq, ())
    last = world.engine.manifest(new.target.table, feed.name, _seq(new.target.table, feed, world))
    made = Manifest.of(batch, world.clock(), (), 0.0)
    manifest = replace(made, loaded_as=loaded_as(feed), picture=last[0].picture if last is not None else None)
    memory, rebuilt = memory_table(feed), memory_table(new)
    if memory is not None and rebuilt is not None and world.engine.state(rebuilt, feed.name) is not None:
        world.engine.take_over(memory, rebuilt, None)
        world.keeping.settle(memory)
    bad = feed.quarantine.table  # one that was lost comes back; one that is there has more than the archive says
    if world.engine.state(bad, feed.name) is None and world.engine.state(new.quarantine.table, feed.name) is not None:
        world.engine.take_over(bad, new.quarantine.table, None)
        world.keeping.settle(bad)
    version = world.engine.take_over(feed.target.table, new.target.table, manifest)
    world.keeping.secure(feed.target.table, feed.name, seq)
    record_batch(world, feed, Done(manifest, Merged(version, manifest.rows), Moves(), {}), set(), BatchState.ARCHIVED)
    world.ledger.write()
    return version


def _drop(feed: Feed, world: World) -> None:
    """Remove the tables of an earlier rebuild."""
    new = _beside(feed)
    table = new.target.table
    drop(world, feed, (table, new.target.staging, new.quarantine.table, table.suffixed("__cdc")))

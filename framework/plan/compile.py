"""Plan: which steps bring a feed from what is to what should be. Pure: `compile_plan(feed, facts)`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, takewhile

from framework.batch import Batch, Manifest
from framework.engine import TableState
from framework.errors import LandfeedError
from framework.feed import Feed, MissingColumns, Mode, NewColumns, TypeChanges
from framework.law.additions import with_added
from framework.law.change import Change, Match
from framework.law.fitting import type_differs
from framework.law.members import grows, new_members
from framework.law.modes import change_of, memory_table, stale
from framework.law.references import refuse_unknown
from framework.law.snapshots import first_picture, picture, sequence
from framework.law.widening import widens
from framework.names import ChangeKind, File, SchemaChange
from framework.plan.observe import Facts, Unfinished
from framework.plan.tables import memory_columns, new_target, target_columns
from framework.plan.targets import check_loaded_as, check_nulls, staged_otherwise
from framework.steps import (
    Abandon,
    AddColumns,
    Archive,
    CreateTable,
    Discard,
    Merge,
    Stage,
    Step,
    TableColumn,
    WidenColumns,
)
from framework.types import parse_type

__all__ = ["ALL_TASKS", "Plan", "Task", "compile_plan", "next_batch", "target_changes", "unfit"]


class Task(StrEnum):
    """The three tasks a runner may be asked for; `run` is all of them."""

    STAGE = "stage"
    MERGE = "merge"
    ARCHIVE = "archive"


ALL_TASKS = frozenset(Task)
_DOWNLOADED_AT_ONCE = 10 << 30
"""Bytes of files in a bucket that make one batch; a larger file is a batch of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one feed, in order."""

    feed: Feed
    steps: tuple[Step, ...]


def compile_plan(feed: Feed, facts: Facts, tasks: frozenset[Task] = ALL_TASKS) -> Plan:
    """What to do next for this feed: finish the unfinished batch, or form a new one.

    A plan covers one batch. Raises LandfeedError when the target cannot take the feed's columns or was loaded as
    another mode says, and when the engine cannot write one of the feed's tables: nothing of the batch is written then.
    """
    if facts.unfinished is None or not facts.unfinished.merged:
        check_loaded_as(feed, facts.loaded)
    steps = tuple(_steps(feed, facts, tasks))
    refusal = facts.lost or facts.unwritable
    if refusal is not None and (facts.lost or not all(isinstance(step, Archive) for step in steps)):
        raise LandfeedError(refusal.message, refusal.hint, code=refusal.code)
    return Plan(feed, steps)


def unfit(feed: Feed, facts: Facts, loaded_into: str | None) -> Iterator[str]:
    """Sentences about what the feed's target is and the feed says otherwise, also when no file is pending.
    `loaded_into` is the table into which the last batch was loaded. Raises LandfeedError as a batch would."""
    table = feed.target.table
    if facts.target is None and loaded_into is not None:
        again = f"the archive fills it: landfeed rebuild {feed.name} --swap"
        is_there = "is not there" if loaded_into == table.name else f"was not loaded yet; {loaded_into} was, and stays"
        yield f"table {table} {is_there}: {again}"
    if facts.target is None or feed.target.shared_target:
        return
    wanted = {column.name.lower() for column in target_columns(feed)}
    has_more = feed.schema_contract.new_columns in (NewColumns.ADD, NewColumns.RESCUE)
    for name, _ in facts.target.columns if loaded_into == table.name and not has_more else ():
        if name.lower() not in wanted:
            yield f"column {name} of {table} is not in the feed: it keeps what it has, and new rows have NULL in it"
    feed = with_added(feed, facts.loaded.added if facts.loaded is not None else ())
    for step in _fitting(feed, new_target(feed), facts.target):
        for column, was in zip(step.columns, step.were, strict=True) if isinstance(step, WidenColumns) else ():
            yield f"column {column.name} of {table} is {was}: the next batch makes it {column.type}"
        for column in step.columns if isinstance(step, AddColumns) else ():
            then = f"rows that are there have NULL in it, unless: landfeed rebuild {feed.name} --swap"
            yield f"column {column.name} is new: the next batch adds it to {table}; {then}"


def _steps(feed: Feed, facts: Facts, tasks: frozenset[Task]) -> Iterator[Step]:
    unfinished = facts.unfinished
    outdated = _outdated(feed, unfinished, tasks) if unfinished is not None else None
    if unfinished is not None and outdated is None:
        yield from _finish(feed, facts, unfinished, tasks)
        return
    if unfinished is not None and outdated is not None and tasks & {Task.STAGE, Task.MERGE}:
        if facts.memory is not None and (memory := memory_table(feed)) is not None:
            yield Discard(memory, feed.name, unfinished.manifest.batch_id)
        yield Abandon(feed, unfinished.manifest, outdated)
        yield Discard(feed.quarantine.table, feed.name, unfinished.manifest.batch_id)
    if Task.STAGE in tasks:
        yield from _begin(feed, facts, tasks)


def _outdated(feed: Feed, unfinished: Unfinished, tasks: frozenset[Task]) -> str | None:
    """Why a staged batch is not to be finished any more. Raises LandfeedError where it should be, and its files would
    have to be staged again for it, which is another task."""
    if unfinished.broken is not None:
        return unfinished.broken
    if unfinished.merged or (unfinished.again and unfinished.changed):
        return None
    if unfinished.changed:
        return f"changed or gone before the merge: {', '.join(file.name for file in unfinished.changed[:5])}"
    wider = with_added(feed, (each for each in unfinished.manifest.added if each.grows))
    other = staged_otherwise(wider, unfinished.manifest, unfinished.columns)
    if other is not None and Task.MERGE in tasks and Task.STAGE not in tasks:
        raise LandfeedError(
            f"feed {feed.name}: batch {unfinished.manifest.batch_id} was staged before the schema was changed: {other}",
            "run `landfeed stage` or `landfeed run`: it stages the batch's files again",
            code="schema",
        )
    return f"the schema was changed before the merge: {other}" if other is not None else None


def _finish(feed: Feed, facts: Facts, unfinished: Unfinished, tasks: frozenset[Task]) -> Iterator[Step]:
    batch, feed = unfinished.manifest.batch, with_added(feed, unfinished.manifest.added)
    if unfinished.merged:
        # Staging may be overwritten only when the batch before is in the archive, so `stage` finishes it too.
        if tasks & {Task.ARCHIVE, Task.STAGE}:
            yield Archive(feed, batch)
        return
    if Task.MERGE in tasks:
        yield from _merge(feed, facts, batch)
        if Task.ARCHIVE in tasks:
            yield Archive(feed, batch)


def _begin(feed: Feed, facts: Facts, tasks: frozenset[Task]) -> Iterator[Step]:
    batch = next_batch(feed, facts)
    if facts.orphan is not None and batch.id != facts.orphan.batch_id:
        yield Discard(feed.quarantine.table, feed.name, facts.orphan.batch_id)
    if not batch.files:
        return
    refuse_unknown(feed, facts.referred)
    feed = with_added(feed, (*(facts.loaded.added if facts.loaded else ()), *facts.brought))
    if facts.doubled is not None and _all_pending(facts, facts.doubled):
        yield Abandon(feed, facts.doubled, f"table {feed.target.staging} has lost the batch")
        yield Discard(feed.quarantine.table, feed.name, facts.doubled.batch_id)
    merge = tuple(_merge(feed, facts, batch))
    change = change_of(feed)
    pictured = _change(feed, facts, batch).match if feed.target.mode is Mode.SNAPSHOT else None
    by_key = Match(feed.target.keys, change.match.nulls_match) if pictured and change.match else None
    yield Stage(feed, batch, change.survivor, facts.header, by_key)
    if Task.MERGE in tasks:
        yield from merge
    if tasks >= {Task.MERGE, Task.ARCHIVE}:
        yield Archive(feed, batch)


def next_batch(feed: Feed, facts: Facts) -> Batch:
    """The batch that pending files make; it has no files where none are pending."""
    if facts.orphan is not None and _all_pending(facts, facts.orphan):
        return facts.orphan.batch
    return Batch(feed.name, facts.last_seq + 1, _first(feed, facts.listing.pending))


def _all_pending(facts: Facts, manifest: Manifest) -> bool:
    """Whether all files of a batch are in landing as they were read."""
    pending = {file.identity for file in facts.listing.pending}
    return pending.issuperset(file.identity for file in manifest.batch.files)


def _first(feed: Feed, pending: tuple[File, ...]) -> tuple[File, ...]:
    """The pending files that make the next batch. Those in a bucket may have to be downloaded together."""
    if feed.target.mode is Mode.SNAPSHOT:
        return first_picture(feed, pending)
    if feed.target.mode is Mode.OVERWRITE:
        return pending  # what is not in the batch would be replaced by the next one
    files = pending[: feed.source.max_files_per_batch]
    if feed.schema_contract.missing_columns is MissingColumns.KEEP:
        return files[:1]  # of two rows of a key, from files that lack different columns, both would count
    if "://" not in feed.source.path:
        return files
    size = accumulate(file.size for file in files)
    fits = sum(1 for _ in takewhile(lambda bytes_: bytes_ <= _DOWNLOADED_AT_ONCE, size))
    return files[: max(1, fits)]


def _merge(feed: Feed, facts: Facts, batch: Batch) -> Iterator[Step]:
    memory, wanted = memory_table(feed), target_columns(feed)
    yield from _fitting(feed, new_target(feed), facts.target)
    if facts.target is not None:
        check_nulls(feed, facts.target, wanted)
    if memory is not None:
        comment = f"What later rows of {feed.target.table} may need and it does not show"
        yield from _fitting(feed, CreateTable(memory, memory_columns(feed), comment), facts.memory)
    yield Merge(_change(feed, facts, batch), feed.target.staging, feed.target.table, batch, memory)


def target_changes(feed: Feed, facts: Facts) -> tuple[SchemaChange, ...]:
    """What becomes of a target that is there before a batch of the feed is merged into it."""
    changes: list[SchemaChange] = []
    for step in _fitting(feed, new_target(feed), facts.target) if facts.target is not None else ():
        if isinstance(step, AddColumns):
            added = ((column.name, str(column.type)) for column in step.columns)
            changes += (SchemaChange(None, ChangeKind.ADDED, name, None, now, "add_column") for name, now in added)
        elif isinstance(step, WidenColumns):
            for column, was in zip(step.columns, step.were, strict=True):
                changes += _changed(column, was)
    return tuple(changes)


def _changed(column: TableColumn, was: str) -> Iterator[SchemaChange]:
    """What is different in a column that gets another type."""
    if not grows(was, column.type):
        yield SchemaChange(None, ChangeKind.WIDENED, column.name, was, str(column.type), "widen")
        return
    for path, type_, _ in new_members(parse_type(was), column.type):
        yield SchemaChange(None, ChangeKind.ADDED, ".".join((column.name, *path)), None, str(type_), "add_column")


def _change(feed: Feed, facts: Facts, batch: Batch) -> Change:
    if feed.target.mode is not Mode.SNAPSHOT:
        return change_of(feed)
    file = batch.files[0]
    older = facts.loaded is not None and picture(feed, file) <= (facts.loaded.picture or "")
    return stale() if older else change_of(feed, sequence(feed, file))


def _fitting(feed: Feed, wanted: CreateTable, there: TableState | None) -> Iterator[Step]:
    """The steps that make a table, or give it the columns and members that it lacks and the types that may become
    wider. Raises LandfeedError when a type differs otherwise."""
    if there is None:
        yield wanted
        return
    table = wanted.table
    types = {name.lower(): (name, type_) for name, type_ in there.columns}
    wider = []
    for column in wanted.columns:
        name, found = types.get(column.name.lower(), (column.name, str(column.type)))
        if found != str(column.type):
            may = widens(found, column.type)
            refused = not may or feed.schema_contract.type_changes is TypeChanges.REFUSE
            if refused and not grows(found, column.type):
                raise type_differs(table, column.name, found, str(column.type), widens=may)
            wider.append((TableColumn(name, column.type), found))
    if wider:
        columns, were = zip(*wider, strict=True)
        yield WidenColumns(table, columns, were, feed.source.timezone)
    missing = tuple(column for column in wanted.columns if column.name.lower() not in types)
    if missing:
        yield AddColumns(table, missing)

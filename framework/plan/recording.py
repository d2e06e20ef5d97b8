"""Recording: what a batch and its files went through, as events for the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass
from types import MappingProxyType

from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engine import Merged
from framework.feed import Feed
from framework.ledger import BatchEvent, CheckEvent, FileEvent, SchemaChangeEvent
from framework.names import BatchState, ChangeKind, FileState, Rows, SchemaChange
from framework.plan.archiving import Moves
from framework.plan.world import World

__all__ = ["Done", "record_batch", "record_changes", "record_checks", "record_files", "record_refused"]

_OF_TARGET = (ChangeKind.ADDED, ChangeKind.WIDENED)
"""Changes that are made when the batch is merged."""


@dataclass(frozen=True, slots=True)
class Done:
    """How far a batch came: staged, merged (None = not yet), which files moved, and the seconds of each task."""

    manifest: Manifest
    merged: Merged | None
    moves: Moves
    seconds: Mapping[str, float]


def record_batch(
    world: World,
    feed: Feed,
    done: Done,
    recorded: Set[BatchState],
    last: BatchState | None = None,
    error: str | None = None,
) -> frozenset[BatchState]:
    """Record the batch's events so far that are not `recorded`, and `last`; what is recorded now."""
    states = [BatchState.STAGED] + [BatchState.MERGED] * (done.merged is not None)
    events = [_batch_event(world, feed, done, state, None) for state in states if state not in recorded]
    if last is not None:
        events.append(_batch_event(world, feed, done, last, error))
    if BatchState.STAGED not in recorded:
        record_checks(world, feed, done.manifest.batch_id, done.manifest.checks)
    for state, of_target in ((BatchState.STAGED, False), (BatchState.MERGED, True)):
        if state in states and state not in recorded:
            changes = [each for each in done.manifest.changes if (each.kind in _OF_TARGET) is of_target]
            record_changes(world, feed, done.manifest.batch_id, changes)
    world.ledger.record_batches(events)
    return frozenset(recorded).union(event.state for event in events)


def record_refused(world: World, feed: Feed, batch: Batch, error: str) -> None:
    """Record that a batch failed of which nothing is staged: its figures are zero, its seconds unknown."""
    counted = batch.id, len(batch.files)
    world.ledger.record_batches([_event(world, feed, counted, BatchState.FAILED, Rows(), error=error)])


def record_checks(world: World, feed: Feed, batch_id: str, checked: Iterable[Checked]) -> None:
    """Record what came of a batch's checks."""
    at, run = world.clock(), world.run_id
    world.ledger.record_checks(CheckEvent(at, run, batch_id, feed.name, **asdict(each)) for each in checked)


def record_changes(world: World, feed: Feed, batch_id: str, changes: Iterable[SchemaChange]) -> None:
    """Record what is different in a batch, or in the feed (without a batch), unless an earlier process has."""
    changes, at, run = tuple(changes), world.clock(), world.run_id
    before = world.ledger.schema_changes([batch_id]) if changes and batch_id else ()
    known = {(event.file, event.kind, event.column) for event in before}
    world.ledger.record_changes(
        SchemaChangeEvent(at, run, batch_id, feed.name, e.file, str(e.kind), e.column, e.was, e.now, e.action)
        for e in changes
        if (e.file, e.kind, e.column) not in known
    )


def record_files(world: World, feed: Feed, done: Done, *, from_here: bool) -> None:
    """Record the events of every file so far. Unless the batch was staged `from_here` (by this process), an
    earlier process may have recorded some, which are left out."""
    known: set[tuple[str, FileState]] = set()
    if not from_here:
        events = world.ledger.file_events(batch_ids=[done.manifest.batch_id])
        known = {(event.file, event.state) for event in events}
    found = _file_events(world, feed, done)
    world.ledger.record_files(event for event in found if (event.file, event.state) not in known)


def _batch_event(world: World, feed: Feed, done: Done, state: BatchState, error: str | None) -> BatchEvent:
    merged = done.merged if state is not BatchState.STAGED else None
    rows = merged.rows if merged else done.manifest.rows
    tasks = ["stage"] + ["merge"] * (merged is not None) + ["archive"] * (state is BatchState.ARCHIVED)
    seconds = {task: each for task, each in {"stage": done.manifest.seconds, **done.seconds}.items() if task in tasks}
    counted = done.manifest.batch_id, len(done.manifest.outcomes)
    return _event(world, feed, counted, state, rows, merged.version if merged else None, seconds, error)


def _event(
    world: World,
    feed: Feed,
    counted: tuple[str, int],
    state: BatchState,
    rows: Rows,
    version: int | None = None,
    seconds: Mapping[str, float] = MappingProxyType({}),
    error: str | None = None,
) -> BatchEvent:
    """A batch, by its id and the number of its files, in a state."""
    batch_id, files = counted
    figures = (rows.read, rows.staged, rows.quarantined, rows.filtered, rows.deduplicated)
    outcomes = (rows.inserted, rows.updated, rows.deleted, rows.unchanged, rows.stale)
    return BatchEvent(
        world.clock(),
        world.run_id,
        batch_id,
        feed.name,
        state,
        world.engine_name,
        files,
        *figures,
        *outcomes,
        feed.target.table.name,
        version,
        seconds.get("stage"),
        seconds.get("merge"),
        seconds.get("archive"),
        error,
    )


def _file_events(world: World, feed: Feed, done: Done) -> Iterator[FileEvent]:
    for outcome in done.manifest.outcomes:
        moved = outcome.file in done.moves.moved
        if outcome.rejected is not None:
            if moved:
                yield _file_event(world, feed, done, outcome, FileState.REJECTED)
            continue
        yield _file_event(world, feed, done, outcome, FileState.STAGED)
        if done.merged is not None:
            yield _file_event(world, feed, done, outcome, FileState.MERGED)
        if moved:
            yield _file_event(world, feed, done, outcome, FileState.ARCHIVED)
    containers = dict.fromkeys(each.file.landed for each in done.manifest.loaded if each.file.container is not None)
    for archive in containers:
        if archive in done.moves.moved:  # its figures are those of its members
            yield _file_event(world, feed, done, FileOutcome(archive), FileState.ARCHIVED)


def _file_event(world: World, feed: Feed, done: Done, outcome: FileOutcome, state: FileState) -> FileEvent:
    file, rows, last = outcome.file, outcome.rows, state in (FileState.ARCHIVED, FileState.REJECTED)
    return FileEvent(
        world.clock(),
        world.run_id,
        done.manifest.batch_id,
        feed.name,
        file.shown,
        file.version,
        file.size,
        state,
        rows.read,
        rows.staged,
        rows.quarantined,
        rows.filtered,
        rows.deduplicated,
        done.moves.moved.get(file) if last else None,
        done.moves.reasons.get(file, outcome.rejected) if last else None,
    )

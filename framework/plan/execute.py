"""Execute: the imperative shell. Runs the steps of one feed's plan against engine, storage and ledger.

The order of writes is what makes a crash harmless. Each arrow is a point where the process may die:

    quarantine commit → staging commit → target commit → ledger: staged, merged
                      → files moved    → ledger: files → ledger: archived

Until the target commit the files stand in landing and are work; from then on the manifest in the
target says what happened, and the ledger and the moves are repeated until they are complete.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from framework.batch import FileOutcome, Manifest
from framework.engine import Engine, Merged, SourceFile
from framework.errors import Conflict, LandfeedError, SourceChanged, StorageError
from framework.feed import ArchiveAction, Feed
from framework.law.layout import column_warnings
from framework.ledger import BatchEvent, FileEvent, Ledger
from framework.names import BatchState, File, FileState, Rows, shown
from framework.plan.compile import Plan
from framework.plan.observe import Facts
from framework.report import FileReport
from framework.steps import Abandon, AddColumns, Archive, CreateTable, Discard, Merge, Stage, Step
from framework.storage import Storage

__all__ = ["BatchWork", "World", "archive_folder"]

_MOVES_AT_ONCE = 16
_MERGE_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class World:
    """What a run works with. `clock` gives the time in UTC, `storage` serves landing and archive, `tables` is
    the folder of the tables where they have one."""

    engine: Engine
    storage: Callable[[Feed], Storage]
    ledger: Ledger
    engine_name: str
    run_id: str
    clock: Callable[[], datetime]
    tables: str | None = None


def archive_folder(root: str, manifest: Manifest) -> str:
    """`<root>/<yyyy-mm-dd>/<batch id>/`: a folder of its own for each batch, so nothing collides."""
    return f"{root}{manifest.staged_at:%Y-%m-%d}/{manifest.batch_id}/"


@dataclass(slots=True)
class BatchWork:
    """One batch on its way; what `report` reads afterwards, also when a step raised."""

    world: World
    feed: Feed
    facts: Facts
    manifest: Manifest | None = None
    staging_version: int | None = None
    merged: Merged | None = None
    moved: dict[File, str | None] = field(default_factory=dict)
    reasons: dict[File, str] = field(default_factory=dict)
    not_moved: dict[File, StorageError] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    archived: bool = False
    _recorded: set[BatchState] = field(default_factory=set)
    _staged_here: bool = False

    def __post_init__(self) -> None:
        unfinished = self.facts.unfinished
        if unfinished is None:
            return
        self.manifest, self.staging_version = unfinished.manifest, unfinished.staging_version
        self._recorded = {event.state for event in unfinished.recorded}
        if unfinished.target is not None:
            manifest, version = unfinished.target
            self.merged = Merged(version, manifest.rows)
        elif unfinished.merged:
            event = next(event for event in unfinished.recorded if event.state is BatchState.MERGED)
            self.merged = Merged(event.target_version or 0, event.rows)

    def run(self, plan: Plan) -> None:
        """Run every step. Raises LandfeedError when one cannot go on; what is durable stays."""
        for step in plan.steps:
            self._run(step)
        if not self.archived:
            self._record_files()
            self._record_batch()

    def _run(self, step: Step) -> None:
        match step:
            case Abandon():
                self._abandon(step)
            case Discard():
                self.world.engine.discard(step)
            case Stage():
                with self._timed("stage"):
                    self._stage(step)
            case CreateTable():
                self.world.engine.create(step)
            case AddColumns():
                self.world.engine.add_columns(step)
            case Merge():
                with self._timed("merge"):
                    self._merge(step)
            case Archive():
                with self._timed("archive"):
                    self._archive()
                if self.not_moved:
                    raise next(iter(self.not_moved.values()))
                self._record_files()
                self.archived = True
                self._record_batch(BatchState.ARCHIVED)
            case _:
                assert_never(step)

    # Stage

    def _stage(self, step: Stage) -> None:
        self.manifest = self.merged = None
        self._recorded, self._staged_here = set(), True
        storage = self.world.storage(step.feed)
        loaded_at, started = self.world.clock(), time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="landfeed-") as folder:
            sources = [SourceFile(file, storage, folder) for file in step.batch.files]

            def seal(outcomes: Sequence[FileOutcome]) -> Manifest:
                _check(storage, step, sources, outcomes)
                return Manifest.of(step.batch, loaded_at, outcomes, time.perf_counter() - started)

            self.manifest, self.staging_version = self.world.engine.stage(step, sources, loaded_at, seal)

    # Merge

    def _merge(self, step: Merge) -> None:
        manifest, version = self._staged()
        for attempt in Retrying(
            retry=retry_if_exception_type(Conflict),
            stop=stop_after_attempt(_MERGE_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=10),
            reraise=True,
        ):
            with attempt:
                self.merged = self.world.engine.merge(step, manifest, version)
        merged = self.merged
        if merged is not None and not merged.rows.merge_balances:
            raise LandfeedError(
                f"feed {self.feed.name}: the merge of batch {manifest.batch_id} does not add up: {merged.rows}",
                "this is a defect in Landfeed: nothing was archived, please report it",
                code="conservation",
            )

    def _staged(self) -> tuple[Manifest, int]:
        if self.manifest is None or self.staging_version is None:
            raise LandfeedError(f"feed {self.feed.name} has no staged batch")
        return self.manifest, self.staging_version

    # Archive

    def _archive(self) -> None:
        manifest, _ = self._staged()
        self._record_batch()
        with ThreadPoolExecutor(min(_MOVES_AT_ONCE, len(manifest.outcomes) or 1)) as pool:
            for outcome, result in zip(manifest.outcomes, pool.map(self._archive_file, manifest.outcomes), strict=True):
                match result:
                    case StorageError():
                        self.not_moved[outcome.file] = result
                    case moved_to, reason:
                        self.moved[outcome.file] = moved_to
                        if reason is not None:
                            self.reasons[outcome.file] = reason

    def _archive_file(self, outcome: FileOutcome) -> tuple[str | None, str | None] | StorageError:
        manifest, _ = self._staged()
        storage, file, archive = self.world.storage(self.feed), outcome.file, self.feed.archive
        root = archive.path if outcome.rejected is None else archive.rejected_path
        action = archive.on_success if outcome.rejected is None else ArchiveAction.MOVE
        destination = archive_folder(root, manifest) + file.name
        try:
            match action:
                case ArchiveAction.MOVE:
                    done = storage.move(file, destination)
                case ArchiveAction.COPY:
                    done = storage.copy(file, destination)
                case ArchiveAction.DELETE:
                    done, destination = storage.delete(file), ""
                case ArchiveAction.KEEP:
                    done, destination = True, ""
                case _:
                    assert_never(action)
        except StorageError as error:
            return error
        if done:
            return destination or None, outcome.rejected
        gone = storage.head(file.path) is None
        left = "was removed from landing" if gone else "was replaced in landing; the new version is pending"
        return None, outcome.rejected or f"the file {left}"

    # Ledger

    def _abandon(self, step: Abandon) -> None:
        self.manifest, self.merged = step.manifest, None
        changed = [file.name for file in self.facts.unfinished.changed] if self.facts.unfinished else []
        error = f"changed or gone before the merge: {', '.join(changed[:5])}"
        self._record_batch(BatchState.ABANDONED, error=error)
        self.manifest = None

    def fail(self, error: LandfeedError) -> None:
        """Record that the batch failed, if anything of it is durable."""
        if self.manifest is not None:
            self._record_batch(BatchState.FAILED, error=error.message)

    def _record_batch(self, last: BatchState | None = None, error: str | None = None) -> None:
        """Record the batch's events so far that the ledger does not have, and `last`."""
        if self.manifest is None:
            return
        states = [BatchState.STAGED] + [BatchState.MERGED] * (self.merged is not None)
        events = [self._batch_event(state, None) for state in states if state not in self._recorded]
        if last is not None:
            events.append(self._batch_event(last, error))
        self.world.ledger.record_batches(events)
        self._recorded.update(event.state for event in events)

    def _batch_event(self, state: BatchState, error: str | None) -> BatchEvent:
        assert self.manifest is not None  # noqa: S101 (callers check)
        merged = self.merged if state is not BatchState.STAGED else None
        rows = merged.rows if merged else self.manifest.rows
        seconds = {"stage": self.manifest.seconds, **self.seconds}
        return BatchEvent(
            self.world.clock(),
            self.world.run_id,
            self.manifest.batch_id,
            self.feed.name,
            state,
            self.world.engine_name,
            len(self.manifest.outcomes),
            rows.read,
            rows.staged,
            rows.quarantined,
            rows.filtered,
            rows.deduplicated,
            rows.inserted,
            rows.updated,
            rows.deleted,
            rows.unchanged,
            rows.stale,
            self.feed.target.table.name,
            merged.version if merged else None,
            seconds.get("stage"),
            seconds.get("merge") if merged else None,
            seconds.get("archive") if state is BatchState.ARCHIVED else None,
            error,
        )

    def _record_files(self) -> None:
        """Record the events of every file so far, less those that an earlier process recorded."""
        if self.manifest is None:
            return
        known: set[tuple[str, FileState]] = set()
        if not self._staged_here:
            events = self.world.ledger.file_events(batch_ids=[self.manifest.batch_id])
            known = {(event.file, event.state) for event in events}
        self.world.ledger.record_files(event for event in self._file_events() if (event.file, event.state) not in known)

    def _file_events(self) -> Iterator[FileEvent]:
        assert self.manifest is not None  # noqa: S101 (callers check)
        for outcome in self.manifest.outcomes:
            moved = outcome.file in self.moved
            if outcome.rejected is not None:
                if moved:
                    yield self._file_event(outcome, FileState.REJECTED)
                continue
            yield self._file_event(outcome, FileState.STAGED)
            if self.merged is not None:
                yield self._file_event(outcome, FileState.MERGED)
            if moved:
                yield self._file_event(outcome, FileState.ARCHIVED)

    def _file_event(self, outcome: FileOutcome, state: FileState) -> FileEvent:
        assert self.manifest is not None  # noqa: S101 (callers check)
        file, rows, last = outcome.file, outcome.rows, state in (FileState.ARCHIVED, FileState.REJECTED)
        return FileEvent(
            self.world.clock(),
            self.world.run_id,
            self.manifest.batch_id,
            self.feed.name,
            file.shown,
            file.version,
            file.size,
            state,
            rows.read,
            rows.staged,
            rows.quarantined,
            rows.filtered,
            rows.deduplicated,
            self.moved.get(file) if last else None,
            self.reasons.get(file, outcome.rejected) if last else None,
        )

    # Report

    @contextmanager
    def _timed(self, task: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[task] = self.seconds.get(task, 0.0) + time.perf_counter() - started

    @property
    def rows(self) -> Rows:
        if self.merged is not None:
            return self.merged.rows
        return self.manifest.rows if self.manifest is not None else Rows()

    def file_reports(self) -> Iterator[FileReport]:
        """How far each file of the batch came."""
        for outcome in self.manifest.outcomes if self.manifest else ():
            file, reason = outcome.file, self.reasons.get(outcome.file, outcome.rejected)
            if file in self.not_moved:
                reason = self.not_moved[file].message
            if outcome.rejected is not None:
                status = "rejected"
            elif file in self.moved:
                status = "archived"
            else:
                status = "merged" if self.merged is not None else "pending"
            moved_to = self.moved.get(file)
            warnings = tuple(column_warnings([(outcome.missing, outcome.ignored)]))
            rows = outcome.rows.read
            yield FileReport(file.shown, status, rows, moved_to and shown(moved_to), reason, outcome.reasons, warnings)

    def warnings(self) -> Iterator[str]:
        """What the headers of the batch's files lack and bring."""
        outcomes = self.manifest.outcomes if self.manifest else ()
        return column_warnings((outcome.missing, outcome.ignored) for outcome in outcomes)


def _check(storage: Storage, step: Stage, sources: Sequence[SourceFile], outcomes: Sequence[FileOutcome]) -> None:
    """Check that the files that were read in place are still the ones in landing, and that the figures add up."""
    read = [source.file for source in sources if source.may_have_changed]
    heads = ((file, storage.head(file.path)) for file in read)
    changed = [file.path for file, head in heads if head is None or head.identity != file.identity]
    if changed:
        raise SourceChanged(changed)
    for outcome in outcomes:
        if not outcome.rows.stage_balances:
            raise LandfeedError(
                f"feed {step.feed.name}, file {outcome.file.path}: the row figures do not add up: {outcome.rows}",
                "this is a defect in Landfeed: nothing was written, please report it",
                code="conservation",
            )

"""Execute: the imperative shell. Runs the steps of one feed's plan against engine, storage and ledger.

The order of writes is what makes a crash harmless. Each arrow is a point where the process may die:

    quarantine commit → staging commit → target commit → files moved → ledger: files → ledger: batches

What the target does not show and later batches may need is committed beside it, before the target. Until the
target commit the files stand in landing and are work; from then on the manifest in the target says what happened,
and the moves and the ledger are repeated until they are complete. The ledger may wait for other feeds, but not
beyond the feed's next batch, which takes the place of the manifest in staging.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import assert_never

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engine import CONSTRAINT, Merged
from framework.errors import Conflict, LandfeedError, PolicyError
from framework.feed import Feed, MissingColumns, Mode, loaded_as, read_options
from framework.law.additions import added_by, lacking, with_added
from framework.law.drift import file_changes
from framework.law.headers import column_warnings
from framework.law.modes import keeping, memory_table, settled
from framework.law.snapshots import picture
from framework.law.verdict import check_warnings
from framework.loader import column_line
from framework.machine import own_folder
from framework.names import BatchState, ChangeKind, Rows, SchemaChange, shown
from framework.opening import SourceFile
from framework.plan.archiving import Moves, archive_files, secure
from framework.plan.compile import Plan, Task, compile_plan, next_batch, target_changes
from framework.plan.observe import Facts
from framework.plan.reading import check_read, opened
from framework.plan.recording import Done, record_batch, record_checks, record_files, record_refused
from framework.plan.world import World
from framework.report import FileReport, StepReport
from framework.steps import Abandon, AddColumns, Archive, CreateTable, Discard, Merge, Stage, Step, WidenColumns

__all__ = ["BatchWork"]

_MERGE_ATTEMPTS = 8
_LATER = {Stage: frozenset({Task.MERGE, Task.ARCHIVE}), Merge: frozenset({Task.ARCHIVE})}
"""Steps that end a task, with the tasks that come after it."""


@dataclass(slots=True)
class BatchWork:
    """One batch on its way; what `report` reads afterwards, also when a step raised."""

    world: World
    feed: Feed
    facts: Facts
    manifest: Manifest | None = None
    staging_version: int | None = None
    merged: Merged | None = None
    moves: Moves = field(default_factory=Moves)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: list[StepReport] = field(default_factory=list)
    archived: bool = False
    _recorded: frozenset[BatchState] = frozenset()
    _staged_here: bool = False
    _begun: Batch | None = None
    """A batch that is being staged: nothing of it is durable yet."""
    _sources: list[SourceFile] = field(default_factory=list)

    def __post_init__(self) -> None:
        unfinished = self.facts.unfinished
        if unfinished is None:
            return
        self.manifest, self.staging_version = unfinished.manifest, unfinished.staging_version
        self._recorded = frozenset(event.state for event in unfinished.recorded)
        if unfinished.again:
            self._recorded -= {BatchState.MERGED}
        if unfinished.target is not None:
            manifest, version = unfinished.target
            self.merged = Merged(version, manifest.rows)
        elif unfinished.merged:
            events = (event for event in unfinished.recorded if event.state is BatchState.MERGED)
            event = next(events, None)  # the target's history no longer tells; the ledger may
            version = self.facts.target.version if self.facts.target else 0
            self.merged = Merged(event.target_version or 0, event.rows) if event else Merged(version, Rows())

    def run(self, plan: Plan, tasks: frozenset[Task]) -> None:
        """Run a plan of these tasks, one task at a time: what it left is observed, and what is still to be done is
        planned from that, as if a process of its own did each task. Raises LandfeedError when a step cannot go on;
        what is durable stays."""
        steps = plan.steps
        while steps:
            step, *left = steps
            self._run(step)
            later = _LATER.get(type(step))
            steps = tuple(left) if later is None else compile_plan(self.feed, self.facts, tasks & later).steps
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
            case WidenColumns():
                self.world.engine.widen(step)
            case Merge():
                with self._timed("merge"):
                    self._merge(step)
            case Archive():
                with self._timed("archive"):
                    manifest, _ = self._staged()
                    self._record_batch()
                    secure(self.feed, self.world.keeping, manifest)
                    self.moves = archive_files(self.feed, self.world.storage(self.feed), manifest)
                if self.moves.failed:
                    raise next(iter(self.moves.failed.values()))
                self._record_files()
                self.archived = True
                self._record_batch(BatchState.ARCHIVED)
            case _:
                assert_never(step)

    # Stage

    def _stage(self, step: Stage) -> None:
        self.world.ledger.write(step.feed.name)
        self.manifest = self.merged = None
        self._recorded, self._staged_here, self._begun = frozenset(), True, step.batch
        storage = self.world.storage(step.feed)
        loaded_at, started = self.world.clock(), time.perf_counter()
        with own_folder() as folder:
            before, engine = step.feed, self.world.engine
            step, pieces = opened(step, storage, folder, engine, self.facts.target)
            self._sources = [piece.source for piece in pieces]

            def seal(outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest:
                check_read(storage, step, pieces, outcomes)
                seconds, options = time.perf_counter() - started, read_options(step.feed, self.world.hide)
                manifest = Manifest.of(step.batch, loaded_at, outcomes, seconds, options, checked)
                added, picture = added_by(step.feed, before, outcomes), self._picture(step, manifest)
                changes = file_changes(step.feed, outcomes, self.facts.seen)
                changes += target_changes(with_added(self.feed, added), self.facts)
                told = replace(manifest, loaded_as=loaded_as(self.feed), picture=picture)
                return replace(told, changes=changes, added=added)

            try:
                staged = engine.stage(step, pieces, loaded_at, seal)
            except PolicyError as error:
                record_checks(self.world, step.feed, step.batch.id, error.checked)
                raise
        self.manifest, self.staging_version, self._begun = staged.manifest, staged.version, None
        self.facts = self.facts.staged(staged)

    def _picture(self, step: Stage, manifest: Manifest) -> str | None:
        """The newest snapshot that is applied when this batch is."""
        if step.feed.target.mode is not Mode.SNAPSHOT:
            return None
        before = self.facts.loaded.picture if self.facts.loaded is not None else None
        pictures = [picture(step.feed, outcome.file.landed) for outcome in manifest.loaded]
        return max([*pictures, *([before] if before else [])], default=None)

    # Merge

    def _merge(self, step: Merge) -> None:
        manifest, version = self._staged()
        if self.feed.schema_contract.missing_columns is MissingColumns.KEEP:
            step = replace(step, change=keeping(step.change, lacking(manifest)))
        step = replace(step, change=settled(step.change, manifest))
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
        if merged is not None:
            self.facts = self.facts.merged(manifest.merged(merged.rows), merged.version)

    def _staged(self) -> tuple[Manifest, int]:
        if self.manifest is None or self.staging_version is None:
            raise LandfeedError(f"feed {self.feed.name} has no staged batch")
        return self.manifest, self.staging_version

    # Ledger

    def _abandon(self, step: Abandon) -> None:
        self.manifest, self.merged = step.manifest, None
        self._record_batch(BatchState.ABANDONED, error=step.reason)
        self.manifest = None

    def fail(self, error: LandfeedError) -> None:
        """Record that the batch failed, also one that could not even be planned or of which nothing is staged. One that
        the target's constraints refuse is given up: the feed will be mended, and what is staged has not been read by
        its new rules."""
        if self.manifest is None:
            batch = self._begun or next_batch(self.feed, self.facts)
            if batch.files:
                record_refused(self.world, self.feed, batch, error.message)
        elif error.code == CONSTRAINT and self.merged is None:
            tables = (self.feed.quarantine.table, memory_table(self.feed))
            for table in (table for table in tables if table is not None):
                self.world.engine.discard(Discard(table, self.feed.name, self.manifest.batch_id))
            self._record_batch(BatchState.ABANDONED, error=error.message)
        else:
            self._record_batch(BatchState.FAILED, error=error.message)

    def _done(self) -> Done | None:
        if self.manifest is None:
            return None
        return Done(self.manifest, self.merged, self.moves, self.seconds)

    def _record_batch(self, last: BatchState | None = None, error: str | None = None) -> None:
        done = self._done()
        if done is not None:
            self._recorded = record_batch(self.world, self.feed, done, self._recorded, last, error)

    def _record_files(self) -> None:
        done = self._done()
        if done is not None:
            record_files(self.world, self.feed, done, from_here=self._staged_here)

    # Report

    @property
    def bytes_read(self) -> int:
        """How much of the batch's files the engine has read; asked from other threads."""
        return sum(source.bytes_read for source in self._sources)

    @contextmanager
    def _timed(self, task: str) -> Iterator[None]:
        started_at, started = self.world.clock(), time.perf_counter()
        try:
            yield
        finally:
            self.steps.append(StepReport(task, started_at, time.perf_counter() - started))
            self.seconds[task] = self.seconds.get(task, 0.0) + self.steps[-1].seconds

    @property
    def rows(self) -> Rows:
        if self.merged is not None:
            return self.merged.rows
        return self.manifest.rows if self.manifest is not None else Rows()

    def file_reports(self) -> Iterator[FileReport]:
        """How far each file of the batch came."""
        for outcome in self.manifest.outcomes if self.manifest else ():
            file, reason = outcome.file, self.moves.reasons.get(outcome.file, outcome.rejected)
            if file in self.moves.failed:
                reason = self.moves.failed[file].message
            if outcome.rejected is not None:
                status = "rejected"
            elif file in self.moves.moved:
                status = "archived"
            else:
                status = "merged" if self.merged is not None else "pending"
            moved_to = self.moves.moved.get(file)
            warnings = tuple(column_warnings(self.feed, [outcome.seen]))
            rows = outcome.rows.read
            yield FileReport(file.shown, status, rows, moved_to and shown(moved_to), reason, outcome.reasons, warnings)

    @property
    def changes(self) -> tuple[SchemaChange, ...]:
        """What is different in the batch's files and became different in the target."""
        return self.manifest.changes if self.manifest else ()

    @property
    def schema_lines(self) -> tuple[str, ...]:
        """As YAML, the columns that the batch's files have brought and the schema does not have."""
        new = (change.column for change in self.changes if change.kind == ChangeKind.NEW_COLUMN)
        told = {name for column in new for name in (column, column.partition(".")[0])}
        added = self.manifest.added if self.manifest else ()
        return tuple(column_line(e.name, e.type, e.source_name) for e in added if e.name in told)

    def warnings(self) -> Iterator[str]:
        """What the headers of the batch's files lack and bring, and which checks failed that only warn."""
        outcomes = self.manifest.outcomes if self.manifest else ()
        yield from column_warnings(self.feed, (outcome.seen for outcome in outcomes))
        yield from check_warnings(self.manifest.checks if self.manifest else ())

"""One feed's turn in a run: its lease, and batch after batch until nothing is pending."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from framework.batch import Checked
from framework.errors import Busy, LandfeedError, PolicyError, SetAside, SourceChanged, expected
from framework.feed import Feed
from framework.law.discovery import Listing
from framework.leases import Leases
from framework.names import Rows, SchemaChange, Status, shown
from framework.plan.compile import ALL_TASKS, Plan, Task, compile_plan
from framework.plan.execute import BatchWork
from framework.plan.observe import Facts, observe
from framework.plan.recording import record_changes
from framework.plan.tables import ignored
from framework.plan.targets import OTHERWISE, changed_keys
from framework.plan.world import World
from framework.report import FeedReport, FileReport, StepReport
from framework.runs.doing import doing
from framework.runs.landing import Waiting
from framework.runs.options import Options
from framework.runs.recording import Recording
from framework.steps import Stage

__all__ = ["FeedRun"]

_TURN = 2.0
"""Seconds of waiting for a lease after which it is asked whether the run is to stop."""
_WAITED = 0.5
"""Seconds of waiting for a lease after which another runner may have moved what was found in landing."""


@dataclass(slots=True)
class FeedRun:
    """One feed's turn: batches until there is nothing more to do, summed up in one report."""

    feed: Feed
    world: World
    leases: Leases
    options: Options
    landing: Waiting
    recording: Recording
    unfinished: bool
    """Whether there may be a batch of this feed that did not reach the archive and the ledger."""
    _files: list[FileReport] = field(default_factory=list)
    _rows: Rows = Rows()
    _seconds: dict[str, float] = field(default_factory=lambda: {task.value: 0.0 for task in Task})
    _batch_id: str | None = None
    _version: int | None = None
    _warnings: list[str] = field(default_factory=list)
    _changes: tuple[SchemaChange, ...] = ()
    _lines: tuple[str, ...] = ()
    _told: tuple[str, ...] = ()
    """What landing holds that is passed over and should be known of, at the last look."""
    _avoid: set[str] = field(default_factory=set)
    _aside: dict[str, str] = field(default_factory=dict)
    """Files that cannot be read now, by path, and why."""
    _unfinished_here: bool = False
    _steps: list[StepReport] = field(default_factory=list)
    _checks: list[Checked] = field(default_factory=list)

    def report(self) -> FeedReport:
        """What came of the feed's turn, and when it was."""
        started_at, started = self.world.clock(), time.perf_counter()
        report = self._worked()
        hints = _advice(self.feed, report) if report.reasons else ()
        return replace(report, hints=hints, started_at=started_at, took=time.perf_counter() - started)

    def _worked(self) -> FeedReport:
        try:
            if not self.unfinished and not self._pending():
                return self._summary(None)
            asked = time.monotonic()
            with self._lease():
                if time.monotonic() - asked > _WAITED:
                    self.landing.look_again(self.feed)
                while not self.options.stopping() and self._one_batch():
                    pass
                if self.options.stopping() and (left := len(self._listing().pending)):
                    self._warnings.append(f"the run was stopped; {left:,} file(s) stay pending")
        except Exception as error:
            return self._summary(expected(error))
        return self._summary(SetAside({shown(path): why for path, why in self._aside.items()}) if self._aside else None)

    @contextlib.contextmanager
    def _lease(self) -> Iterator[None]:
        """Hold the feed's lease; it is given back when the ledger is written."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._held())
            try:
                yield
            finally:
                self.recording.add(self.feed.name, stack.pop_all())

    def _held(self) -> contextlib.ExitStack:
        """Wait for the lease in short turns, so that a run that is to stop does not wait to its end."""
        deadline = time.monotonic() + self.options.wait
        while True:
            left = deadline - time.monotonic()
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(self.leases.hold(self.feed.name, max(0.0, min(left, _TURN))))
                except Busy:
                    if left <= _TURN or self.options.stopping():
                        raise
                    continue
                return stack.pop_all()

    def _pending(self) -> bool:
        """Whether landing holds anything. Without, only the ledger can know of unfinished work."""
        return bool(self._listing().pending)

    def _listing(self) -> Listing:
        listing = self.landing.listing(self.feed)
        self._told = listing.told
        listing = listing.without(lambda file: not self.options.ready(file), "may still be being written")
        listing = listing.without(lambda file: file.path in self._aside, "it cannot be read now")
        return listing.without(lambda file: file.path in self._avoid, "changed while it was being read")

    def _one_batch(self) -> bool:
        """Bring one batch forward; whether there may be more to do."""
        feed, world, tasks = self.feed, self.world, self.options.tasks
        listing = self._listing()
        if self._batch_id is not None and not self._unfinished_here and not listing.pending:
            return False
        self._mend()
        facts = observe(feed, world.storage(feed), world.ledger, world.engine, listing, world.keeping)
        notes = (*facts.notes, *ignored(feed, world.engine_name))
        self._warnings += (note for note in notes if note not in self._warnings)
        plan = self._planned(facts)
        if not plan.steps:
            return False
        work = BatchWork(world, feed, facts)
        self.options.on_feed(feed.name, partial(doing, plan, work))
        try:
            work.run(plan, tasks)
        except SourceChanged as error:
            self._changed(error)
            return True
        except SetAside as error:
            self._aside |= error.reasons
            self._files += (FileReport(shown(path), "failed", 0, reason=why) for path, why in error.reasons.items())
            return True
        except LandfeedError as error:
            error.hide(world.hide)
            work.fail(error)
            raise
        finally:
            self._add(work)
        staged = any(isinstance(step, Stage) for step in plan.steps)
        return tasks == ALL_TASKS or (Task.STAGE in tasks and not staged)

    def _planned(self, facts: Facts) -> Plan:
        try:
            return compile_plan(self.feed, facts, self.options.tasks)
        except LandfeedError as error:
            if error.code == OTHERWISE:
                record_changes(self.world, self.feed, "", changed_keys(self.feed, facts.loaded))
            error.hide(self.world.hide)
            BatchWork(self.world, self.feed, facts).fail(error)
            raise

    def _mend(self) -> None:
        """Take what a power cut has left half-written out of the feed's tables."""
        keeping, target = self.world.keeping, self.feed.target
        mended = [keeping.mend(table) for table in (target.table, self.feed.quarantine.table)]
        mended.append(keeping.mend(target.staging, data=False))  # its rows are not wanted any more once they are merged
        self._warnings += (sentence for sentence in mended if sentence is not None)

    def _changed(self, error: SourceChanged) -> None:
        self.landing.look_again(self.feed)
        storage = self.world.storage(self.feed)
        replaced = [path for path in error.paths if storage.head(path) is not None]
        self._avoid.update(replaced)
        if replaced:
            names = ", ".join(path.rsplit("/", 1)[-1] for path in replaced[:5])
            self._warnings.append(f"{names}: changed while being read, stays pending in its new version")

    def _add(self, work: BatchWork) -> None:
        self._files += work.file_reports()
        self._warnings += (warning for warning in work.warnings() if warning not in self._warnings)
        self._changes += work.changes
        self._lines += work.schema_lines
        self._unfinished_here = not work.archived
        self._rows += work.rows
        for task, seconds in work.seconds.items():
            self._seconds[task] += seconds
        self._steps += work.steps
        if work.manifest is not None:
            self._checks += work.manifest.checks
            self._batch_id = work.manifest.batch_id
            self.landing.worked_on(self.feed, work.manifest.batch.files)
        if work.merged is not None:
            self._version = work.merged.version

    def _summary(self, error: LandfeedError | None) -> FeedReport:
        if error is not None:
            error.hide(self.world.hide)
        if isinstance(error, PolicyError):
            self._checks += error.checked
        return FeedReport(
            self.feed.name,
            self._status(error),
            self._batch_id,
            self._rows,
            tuple(self._files),
            self.feed.target.table.name,
            self._version,
            self._seconds,
            (*self._warnings, *self._told),
            error.failure if error and not isinstance(error, Busy) else None,
            self._changes,
            tuple(dict.fromkeys(self._lines)),
            steps=tuple(self._steps),
            checks=tuple(self._checks),
        )

    def _status(self, error: LandfeedError | None) -> Status:
        match error:
            case Busy():
                return Status.BUSY
            case PolicyError():
                return Status.REJECTED
            case LandfeedError():
                return Status.FAILED
        if any(file.status == "rejected" and file.moved_to for file in self._files):
            return Status.REJECTED
        return Status.SUCCEEDED if self._batch_id else Status.NOTHING_TO_DO


def _advice(feed: Feed, report: FeedReport) -> tuple[str, ...]:
    with contextlib.suppress(Exception):  # the work is done, and what is missing is a hint
        from framework.infer import advice

        return advice(feed, report.reasons)
    return ()

"""Records of the quarantine are loaded once more, when the feed was mended: each once, whatever happens meanwhile.

Under the feed's lease, in this order; each step may be cut off, and the next call begins anew:

    an unfinished batch is finished → what earlier calls loaded is recorded, and what they left is removed → the records
    are judged, as files of their own, by tables of their own → those that are good are written as files below the
    archive → these are loaded, as a batch of archived files → their records are recorded as resolved

Beside the files stands a list of the records in them (`records.json`). A file counts as loaded when the ledger has it
as merged, which any run sees to; so its records are resolved, even if this process does not live to record it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engine import Where
from framework.errors import Busy, Conflict, LandfeedError, StorageError, expected
from framework.feed import ArchiveAction, Feed
from framework.law.deliveries import Delivery
from framework.law.quarantined import (
    AGAIN,
    BadFile,
    BadRecord,
    RecordId,
    as_file,
    is_sound,
    judging,
    not_again,
    reasons_of,
    resubmitted,
    text_again,
)
from framework.law.survivors import AllRows
from framework.leases import Leases
from framework.ledger import ResolvedEvent
from framework.machine import own_folder
from framework.names import File, FileState, Reason, Status, shown
from framework.opening import Compression, open_batch, packed
from framework.plan.world import World
from framework.report import FeedReport
from framework.runs.bad_records import Chosen, unresolved
from framework.runs.dropping import drop
from framework.runs.options import Options
from framework.runs.replay import Deliveries
from framework.runs.run import run_feeds
from framework.steps import Stage
from framework.storage import Storage

__all__ = ["Resolved", "replay_quarantined"]

_LIST = "records.json"
_MERGED = (FileState.MERGED, FileState.ARCHIVED)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of a feed's bad records: how many were loaded, how many are still bad, and why."""

    feed: str
    loaded: int = 0
    left: int = 0
    reasons: tuple[Reason, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"reasons": [asdict(reason) for reason in self.reasons]}


class _Held:
    """Leases of which this process holds the one that counts."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def hold(self, feed: str, wait_seconds: float) -> AbstractContextManager[None]:
        del feed, wait_seconds
        return nullcontext()

    def left(self) -> frozenset[str]:
        return self._leases.left()


def replay_quarantined(
    feeds: Sequence[Feed], world: World, leases: Leases, chosen: Chosen, options: Options, *, force: bool
) -> tuple[list[FeedReport], list[Resolved]]:
    """Load the records of the feeds' quarantines that the feeds accept now. Reports come in the order of `feeds`."""
    reports: list[FeedReport] = []
    resolved: list[Resolved] = []
    for feed in feeds:
        try:
            with leases.hold(feed.name, options.wait):
                report, found = _Again(feed, world, _Held(leases), options).run(chosen, force=force)
        except (Busy, Conflict):
            report, found = FeedReport(feed.name, Status.BUSY, table=feed.target.table.name), None
        except Exception as raised:
            error = expected(raised)
            error.hide(world.hide)
            report, found = (
                FeedReport(feed.name, Status.FAILED, table=feed.target.table.name, error=error.failure),
                None,
            )
        reports.append(report)
        resolved += [found] if found is not None else []
    return reports, resolved


@dataclass(frozen=True, slots=True)
class _Again:
    """One feed's records, while its lease is held."""

    feed: Feed
    world: World
    leases: Leases
    options: Options

    @property
    def storage(self) -> Storage:
        return self.world.storage(self.feed)

    @property
    def folder(self) -> str:
        return self.feed.archive.path + AGAIN

    def run(self, chosen: Chosen, *, force: bool) -> tuple[FeedReport, Resolved | None]:
        report = self._load(self.feed, ())
        if report.error is not None:
            return report, None
        self._settle()
        bad = unresolved(self.feed, self.world, chosen)
        if not bad:
            return report, Resolved(self.feed.name)
        why = not_again(self.feed, force=force)
        if why is not None:
            raise LandfeedError(f"feed {self.feed.name}: {why[0]}", why[1], code="replay")
        good, left = self._judged(bad)
        if not good:
            return report, Resolved(self.feed.name, 0, len(left), reasons_of(left))
        before = len(self.world.ledger.resolved(self.feed.name))
        finished = [f"batch {report.batch_id} was finished first"] if report.batch_id else []
        report = self._load(resubmitted(self.feed), self._written(good))
        if report.error is None:
            self._settle()
        loaded = len(self.world.ledger.resolved(self.feed.name)) - before
        report = replace(report, warnings=(*finished, *report.warnings))
        return report, Resolved(self.feed.name, loaded, len(left), reasons_of(left))

    def _load(self, feed: Feed, delivery: Sequence[Delivery]) -> FeedReport:
        """A run over these files alone, which finishes an unfinished batch first."""
        return run_feeds([feed], self.world, self.leases, self.options, Deliveries({feed.name: list(delivery)}))[0]

    # What was loaded before

    def _settle(self) -> None:
        """Record as resolved what has been loaded, and remove files that were not."""
        there = {shown(file.path): file for file in self._there()}
        lists = {path: _listed(self.storage, file) for path, file in there.items() if path.endswith(f"/{_LIST}")}
        files = [path for listed in lists.values() for path in listed["records"]]
        events = self.world.ledger.file_events(feeds=[self.feed.name], files=files, states=_MERGED) if files else ()
        merged = {event.file: event.batch_id for event in events}
        done = self.world.ledger.resolved(self.feed.name)
        keep: set[str] = set()
        for path, listed in lists.items():
            loaded_in = {**listed["loaded_in"], **{file: merged[file] for file in listed["records"] if file in merged}}
            if loaded_in:
                keep |= {path, *(loaded_in if self.feed.archive.on_success is not ArchiveAction.DELETE else ())}
                self.world.ledger.record_resolved(self._events(listed["records"], loaded_in, done))
            if loaded_in != listed["loaded_in"]:
                self.storage.write(path, json.dumps(listed | {"loaded_in": loaded_in}).encode())
        for path, file in there.items():
            if path not in keep:
                self.storage.delete(file)

    def _there(self) -> Iterator[File]:
        try:
            yield from self.storage.list(self.folder, recursive=True)
        except StorageError as error:
            if error.code != "missing_folder":
                raise

    def _events(
        self, records: Mapping[str, Any], loaded_in: Mapping[str, str], done: set[tuple[str, str, int]]
    ) -> Iterator[ResolvedEvent]:
        at, run, feed = self.world.clock(), self.world.run_id, self.feed.name
        for path, batch in loaded_in.items():
            for batch_id, file, line in records[path]:
                if (batch_id, file, line) not in done:
                    yield ResolvedEvent(at, run, feed, batch_id, file, line, batch)

    # Which are good

    def _judged(self, bad: Sequence[BadFile]) -> tuple[list[BadFile], list[BadRecord]]:
        """The files with their good records only, and the records that are still bad, as they are today."""
        alone = resubmitted(self.feed)
        tried: list[BadFile] = []
        left: list[BadRecord] = []
        for file in bad:
            texts = [text_again(self.feed, record, file.encoding) for record in file.records]
            pairs = [
                (record, text if text is not None and is_sound(alone, file.header, text) else None)
                for record, text in zip(file.records, texts, strict=True)
            ]
            left += [record for record, text in pairs if text is None]
            sound = tuple(replace(record, text=text) for record, text in pairs if text is not None)
            tried += [replace(file, records=sound)] if sound else []
        judged = self._still_bad(tried) if tried else {}
        good = [replace(file, records=tuple(r for r in file.records if r.id not in judged)) for file in tried]
        left += [replace(r, reasons=judged[r.id]) for file in tried for r in file.records if r.id in judged]
        return [file for file in good if file.records], left

    def _still_bad(self, tried: Sequence[BadFile]) -> dict[RecordId, tuple[Reason, ...]]:
        """The records that the feed refuses, and why."""
        feed, engine, at = judging(self.feed), self.world.engine, self.world.clock()
        tables = (feed.target.staging, feed.quarantine.table)
        drop(self.world, feed, tables)
        files, ids = self._files(tried, f"{self.folder}judged/")
        seqs = (state.seq or 0 for table in tables if (state := engine.state(table, feed.name)) is not None)
        batch = Batch(feed.name, max(seqs, default=0) + 1, files)

        def seal(outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest:
            return Manifest.of(batch, at, outcomes, 0.0, checks=checked)

        with own_folder() as folder:
            pieces = open_batch(feed, files, self.storage, folder, engine)
            staged = engine.stage(Stage(feed, batch, AllRows()), pieces, at, seal)
        found: dict[RecordId, tuple[Reason, ...]] = {}
        for outcome in staged.manifest.rejected:
            why = Reason("rejected", None, 1, None, None, outcome.rejected or "")
            found |= dict.fromkeys(ids[outcome.file.shown].values(), (why,))
        most, where = sum(map(len, ids.values())), Where(f"_batch_id = '{batch.id}'")
        bad = engine.preview(feed.quarantine.table, most, where=where)
        for row in bad.rows if bad is not None else ():
            record = BadRecord.of(dict(zip(bad.columns if bad is not None else (), row, strict=True)))
            found[ids[record.id.file][record.id.line]] = record.reasons
        drop(self.world, feed, tables)
        return found

    # As files

    def _files(self, bad: Sequence[BadFile], folder: str) -> tuple[tuple[File, ...], dict[str, dict[int, RecordId]]]:
        """Write the records, a file for each that they came in; which record is at which line of which."""
        alone, files = resubmitted(self.feed), []
        ids: dict[str, dict[int, RecordId]] = {}
        for each in bad:
            content, lines = as_file(alone, each.header or (), [record.text for record in each.records])
            path = f"{folder}{each.batch_id}/{each.name}"
            self.storage.write(path, packed(content, Compression.of(each.name)))
            file = self.storage.head(path)
            assert file is not None  # noqa: S101 (it was written, and the feed's lease is held)
            files.append(replace(file, name=each.name))
            ids[file.shown] = dict(zip(lines, (record.id for record in each.records), strict=True))
        return tuple(files), ids

    def _written(self, good: Sequence[BadFile]) -> list[Delivery]:
        """The files of the good records, as a delivery. The list of the records is written before them: files without
        one are removed."""
        now = self.world.clock()
        told = [asdict(record.id) for file in good for record in file.records]
        identity = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
        folder = f"{self.folder}{now:%Y-%m-%d}/{identity}/"
        records = {
            shown(f"{folder}{each.batch_id}/{each.name}"): [list(asdict(record.id).values()) for record in each.records]
            for each in good
        }
        self.storage.write(folder + _LIST, json.dumps({"records": records, "loaded_in": {}}).encode())
        files, _ = self._files(good, folder)
        return [Delivery(identity, now, files)]


def _listed(storage: Storage, file: File) -> dict[str, Any]:
    """The records by their files, and the batches that files are known to have been loaded in."""
    with storage.open(file) as stream:
        try:
            found = json.loads(stream.read())
        except ValueError:  # written in part
            return {"records": {}, "loaded_in": {}}
    return {name: found.get(name, {}) for name in ("records", "loaded_in")}

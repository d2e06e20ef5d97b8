"""Observe: the only reader of the world before the plan. Looks at landing, tables and ledger; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from framework.batch import Manifest
from framework.engine import Engine, TableState
from framework.errors import Failure, LandfeedError
from framework.feed import Feed
from framework.keeping import Keeping, Kept
from framework.law.discovery import Listing
from framework.law.manifests import mistrust
from framework.ledger import BatchEvent, Ledger
from framework.names import BatchState, File
from framework.storage import Storage

__all__ = ["Facts", "Unfinished", "observe"]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A batch that is staged and not yet archived. `changed` are its files that are no longer in
    landing as they were read; `target` is the target commit's manifest and version, once merged; `held` says that the
    target has the batch's transaction, `broken` why what was staged cannot be merged."""

    manifest: Manifest
    staging_version: int
    changed: tuple[File, ...]
    target: tuple[Manifest, int] | None
    recorded: tuple[BatchEvent, ...]
    held: bool = False
    broken: str | None = None

    @property
    def merged(self) -> bool:
        """Whether the target holds the batch; what the ledger says of it counts for nothing."""
        return self.target is not None or self.held

    @property
    def again(self) -> bool:
        """Whether the target has lost the batch, which was merged once."""
        return not self.merged and any(event.state is BatchState.MERGED for event in self.recorded)

    @property
    def void(self) -> bool:
        """Whether the batch is not to be finished: its files are others now, or staging has lost its rows."""
        return not self.merged and (self.broken is not None or bool(self.changed and not self.again))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan for one feed needs to know.

    `listing` is what landing holds; `orphan` a batch whose quarantine commit is there while its
    staging commit is not (the process died in between); `last_seq` the number of the last batch;
    `unwritable` why the engine cannot write one of the feed's tables; `lost` what a table no longer holds;
    `doubled` a batch that was merged and then lost from staging, whose bad rows would come again; `notes` what is
    to be known besides.
    """

    listing: Listing
    target: TableState | None
    last_seq: int
    unfinished: Unfinished | None
    orphan: Manifest | None
    unwritable: Failure | None = None
    lost: Failure | None = None
    doubled: Manifest | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Last:
    """The batch that staging holds, and how far the three tables and the ledger say that it came."""

    manifest: Manifest
    version: int
    recorded: tuple[BatchEvent, ...]
    seqs: _Seqs

    @property
    def closed(self) -> bool:
        return bool(self.states & _CLOSED)

    @property
    def states(self) -> frozenset[BatchState]:
        return frozenset(event.state for event in self.recorded)

    @property
    def lacks_bad_rows(self) -> bool:
        """Whether the quarantine has lost the batch's bad rows."""
        return bool(self.manifest.rows.quarantined) and self.seqs.quarantine < self.manifest.batch.seq


@dataclass(frozen=True, slots=True)
class _Seqs:
    """The numbers of the last batches in the feed's tables, 0 for none."""

    staging: int
    target: int
    quarantine: int


_CLOSED = frozenset({BatchState.ARCHIVED, BatchState.ABANDONED})


def observe(
    feed: Feed, storage: Storage, ledger: Ledger, engine: Engine, listing: Listing, keeping: Keeping | None = None
) -> Facts:
    """The facts about one feed, given what its landing folder holds."""
    keeping = keeping or Kept()
    staging = engine.state(feed.target.staging, feed.name)
    target = engine.state(feed.target.table, feed.name)
    quarantine = engine.state(feed.quarantine.table, feed.name)
    seqs = _Seqs(*(state.seq or 0 if state else 0 for state in (staging, target, quarantine)))
    last = _last(feed, ledger, engine, seqs)
    unfinished = None
    if last is not None and not last.closed:
        unfinished = _unfinished(feed, storage, engine, listing, last, keeping)
    orphan = doubled = None
    if seqs.quarantine > seqs.staging:
        found = engine.manifest(feed.quarantine.table, feed.name, seqs.quarantine)
        alone = _trusted(feed, found[0]) if found else None
        orphan = alone if seqs.quarantine > seqs.target else None
        doubled = alone if seqs.quarantine == seqs.target and _is_open(ledger, alone) else None
    refusals = (state.unwritable for state in (target, staging, quarantine) if state is not None)
    unwritable = next((refusal for refusal in refusals if refusal is not None), None)
    lost = _lost(feed, ledger, last, target) if last is not None else None
    if unfinished is not None and unfinished.again and unfinished.void and unfinished.changed:
        lost = _gone(
            feed, f"table {feed.target.table} has lost batch {unfinished.manifest.batch_id}, and so has staging"
        )
    notes = tuple(_notes(feed, last, unfinished)) if last is not None else ()
    newest = max(seqs.staging, seqs.target, seqs.quarantine)
    return Facts(listing, target, newest, unfinished, orphan, unwritable, lost, doubled, notes)


def _last(feed: Feed, ledger: Ledger, engine: Engine, seqs: _Seqs) -> _Last | None:
    found = engine.manifest(feed.target.staging, feed.name, seqs.staging) if seqs.staging else None
    if found is None:
        return None
    manifest, version = _trusted(feed, found[0]), found[1]
    recorded = tuple(ledger.batch_events(feeds=[feed.name], batch_ids=[manifest.batch_id]))
    return _Last(manifest, version, recorded, seqs)


def _unfinished(
    feed: Feed, storage: Storage, engine: Engine, listing: Listing, last: _Last, keeping: Keeping
) -> Unfinished:
    manifest, held = last.manifest, last.seqs.target >= last.seqs.staging
    target = engine.manifest(feed.target.table, feed.name, manifest.batch.seq) if held else None
    if held:
        return Unfinished(manifest, last.version, (), target, last.recorded, held)
    changed = _changed(storage, listing, (outcome.file for outcome in manifest.outcomes))
    broken = keeping.damage(feed.target.staging)
    if broken is None and last.lacks_bad_rows:
        broken = f"table {feed.quarantine.table} has lost the batch's bad rows"
    return Unfinished(manifest, last.version, changed, target, last.recorded, held, broken)


def _is_open(ledger: Ledger, manifest: Manifest | None) -> bool:
    if manifest is None:
        return False
    return not any(event.state in _CLOSED for event in ledger.batch_events(batch_ids=[manifest.batch_id]))


def _lost(feed: Feed, ledger: Ledger, last: _Last, target: TableState | None) -> Failure | None:
    """What was loaded and is no longer in the tables, if that cannot be made good from what is in landing."""
    batch, table = last.manifest.batch, feed.target.table
    if last.seqs.target >= batch.seq:
        if not last.closed and last.lacks_bad_rows:
            return _gone(feed, f"table {feed.quarantine.table} does not hold the bad rows of batch {batch.id}")
        return None
    if BatchState.ARCHIVED in last.states:
        return _gone(feed, f"table {table} does not hold batch {batch.id}, which was merged and archived")
    if BatchState.MERGED in last.states and target is None:
        before = (event.batch_id for event in ledger.batch_events(feeds=[feed.name]) if event.state in _MERGED)
        if any(batch_id != batch.id for batch_id in before):
            return _gone(feed, f"table {table} is gone, and with it batches whose files are in the archive")
    return None


_MERGED = (BatchState.MERGED, BatchState.ARCHIVED)


def _gone(feed: Feed, what: str) -> Failure:
    return Failure(
        "table_lost",
        f"feed {feed.name}: {what}: commits of it are gone, or an older copy was put back",
        "put the table back from a backup and run again. Or go on with what is there: delete the table "
        f"{feed.target.staging}, and move the files that are to be loaded again from {feed.archive.path} into landing",
    )


def _notes(feed: Feed, last: _Last, unfinished: Unfinished | None) -> Iterator[str]:
    batch, rows = last.manifest.batch, last.manifest.rows
    if unfinished is not None and unfinished.again and not unfinished.void:
        yield f"table {feed.target.table} had lost batch {batch.id}, which is merged again; look what else it lacks"
    if unfinished is not None and unfinished.broken is not None:
        yield f"batch {batch.id} is staged again: {unfinished.broken}"
    if last.closed and BatchState.ABANDONED not in last.states and last.lacks_bad_rows:
        yield f"table {feed.quarantine.table} has lost the {rows.quarantined} bad rows of batch {batch.id}"


def _trusted(feed: Feed, manifest: Manifest) -> Manifest:
    """The manifest, as what it says is about to be done to files. Raises LandfeedError when it is not ours."""
    if (reason := mistrust(feed, manifest)) is not None:
        raise LandfeedError(
            f"feed {feed.name}: the unfinished batch {manifest.batch_id[:60]!r} was not written by this feed: {reason}",
            "was source.path changed? finish the batch with the old one; else look who writes to the tables, and "
            f"delete {feed.target.staging}: files in landing are loaded again",
            code="manifest",
        )
    return manifest


def _changed(storage: Storage, listing: Listing, files: Iterable[File]) -> tuple[File, ...]:
    """Those of the files that are no longer there as they were; the storage is asked about what was not listed."""
    there = {file.identity for file in (*listing.pending, *(skipped.file for skipped in listing.skipped))}
    now = ((file, storage.head(file.path)) for file in files if file.identity not in there)
    return tuple(file for file, head in now if head is None or head.identity != file.identity)

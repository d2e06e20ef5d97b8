"""Observe: the only reader of the world before the plan. Looks at landing, tables and ledger; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from framework.batch import Manifest, Seen
from framework.engine import Engine, Staged, TableState
from framework.errors import Failure, LandfeedError
from framework.feed import Feed
from framework.keeping import Keeping, Kept
from framework.law.discovery import Listing
from framework.law.manifests import mistrust
from framework.law.modes import memory_table
from framework.law.references import references
from framework.ledger import BatchEvent, Ledger
from framework.names import Added, BatchState, File
from framework.storage import Storage

__all__ = ["Facts", "Unfinished", "observe"]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A batch that is staged and not yet archived. `columns` are those of staging (name, type); `changed` are the
    batch's files that are no longer in landing as they were read; `target` is the target commit's manifest and
    version, once merged; `held` says that the target has the batch's transaction, `broken` what was lost of the batch,
    so that it has to be staged again."""

    manifest: Manifest
    staging_version: int
    columns: tuple[tuple[str, str], ...]
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


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan for one feed needs to know.

    `listing` is what landing holds; `orphan` a batch whose quarantine commit is there while its
    staging commit is not (the process died in between); `last_seq` the number of the last batch;
    `unwritable` why the engine cannot write one of the feed's tables; `header` that of the file that was loaded
    last (empty where it had none or it is not known), `seen` what that file was seen to be; `lost` says what a table
    no longer holds, `doubled` is a batch that was merged and then lost from staging, whose bad rows would come again;
    `notes` is what is to be known besides; `memory` is the table beside the target that holds what it does not show,
    None for a feed that needs none; `loaded` the manifest of the last batch in the target; `brought` are columns that
    pending files are known to add; `referred` are the columns (name, type) of other tables into which checks look, by
    the names of those that there are.
    """

    listing: Listing
    target: TableState | None
    last_seq: int
    unfinished: Unfinished | None
    orphan: Manifest | None
    unwritable: Failure | None = None
    header: tuple[str, ...] = ()
    lost: Failure | None = None
    doubled: Manifest | None = None
    notes: tuple[str, ...] = ()
    memory: TableState | None = None
    loaded: Manifest | None = None
    seen: Seen | None = None
    brought: tuple[Added, ...] = ()
    referred: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def staged(self, staged: Staged) -> Facts:
        """What is so once a batch has been staged."""
        unfinished = Unfinished(staged.manifest, staged.version, staged.columns, (), None, ())
        return replace(self, last_seq=staged.manifest.batch.seq, unfinished=unfinished, orphan=None, doubled=None)

    def merged(self, manifest: Manifest, version: int) -> Facts:
        """What is so once the unfinished batch is in the target, at a version."""
        assert self.unfinished is not None  # noqa: S101 (what is merged was staged)
        return replace(self, unfinished=replace(self.unfinished, target=(manifest, version)))


@dataclass(frozen=True, slots=True)
class _Last:
    """The batch that staging holds, how far the ledger says that it came (None = to its end), and the numbers of the
    last batches in the tables."""

    manifest: Manifest
    version: int
    recorded: tuple[BatchEvent, ...] | None
    seqs: _Seqs

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


def observe(
    feed: Feed, storage: Storage, ledger: Ledger, engine: Engine, listing: Listing, keeping: Keeping | None = None
) -> Facts:
    """The facts about one feed, given what its landing folder holds."""
    keeping = keeping or Kept()
    staging = engine.state(feed.target.staging, feed.name)
    target = engine.state(feed.target.table, feed.name)
    quarantine = engine.state(feed.quarantine.table, feed.name)
    seqs = _Seqs(*(state.seq or 0 if state else 0 for state in (staging, target, quarantine)))
    found = engine.manifest(feed.target.staging, feed.name, seqs.staging) if seqs.staging else None
    last = _last(feed, ledger, found, seqs) if found else None
    unfinished = None
    if last is not None and last.recorded is not None and staging is not None:
        unfinished = _unfinished(feed, storage, engine, listing, last, keeping)
        unfinished = replace(unfinished, columns=staging.columns)
    orphan, doubled = _alone(feed, ledger, engine, seqs)
    loaded = _with_files(feed, engine, last.manifest) if last else []
    beside = memory_table(feed)
    memory = engine.state(beside, feed.name) if beside is not None else None
    refusals = (state.unwritable for state in (target, staging, quarantine, memory) if state is not None)
    unwritable = next((refusal for refusal in refusals if refusal is not None), None)
    return Facts(
        listing,
        target,
        max(seqs.staging, seqs.target, seqs.quarantine),
        unfinished,
        orphan,
        unwritable,
        header=_header(loaded),
        seen=next((manifest.loaded[-1].seen for manifest in loaded if manifest.loaded), None),
        lost=_lost(feed, ledger, engine, last, unfinished) if last else None,
        doubled=doubled,
        notes=tuple(_notes(feed, last, unfinished)) if last else (),
        memory=memory,
        loaded=_loaded(feed, engine, last.manifest if last else None, seqs.target),
        referred=_referred(feed, engine),
    )


def _referred(feed: Feed, engine: Engine) -> dict[str, tuple[tuple[str, str], ...]]:
    """The columns of the tables into which the feed's checks look."""
    tables = {reference.table for _, reference in references(feed)}
    states = ((table, engine.state(table, feed.name)) for table in tables)
    return {table.name: state.columns for table, state in states if state is not None}


def _loaded(feed: Feed, engine: Engine, last: Manifest | None, merged: int) -> Manifest | None:
    """The manifest of the last batch in the target, which is nearly always the one that was staged last."""
    if last is not None and last.batch.seq == merged:
        return last
    found = engine.manifest(feed.target.table, feed.name, merged) if merged else None
    return found[0] if found else None


def _alone(feed: Feed, ledger: Ledger, engine: Engine, seqs: _Seqs) -> tuple[Manifest | None, Manifest | None]:
    """A batch that the quarantine has and staging has not: as an orphan, or as doubled, if it was merged."""
    found = None
    if seqs.quarantine > seqs.staging and seqs.quarantine >= seqs.target:
        found = engine.manifest(feed.quarantine.table, feed.name, seqs.quarantine)
    if found is None:
        return None, None
    manifest = _trusted(feed, found[0])
    if seqs.quarantine > seqs.target:
        return manifest, None
    return None, manifest if ledger.unfinished(feed.name, manifest.batch_id) is not None else None


def _with_files(feed: Feed, engine: Engine, last: Manifest) -> list[Manifest]:
    """The last batch; where it loaded no file those that staging's history has, newest first."""
    return [last] if last.loaded else engine.manifests(feed.target.staging, feed.name)


def _header(loaded: Sequence[Manifest]) -> tuple[str, ...]:
    """The header of the file that was loaded last."""
    for manifest in loaded:
        for outcome in reversed(manifest.loaded):
            if outcome.seen.header:
                return outcome.seen.header
    return ()


def _last(feed: Feed, ledger: Ledger, found: tuple[Manifest, int], seqs: _Seqs) -> _Last:
    recorded = ledger.unfinished(feed.name, found[0].batch_id)
    manifest = found[0] if recorded is None else _trusted(feed, found[0])
    return _Last(manifest, found[1], None if recorded is None else tuple(recorded), seqs)


def _unfinished(
    feed: Feed, storage: Storage, engine: Engine, listing: Listing, last: _Last, keeping: Keeping
) -> Unfinished:
    manifest, seqs, recorded = last.manifest, last.seqs, last.recorded or ()
    held, broken = seqs.target >= seqs.staging, None
    target = engine.manifest(feed.target.table, feed.name, seqs.staging) if held else None
    if last.lacks_bad_rows:
        broken = f"table {feed.quarantine.table} has lost the batch's bad rows"
    elif not held:
        broken = keeping.damage(feed.target.staging)
    there = held and broken is None
    changed = () if there else _changed(storage, listing, manifest.batch.files)
    return Unfinished(manifest, last.version, (), changed, target, recorded, held, broken)


def _lost(feed: Feed, ledger: Ledger, engine: Engine, last: _Last, unfinished: Unfinished | None) -> Failure | None:
    """What was loaded and is no longer in the tables, if that cannot be made good from what is in landing."""
    batch_id, table = last.manifest.batch_id, feed.target.table
    if unfinished is not None and unfinished.broken and unfinished.changed and (unfinished.merged or unfinished.again):
        return _gone(feed, f"batch {batch_id}, whose files are not in landing any more: {unfinished.broken}")
    if last.seqs.target >= last.seqs.staging:
        return None
    if last.recorded is None:
        events = ledger.batch_events(feeds=[feed.name], batch_ids=[batch_id])
        if any(event.state is BatchState.ARCHIVED for event in events):
            return _gone(feed, f"table {table} does not hold batch {batch_id}, which was merged and archived")
    elif last.seqs.target < last.seqs.staging - 1:
        events = ledger.batch_events(feeds=[feed.name])
        archived = {event.batch_id for event in events if event.state is BatchState.ARCHIVED}
        for before in engine.manifests(feed.target.staging, feed.name):
            if last.seqs.target < before.batch.seq and before.batch_id in archived:
                return _gone(feed, f"table {table} does not hold batch {before.batch_id}, which is in the archive")
    return None


def _gone(feed: Feed, what: str) -> Failure:
    return Failure(
        "table_lost",
        f"feed {feed.name}: {what}",
        "commits are gone, or an older copy was put back: put the table back from a backup and run again. Or go on "
        f"with what is there: delete the table {feed.target.staging}, and move the files that are to be loaded again "
        f"from {feed.archive.path} into landing",
    )


def _notes(feed: Feed, last: _Last, unfinished: Unfinished | None) -> Iterator[str]:
    batch_id, rows = last.manifest.batch_id, last.manifest.rows
    if unfinished is None:
        if last.lacks_bad_rows and last.seqs.target >= last.seqs.staging:
            yield f"table {feed.quarantine.table} has lost the {rows.quarantined} bad rows of batch {batch_id}"
    elif unfinished.broken is not None:
        yield f"batch {batch_id} is staged again: {unfinished.broken}"
    elif unfinished.again:
        yield f"table {feed.target.table} had lost batch {batch_id}, which is merged again; look what else it lacks"


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

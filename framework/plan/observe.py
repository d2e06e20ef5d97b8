"""Observe: the only reader of the world before the plan. Looks at landing, tables and ledger; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from framework.batch import Manifest
from framework.engine import Engine, TableState
from framework.errors import Failure, LandfeedError
from framework.feed import Feed
from framework.law.discovery import Listing
from framework.law.manifests import mistrust
from framework.law.modes import memory_table
from framework.ledger import BatchEvent, Ledger
from framework.names import BatchState, File
from framework.storage import Storage

__all__ = ["Facts", "Unfinished", "observe"]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A batch that is staged and not yet archived. `changed` are its files that are no longer in
    landing as they were read; `target` is the target commit's manifest and version, once merged."""

    manifest: Manifest
    staging_version: int
    changed: tuple[File, ...]
    target: tuple[Manifest, int] | None
    recorded: tuple[BatchEvent, ...]

    @property
    def merged(self) -> bool:
        return self.target is not None or any(event.state is BatchState.MERGED for event in self.recorded)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan for one feed needs to know.

    `listing` is what landing holds; `orphan` a batch whose quarantine commit is there while its
    staging commit is not (the process died in between); `last_seq` the number of the last batch;
    `unwritable` why the engine cannot write one of the feed's tables; `header` that of the file that was loaded
    last (empty where it had none or it is not known); `memory` the table beside the target that holds what it
    does not show, None for a feed that needs none; `loaded` the manifest of the last batch in the target.
    """

    listing: Listing
    target: TableState | None
    last_seq: int
    unfinished: Unfinished | None
    orphan: Manifest | None
    unwritable: Failure | None = None
    header: tuple[str, ...] = ()
    memory: TableState | None = None
    loaded: Manifest | None = None


def observe(feed: Feed, storage: Storage, ledger: Ledger, engine: Engine, listing: Listing) -> Facts:
    """The facts about one feed, given what its landing folder holds."""
    staging = engine.state(feed.target.staging, feed.name)
    target = engine.state(feed.target.table, feed.name)
    quarantine = engine.state(feed.quarantine.table, feed.name)
    staged, merged, quarantined = (state.seq or 0 if state else 0 for state in (staging, target, quarantine))
    last = engine.manifest(feed.target.staging, feed.name, staged) if staged else None
    unfinished = _unfinished(feed, storage, ledger, engine, listing, last, merged) if last else None
    orphan = None
    if quarantined > max(staged, merged):
        found = engine.manifest(feed.quarantine.table, feed.name, quarantined)
        orphan = _trusted(feed, found[0]) if found else None
    beside = memory_table(feed)
    memory = engine.state(beside, feed.name) if beside is not None else None
    refusals = (state.unwritable for state in (target, staging, quarantine, memory) if state is not None)
    unwritable = next((refusal for refusal in refusals if refusal is not None), None)
    last_seq = max(staged, merged, quarantined)
    header = _header(feed, engine, last[0]) if last else ()
    return Facts(
        listing, target, last_seq, unfinished, orphan, unwritable, header, memory, _loaded(feed, engine, last, merged)
    )


def _loaded(feed: Feed, engine: Engine, last: tuple[Manifest, int] | None, merged: int) -> Manifest | None:
    """The manifest of the last batch in the target, which is nearly always the one that was staged last."""
    if last is not None and last[0].batch.seq == merged:
        return last[0]
    found = engine.manifest(feed.target.table, feed.name, merged) if merged else None
    return found[0] if found else None


def _header(feed: Feed, engine: Engine, last: Manifest) -> tuple[str, ...]:
    """The header of the file that was loaded last; of an earlier batch where the last one loaded none."""
    for manifest in [last] if last.loaded else engine.manifests(feed.target.staging, feed.name):
        for outcome in reversed(manifest.loaded):
            if outcome.seen.header:
                return outcome.seen.header
    return ()


def _unfinished(
    feed: Feed,
    storage: Storage,
    ledger: Ledger,
    engine: Engine,
    listing: Listing,
    found: tuple[Manifest, int],
    merged: int,
) -> Unfinished | None:
    manifest, version = _trusted(feed, found[0]), found[1]
    staged = manifest.batch.seq
    recorded = ledger.unfinished(feed.name, manifest.batch_id)
    if recorded is None:
        return None
    target = engine.manifest(feed.target.table, feed.name, staged) if merged >= staged else None
    changed = () if target else _changed(storage, listing, (outcome.file for outcome in manifest.outcomes))
    return Unfinished(manifest, version, changed, target, tuple(recorded))


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

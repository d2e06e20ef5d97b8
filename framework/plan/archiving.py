"""Archiving: the files of a merged batch leave landing, each as its feed says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from framework.batch import FileOutcome, Manifest
from framework.errors import LandfeedError, StorageError
from framework.feed import ArchiveAction, Feed
from framework.keeping import Keeping
from framework.law.deliveries import in_archive
from framework.law.ready import beside
from framework.machine import side_by_side
from framework.names import File
from framework.storage import Storage

__all__ = ["Moves", "archive_files", "archive_folder", "secure"]

_MOVES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Moves:
    """What became of the files of a batch: where those that are done with went (None = nowhere), why a file was
    rejected or stayed, and which could not be moved."""

    moved: Mapping[File, str | None] = field(default_factory=dict)
    reasons: Mapping[File, str] = field(default_factory=dict)
    failed: Mapping[File, StorageError] = field(default_factory=dict)


def archive_folder(root: str, manifest: Manifest) -> str:
    """`<root>/<yyyy-mm-dd>/<batch id>/`: a folder of its own for each batch, so nothing collides."""
    return f"{root}{manifest.staged_at:%Y-%m-%d}/{manifest.batch_id}/"


def secure(feed: Feed, keeping: Keeping, manifest: Manifest) -> None:
    """See to it that the target holds the batch, in files that can be read and that a power cut would not take: then
    its files may leave landing. Raises LandfeedError."""
    seq, tables = manifest.batch.seq, [feed.target.table]
    tables += [feed.quarantine.table] if manifest.rows.quarantined else []
    for table in tables:
        if (why := keeping.damage(table)) is not None:
            raise LandfeedError(
                f"feed {feed.name}: {why}",
                "put the file back from a backup, or restore the table to an earlier version and delete "
                f"{feed.target.staging}: the files of this batch stay in landing and are loaded again",
                code="table_damaged",
            )
        keeping.secure(table, feed.name, seq)
    keeping.secure(feed.target.staging, feed.name, seq, data=False)


def archive_files(feed: Feed, storage: Storage, manifest: Manifest) -> Moves:
    """Move every file that can be moved; one that cannot stops no other."""
    landed: dict[File, list[FileOutcome]] = {}
    for outcome in manifest.outcomes:
        landed.setdefault(outcome.file.landed, []).append(outcome)
    moved: dict[File, str | None] = {}
    reasons: dict[File, str] = {}
    failed: dict[File, StorageError] = {}
    results = side_by_side(
        lambda item: _archive_file(feed, storage, manifest, *item), list(landed.items()), _MOVES_AT_ONCE
    )
    for file, result in zip(landed, results, strict=True):
        match result:
            case StorageError():
                failed[file] = result
            case moved_to, reason:
                moved[file] = moved_to
                if reason is not None:
                    reasons[file] = reason
    for file, archived in _grown(storage, moved):
        moved[file], reasons[file] = _back_again(storage, file, archived)
    return _with_members(feed, manifest, Moves(moved, reasons, failed))


def _with_members(feed: Feed, manifest: Manifest, moves: Moves) -> Moves:
    """What became of an archive is what became of its members; the rejected ones of one that is not lie, with the
    archive's copy, where rejected files do."""
    moved, reasons, failed = dict(moves.moved), dict(moves.reasons), dict(moves.failed)
    for outcome in manifest.outcomes:
        file, landed = outcome.file, outcome.file.landed
        if file is landed:
            continue
        if landed in failed:
            failed[file] = failed[landed]
            continue
        moved[file] = moved[landed]
        reason = outcome.rejected or reasons.get(landed)
        if reason is not None:
            reasons[file] = reason
        if outcome.rejected is not None and not in_archive(feed, landed):
            moved[file] = _destination(feed, manifest, landed, rejected=True)
    return Moves(moved, reasons, failed)


def _destination(feed: Feed, manifest: Manifest, file: File, *, rejected: bool) -> str:
    root = feed.archive.rejected_path if rejected else feed.archive.path
    return archive_folder(root, manifest) + file.name


def _grown(storage: Storage, moved: Mapping[File, str | None]) -> list[tuple[File, File]]:
    """Files that are larger in the archive than they were read, with what stands there: somebody had them open, and
    went on writing. Objects in buckets do not change."""
    gone = ((file, to) for file, to in moved.items() if to not in (None, file.path) and "://" not in (to or ""))
    heads = ((file, storage.head(to or "")) for file, to in gone)
    return [(file, head) for file, head in heads if head is not None and head.size > file.size]


def _back_again(storage: Storage, file: File, archived: File) -> tuple[str | None, str]:
    """Give a file that has grown its own name in landing again; where it then is in the archive, and what is said."""
    grew = f"it grew from {file.size:,} to {archived.size:,} bytes after it was read"
    try:
        back = storage.move(archived, file.path)
    except StorageError:
        back = False
    if back:
        return None, f"{grew}; it is back in landing, and pending"
    return archived.path, f"{grew}, and cannot go back to landing: copy it there when it is complete"


def _archive_file(
    feed: Feed, storage: Storage, manifest: Manifest, file: File, outcomes: Sequence[FileOutcome]
) -> tuple[str | None, str | None] | StorageError:
    """What becomes of a file, all of which is rejected or none; of an archive that is loaded but for some members there
    is a copy among the rejected files before it leaves landing."""
    whys, archive = [outcome.rejected for outcome in outcomes], feed.archive
    rejected = whys[0] if all(why is not None for why in whys) else None
    if in_archive(feed, file):
        return file.path, rejected
    root = archive.path if rejected is None else archive.rejected_path
    action = archive.on_success if rejected is None else ArchiveAction.MOVE
    destination = _destination(feed, manifest, file, rejected=rejected is not None)
    try:
        if rejected is None and any(why is not None for why in whys):
            storage.copy(file, _destination(feed, manifest, file, rejected=True), root=archive.rejected_path)
        done = _left(storage, file, destination, root, action)
        if done and feed.source.control is not None:
            companion = storage.head(beside(file.path, feed.source.control.file))
            if companion is not None:
                _left(storage, companion, beside(destination, feed.source.control.file), root, action)
        if action in (ArchiveAction.DELETE, ArchiveAction.KEEP):
            destination = ""
    except StorageError as error:
        return error
    if done:
        return destination or None, rejected
    gone = storage.head(file.path) is None
    left = "was removed from landing" if gone else "was replaced in landing; the new version is pending"
    return None, rejected or f"the file {left}"


def _left(storage: Storage, file: File, destination: str, root: str, action: ArchiveAction) -> bool:
    """Whether a file left landing as it is to, or need not leave it."""
    match action:
        case ArchiveAction.MOVE:
            return storage.move(file, destination, root=root)
        case ArchiveAction.COPY:
            return storage.copy(file, destination, root=root)
        case ArchiveAction.DELETE:
            return storage.delete(file)
        case ArchiveAction.KEEP:
            return True
        case _:
            assert_never(action)

"""Deliveries: what an archive holds, as the batches in which its files were loaded, in the order of their first
delivery. A file lies at `<archive>/<yyyy-mm-dd>/<batch id>/<its name in landing>`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from framework.feed import ArchiveAction, Feed, Mode, RenamedColumns
from framework.law.discovery import discover
from framework.names import File, Skipped

__all__ = ["Delivery", "archived_in", "as_replayed", "deliveries", "in_archive", "replayable"]

_ARCHIVED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{16})/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files that were loaded together, in the order in which they count; `at` is when that was, as far as it is
    known."""

    batch_id: str
    at: datetime
    files: tuple[File, ...]


def archived_in(name: str) -> tuple[str, str, str] | None:
    """The day, the batch and the name in landing of a file in an archive, by its name there; None for others."""
    found = _ARCHIVED.fullmatch(name)
    return (found[1], found[2], found[3]) if found is not None else None


def in_archive(feed: Feed, file: File) -> bool:
    """Whether a file of a batch is one that is loaded again from the archive, where it stays."""
    return file.path.startswith(feed.archive.path)


def replayable(feed: Feed) -> bool:
    """Whether loading old files again leaves newer rows alone."""
    return bool(feed.target.sequence_by) or feed.target.mode is Mode.SNAPSHOT


def as_replayed(feed: Feed) -> Feed:
    """The feed for files of its archive: they are ready, they stay where they are, and the header of the file that was
    loaded last says nothing of theirs."""
    return replace(
        feed,
        source=replace(feed.source, ready_when=None),
        archive=replace(feed.archive, on_success=ArchiveAction.KEEP),
        schema_contract=replace(feed.schema_contract, renamed_columns=RenamedColumns.SET_NULL),
    )


def deliveries(
    feed: Feed, found: Iterable[File], loaded: Mapping[str, datetime], versions: Mapping[str, int]
) -> tuple[list[Delivery], list[Skipped]]:
    """The deliveries among the files in the feed's archive, whose names are those below `archive.path`; and files that
    the feed does not take any more.

    `loaded` says when batches were staged, `versions` what the files' versions in landing were, by their paths in the
    archive. A batch of which nothing is recorded counts by the day of its folder and the times of its files.
    """
    batches: dict[tuple[str, str], list[File]] = {}
    for file in found:
        if (parts := archived_in(file.name)) is not None:
            day, batch_id, name = parts
            was = replace(file, name=name, modified=versions.get(file.shown, file.modified))
            batches.setdefault((day, batch_id), []).append(was)
    source = replace(feed.source, ready_when=None)
    skipped: list[Skipped] = []
    made: list[Delivery] = []
    for (day, batch_id), files in batches.items():
        listing = discover(source, files)
        skipped += listing.skipped
        if listing.pending:
            made.append(Delivery(batch_id, loaded.get(batch_id) or _moment(day, files), listing.pending))
    return sorted(made, key=lambda each: (each.at, each.batch_id)), skipped


def _moment(day: str, files: Sequence[File]) -> datetime:
    """When a batch was loaded, by its folder; on that day, by its first file."""
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    first = min(file.modified for file in files) // 1000
    written = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=max(0, min(first, 2**55)))
    return max(begin, min(written, begin + timedelta(days=1, microseconds=-1)))

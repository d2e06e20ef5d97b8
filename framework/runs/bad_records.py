"""Bad records: what a feed's quarantine holds, file by file, with the header that each file had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from framework.batch import Seen
from framework.engine import Where
from framework.errors import LandfeedError
from framework.feed import Feed, Format
from framework.law.deliveries import archived_in
from framework.law.layout import Layout
from framework.law.quarantined import BadFile, BadRecord, RecordId, bytes_again, head_of, name_of, not_kept
from framework.machine import own_folder
from framework.names import File
from framework.opening import SourceFile, open_piece
from framework.plan.world import World
from framework.runs.archives import files_in_archive

__all__ = ["Chosen", "Export", "exported", "unresolved"]

_MOST = 500_000
"""Records that are looked at together."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which records: of one batch, of one file (a path or the end of one), or all."""

    batch: str | None = None
    file: str | None = None

    def has(self, record: RecordId) -> bool:
        ending = f"/{(self.file or '').removeprefix('/')}"
        return self.batch in (None, record.batch_id) and (self.file is None or f"/{record.file}".endswith(ending))


def unresolved(feed: Feed, world: World, chosen: Chosen) -> list[BadFile]:
    """The files with records that were not loaded since, in the order in which they came. Raises LandfeedError when
    they are too many."""
    by_file = defaultdict(list)
    done = {RecordId(*each) for each in world.ledger.resolved(feed.name)}
    for record in _records(feed, world, chosen):
        if record.id not in done:
            by_file[record.id.batch_id, record.id.file].append(record)
    seen = _seen(feed, world)
    return [_bad_file(feed, records, seen) for records in by_file.values()]


def _records(feed: Feed, world: World, chosen: Chosen) -> Iterator[BadRecord]:
    of_batch = f" AND _batch_id = '{chosen.batch}'" if (chosen.batch or "").isalnum() else ""
    where = Where(f"_feed = '{feed.name}'{of_batch}")
    found = world.engine.preview(feed.quarantine.table, _MOST + 1, where=where)
    if found is None:
        return
    if len(found.rows) > _MOST:
        raise LandfeedError(
            f"feed {feed.name}: there are more than {_MOST:,} records in {feed.quarantine.table}",
            f"take them batch by batch: --batch; landfeed quarantine {feed.name} --all names them",
            code="replay",
        )
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    rows.sort(key=lambda row: (row["_quarantined_at"] or "", row["_source_file"] or "", int(row["_line"] or 0)))
    records = (BadRecord.of(row) for row in rows)
    yield from (record for record in records if chosen.has(record.id))


def _bad_file(feed: Feed, records: list[BadRecord], seen: Callable[[str, str], Seen | None]) -> BadFile:
    batch_id, file = records[0].id.batch_id, records[0].id.file
    was = seen(batch_id, file)
    header = was.header if was is not None else None
    if header is None and not _has_header(feed):
        header = ()
    return BadFile(batch_id, file, name_of(feed, file), tuple(records), header, was.encoding if was is not None else "")


def _has_header(feed: Feed) -> bool:
    return feed.source.format is Format.CSV and feed.source.csv.header


def _seen(feed: Feed, world: World) -> Callable[[str, str], Seen | None]:
    """What files were seen to be, by batch and path: as the quarantine's history tells, or by the files themselves,
    where they are in the archive."""
    told: dict[tuple[str, str], Seen] = {
        (manifest.batch_id, outcome.file.shown): outcome.seen
        for manifest in world.engine.manifests(feed.quarantine.table, feed.name)
        for outcome in manifest.outcomes
    }

    @cache
    def archive() -> Mapping[tuple[str, str], File]:
        found = ((archived_in(file.name), file) for file in files_in_archive(feed, world.storage(feed)))
        return {(parts[1], parts[2]): file for parts, file in found if parts is not None}

    def seen(batch_id: str, path: str) -> Seen | None:
        known = told.get((batch_id, path))
        if known is not None and (known.header or not _has_header(feed)):
            return known
        file = archive().get((batch_id, name_of(feed, path)))
        return _opened(feed, world, file) if file is not None else known

    return seen


def _opened(feed: Feed, world: World, file: File) -> Seen | None:
    with own_folder() as folder:
        piece = open_piece(feed, 0, SourceFile(file, world.storage(feed), folder, feed.source.limits))
    names: Iterable[str] = piece.layout.names if isinstance(piece.layout, Layout) and piece.header is not None else ()
    return Seen(header=tuple(names), encoding=piece.encoding) if names else None


# For people who mend them


@dataclass(frozen=True, slots=True)
class Export:
    """A file of records with the header that they came with, how many there are, and how many could not be told."""

    content: bytes
    records: int
    left_out: int = 0


def exported(feed: Feed, world: World, chosen: Chosen, *, every: bool) -> list[Export]:
    """The records, a file for each header; those of the newest batch unless another one, a file or `every` one is
    chosen. Raises LandfeedError where the quarantine keeps no records that could land again."""
    reason = not_kept(feed)
    if reason is not None:
        raise LandfeedError(f"feed {feed.name}: {reason}", "mend the file that they came in", code="export")
    files = unresolved(feed, world, chosen)
    if files and not every and chosen == Chosen():
        files = [file for file in files if file.batch_id == files[-1].batch_id]
    alike: defaultdict[tuple[str, ...], list[BadFile]] = defaultdict(list)
    for file in files:
        alike[file.header or ()].append(file)
    return [_exported(feed, header, some) for header, some in alike.items()]


def _exported(feed: Feed, header: tuple[str, ...], files: Iterable[BadFile]) -> Export:
    encoding = feed.source.encodings[0]
    lines, left_out = [b"(a line that is passed over: source.skip_lines)\n"] * feed.source.skip_lines, 0
    lines += [head_of(feed, header).encode(encoding, "replace")] if header else []
    before = len(lines)
    for file in files:
        for record in file.records:
            content = bytes_again(record, file.encoding or encoding, encoding)
            left_out += content is None
            lines += [content + b"\n"] if content is not None else []
    return Export(b"".join(lines), len(lines) - before, left_out)

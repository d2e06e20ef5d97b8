"""Foresee: what the headers of pending files lack and bring, and which files will be rejected for it, before anything
is staged. Only beginnings of files are read, and small files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framework.engine import TableState
from framework.errors import SetAside, SourceChanged
from framework.feed import Feed
from framework.law.additions import added_columns
from framework.law.headers import column_warnings, seen
from framework.law.layout import Rejected, renamed
from framework.law.records import READERS
from framework.machine import own_folder, side_by_side
from framework.names import Added, File, shown
from framework.opening import Compression, Piece, open_beginning, open_file
from framework.opening.sources import SourceFile
from framework.plan.reading import with_brought
from framework.storage import Storage

__all__ = ["Foreseen", "foreseen"]

_LOOKED_AT = 50
"""Files that are looked at; the others are likely to be of the same kind."""
_SMALL = 1 << 20
"""Bytes up to which a file is opened as a whole where its beginning does not tell."""
_AT_ONCE = 16
_REJECTED = 5


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Sentences about files, and the columns that they add to the target."""

    said: tuple[str, ...] = ()
    added: tuple[Added, ...] = ()


def foreseen(
    feed: Feed, files: Sequence[File], storage: Storage, header: Sequence[str], target: TableState | None
) -> Foreseen:
    """What the first of these files lack and bring; `header` is that of the file that was loaded last."""
    some = [file for file in files[:_LOOKED_AT] if file.size and (_by_beginning(feed, file) or file.size <= _SMALL)]
    if not some:
        return Foreseen()
    with own_folder() as folder:
        pieces = side_by_side(lambda file: _opened(feed, file, storage, folder), some, _AT_ONCE)
    wider, there = with_brought(feed, (piece for some in pieces for piece in some), target)
    said = tuple(_said(wider, there, header))
    return Foreseen(said, tuple(each for each in added_columns(wider) if each not in added_columns(feed)))


def _by_beginning(feed: Feed, file: File) -> bool:
    packed = Compression.of(file.path) is not Compression.NONE
    return READERS[feed.source.format].by_beginning and not packed and len(feed.source.encodings) == 1


def _opened(feed: Feed, file: File, storage: Storage, folder: str) -> list[Piece]:
    source = SourceFile(file, storage, folder, feed.source.limits)
    try:
        return [open_beginning(feed, 0, source)] if _by_beginning(feed, file) else open_file(feed, 0, source)
    except (SourceChanged, SetAside):  # which the run will tell, if it is still so
        return []


def _said(feed: Feed, pieces: Sequence[Piece], header: Sequence[str]) -> Iterator[str]:
    found, rejected = [], []
    for piece in pieces:
        file = seen(feed, piece.layout, piece.encoding, header=piece.header is not None)
        why = piece.layout if isinstance(piece.layout, Rejected) else renamed(feed, file.header, header)
        if why is not None:
            rejected.append(f"{shown(piece.source.file.name)} will be rejected: {why.reason}")
            continue
        found.append(file)
        header = file.header or header
    yield from rejected[:_REJECTED]
    if len(rejected) > _REJECTED:
        yield f"{len(rejected) - _REJECTED} more files will be rejected"
    yield from column_warnings(feed, found)

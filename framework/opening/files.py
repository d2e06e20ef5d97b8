"""Files of a batch to pieces: one of each file, and one of each member of an archive."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from framework.feed import Feed
from framework.law.layout import Rejected
from framework.law.records import BrokenFile
from framework.opening.archives import unpack
from framework.opening.controls import told_of
from framework.opening.pieces import BROKEN_FILE, Piece, Survey, open_piece
from framework.opening.sources import SourceFile
from framework.opening.streams import Compression, unreadable, unusable

__all__ = ["called_as_others", "open_file"]


def open_file(feed: Feed, index: int, source: SourceFile, survey: Survey | None = None) -> list[Piece]:
    """Open a file of the batch, whose pieces are the next ones from `index` on. Raises SourceChanged and SetAside."""
    if Compression.of(source.stored_as) is not Compression.ZIP or unusable(source.file) is not None:
        return [open_piece(feed, index, source, survey)]
    try:
        return _opened(feed, index, source, survey)
    except BROKEN_FILE as error:
        return [Piece(index, source, layout=Rejected(unreadable(error)))]


def called_as_others(source: SourceFile, pieces: Sequence[Piece], taken: Collection[str]) -> Piece | None:
    """What becomes of an archive that has a member which is called as another file of the batch: it is rejected."""
    for piece in pieces:
        if piece.source.is_member and piece.source.file.path in taken:
            why = f"another file is called as one in the zip archive is: {piece.source.file.shown}"
            return Piece(piece.index, source, layout=Rejected(why))
    return None


def _opened(feed: Feed, index: int, source: SourceFile, survey: Survey | None) -> list[Piece]:
    told = told_of(source, feed)
    found = list(unpack(source, feed.source.members, source.folder))
    if told is not None and told.is_about_records and len(found) > 1:
        raise BrokenFile(f"its control file {told.name} tells of one file, and the zip archive holds {len(found)}")
    pieces: list[Piece] = []
    for part, reason in found:
        at = index + len(pieces)
        rejected = Piece(at, part, layout=Rejected(reason or ""))
        pieces.append(open_piece(feed, at, part, survey, told) if reason is None else rejected)
    return pieces

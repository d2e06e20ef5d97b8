"""Batches: all files of a batch are opened here, once, before an engine sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from framework.errors import SourceChanged
from framework.feed import Feed
from framework.law.layout import Layout
from framework.names import File
from framework.opening.pieces import Piece, open_beginning, open_piece
from framework.opening.sources import SourceFile, fetch_all
from framework.storage import Storage

__all__ = ["Ways", "open_batch"]


class Ways(Protocol):
    """Ways of an engine's own to open files, which are faster than the law's. It may always say that it has none."""

    def reads_in_place(self, feed: Feed, source: SourceFile) -> bool:
        """Whether the engine reads the file by itself where it stands, so that only its beginning is opened."""
        ...

    def survey(self, piece: Piece, feed: Feed) -> Layout | None:
        """A piece's layout, for formats in which every record may name fields; None when the engine cannot tell it,
        or would reject the piece."""
        ...


def open_batch(feed: Feed, files: Sequence[File], storage: Storage, folder: str, ways: Ways) -> list[Piece]:
    """Open the files of a batch, copies of which go to `folder` where their storage needs copies. Raises
    SourceChanged with all files that are no longer as they were listed."""
    sources = [SourceFile(file, storage, folder) for file in files]
    gone: list[str] = []
    in_place: set[int] = set()
    for index, source in enumerate(sources):
        try:
            if ways.reads_in_place(feed, source):
                in_place.add(index)
        except SourceChanged as error:
            gone += error.paths
    fetch_all([source for index, source in enumerate(sources) if index not in in_place])
    pieces = []
    for index, source in enumerate(sources):
        try:
            if index in in_place:
                pieces.append(open_beginning(feed, index, source))
            else:
                pieces.append(open_piece(feed, index, source, ways.survey))
        except SourceChanged as error:
            gone += error.paths
    if gone:
        raise SourceChanged(list(dict.fromkeys(gone)))
    return pieces

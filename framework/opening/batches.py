"""Batches: all files of a batch are opened here, once, before an engine sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from framework.errors import SetAside, SourceChanged
from framework.feed import Feed
from framework.law.layout import Layout, Rejected
from framework.law.records import READERS
from framework.names import File
from framework.opening.files import called_as_others, open_file
from framework.opening.pieces import Piece, open_beginning
from framework.opening.sources import SourceFile, check_all, fetch_all
from framework.storage import Storage

__all__ = ["Ways", "open_batch"]


class Ways(Protocol):
    """Ways of an engine's own to open files, which are faster than the law's. It may always say that it has none."""

    def reads_in_place(self, feed: Feed, source: SourceFile) -> bool:
        """Whether the engine reads the file by itself where it stands, so that only its beginning is opened."""
        ...

    def open_away(self, feed: Feed, sources: Mapping[int, SourceFile], size: int) -> Mapping[int, Sequence[Piece]]:
        """Files that the engine's workers open, and later read, by the law where they stand, so that nothing of them
        passes this process; the pieces of each by position, as they were given, none or all of them. `size` is that of
        the whole batch in bytes. Raises SourceChanged and SetAside."""
        ...

    def survey(self, piece: Piece, feed: Feed) -> Layout | None:
        """A piece's layout, for formats in which every record may name fields; None when the engine cannot tell it,
        or would reject the piece."""
        ...


def open_batch(feed: Feed, files: Sequence[File], storage: Storage, folder: str, ways: Ways) -> list[Piece]:
    """Open the files of a batch, each member of an archive as one of its own. Copies go to `folder` where the storage
    needs them. Raises SourceChanged with all files that are no longer as they were listed, or SetAside with all that
    cannot be read."""
    pieces: list[Piece] = []
    failed: list[SourceChanged | SetAside] = []
    sources = [SourceFile(file, storage, folder, feed.source.limits) for file in files]
    opened = {index: _in_place(feed, index, source, ways) for index, source in enumerate(sources)}
    known: dict[int, Sequence[Piece]] = {index: [piece] for index, piece in opened.items() if piece is not None}
    others = {index: source for index, source in enumerate(sources) if index not in known}
    if others:
        known |= ways.open_away(feed, others, sum(file.size for file in files))
    fetch_all([source for index, source in others.items() if index not in known])
    taken = {file.path for file in files}
    for index, source in enumerate(sources):
        try:
            its = known[index] if index in known else open_file(feed, len(pieces), source, ways.survey)
        except (SourceChanged, SetAside) as error:
            failed.append(error)
            continue
        if (refused := called_as_others(source, its, taken)) is not None:
            its = [refused]
        taken.update(piece.source.file.path for piece in its)
        pieces += (replace(piece, index=at) for at, piece in enumerate(its, len(pieces)))
    check_all(failed)
    return pieces


def _in_place(feed: Feed, index: int, source: SourceFile, ways: Ways) -> Piece | None:
    """The piece of a file that the engine reads where it stands, as far as its beginning tells its layout."""
    if feed.source.only_by_law:
        return None
    try:
        if not ways.reads_in_place(feed, source):
            return None
        piece = open_beginning(feed, index, source)
    except (SourceChanged, SetAside):  # which comes up again when it is opened
        return None
    if isinstance(piece.layout, Rejected) and not READERS[feed.source.format].by_beginning:
        return None  # what it lacks may come further on
    return piece

"""Batches: all files of a batch are opened here, once, before an engine sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from framework.errors import SetAside, SourceChanged
from framework.feed import Feed
from framework.law.layout import Layout
from framework.names import File
from framework.opening.files import open_file
from framework.opening.pieces import Piece, open_beginning
from framework.opening.sources import SourceFile, check_all, fetch_all
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
    """Open the files of a batch, each member of an archive as one of its own. Copies go to `folder` where the storage
    needs them. Raises SourceChanged with all files that are no longer as they were listed, or SetAside with all that
    cannot be read."""
    pieces: list[Piece] = []
    failed: list[SourceChanged | SetAside] = []
    sources = [SourceFile(file, storage, folder, feed.source.limits) for file in files]
    in_place = [_reads_in_place(feed, source, ways) for source in sources]
    fetch_all([source for source, large in zip(sources, in_place, strict=True) if not large])
    taken = {file.path for file in files}
    for source, large in zip(sources, in_place, strict=True):
        try:
            if large:
                pieces.append(open_beginning(feed, len(pieces), source))
            else:
                pieces += open_file(feed, len(pieces), source, taken, ways.survey)
        except (SourceChanged, SetAside) as error:
            failed.append(error)
    check_all(failed)
    return pieces


def _reads_in_place(feed: Feed, source: SourceFile, ways: Ways) -> bool:
    if feed.source.only_by_law:
        return False
    try:
        return ways.reads_in_place(feed, source)
    except (SourceChanged, SetAside):  # which comes up again when it is opened
        return False

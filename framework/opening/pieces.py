"""Pieces: files that are opened, which is all that engines see of them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeVar

from framework.errors import SetAside
from framework.feed import Feed
from framework.law.layout import Layout, Rejected
from framework.law.records import READERS, BrokenFile, Record
from framework.names import File
from framework.opening.controls import Told, held, told_of
from framework.opening.kinds import BEGINNING, other_kind
from framework.opening.sources import SourceFile
from framework.opening.streams import Compression, TooLarge, choose_encoding, unpacked, unreadable, unusable

__all__ = ["BROKEN_FILE", "FileRead", "Piece", "Survey", "grouped", "open_beginning", "open_piece"]

BROKEN_FILE = (TooLarge, BrokenFile)
"""What reading a file raises when it is damaged: see `unreadable`. A file that cannot be read is set aside instead."""
_BEGINNING = 1 << 20
"""Bytes in which the header of a file must stand that is opened by its beginning."""
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a member of an archive, that is opened: how it is packed and encoded, and which of its fields feeds
    which column, or why it is rejected. `index` is the file's position in the batch, `header` the record that named
    the fields (None without one), `told` what its control file says; `surveyed` says that a faster way told its
    layout, `in_place` that the engine reads the file by itself where it stands, `away` that its workers read it there
    by the law."""

    index: int
    source: SourceFile
    compression: Compression = Compression.NONE
    encoding: str = "utf-8"
    layout: Layout | Rejected = Rejected("the file was not opened")
    header: Record | None = None
    surveyed: bool = False
    in_place: bool = False
    away: bool = False
    told: Told | None = None

    @property
    def is_utf8(self) -> bool:
        return codecs.lookup(self.encoding).name == "utf-8"

    def stream(self) -> AbstractContextManager[BinaryIO]:
        """Its bytes, unpacked. Raises SetAside, and BROKEN_FILE while they are read."""
        return unpacked(self.source.open(), self.compression, self.source.file.size, self.source.limits)

    def records(self, feed: Feed, layout: Layout) -> Iterator[Record]:
        """Its records by the law, without the header. Raises BROKEN_FILE."""
        source = self.source
        with unpacked(source.followed(), self.compression, source.file.size, source.limits) as stream:
            records = READERS[feed.source.format].records(stream, self.encoding, feed, layout)
            with _memory(source):
                yield from records if self.told is None else held(records, self.told, feed, layout)


@dataclass(slots=True)
class FileRead:
    """How one file of the batch was read: engines add what else they have to know of it. `rejected` is why it is
    rejected, None when it is not; `counted` how many records the law's reader gave, the last time that it was asked for
    all of them, and `no_rows` how many it met that are no rows."""

    piece: Piece
    rejected: str | None = None
    no_rows: int = 0
    counted: int = 0

    def __post_init__(self) -> None:
        self.rejected = self.piece.layout.reason if isinstance(self.piece.layout, Rejected) else None

    @property
    def index(self) -> int:
        return self.piece.index

    @property
    def file(self) -> File:
        return self.piece.source.file

    @property
    def layout(self) -> Layout:
        """Of a file that is not rejected."""
        layout = self.piece.layout
        assert not isinstance(layout, Rejected)  # noqa: S101 (rejected files are asked nothing)
        return layout

    def records(self, feed: Feed) -> Iterator[Record]:
        """Its records by the law, sound and broken ones; those that are no rows are counted. Raises BROKEN_FILE."""
        self.no_rows = self.counted = 0
        for record in self.piece.records(feed, self.layout):
            if record.no_row:
                self.no_rows += 1
            else:
                self.counted += 1
                yield record

    def open_by_the_law(self, feed: Feed) -> None:
        """Open the file once more, all of it and by the law alone: an engine's own way to it did not hold."""
        self.open_as(open_piece(feed, self.index, self.piece.source, by_archive=self.piece.told))

    def open_as(self, piece: Piece) -> None:
        """Take it as it was opened once more."""
        self.piece = piece
        self.rejected = self.piece.layout.reason if isinstance(self.piece.layout, Rejected) else None


Survey = Callable[[Piece, Feed], Layout | None]
"""A faster way to a piece's layout for formats in which every record may name fields; None when it cannot tell, or
would reject the piece."""


def open_piece(
    feed: Feed, index: int, source: SourceFile, survey: Survey | None = None, by_archive: Told | None = None
) -> Piece:
    """Open a file of the batch; `by_archive` is what the control file of the archive says that it is a member of."""

    def opened() -> Piece:
        piece = Piece(index, source, Compression.of(source.stored_as), told=by_archive or told_of(source, feed))
        with piece.stream() as stream:
            _refuse_other_kinds(stream.read(BEGINNING), feed)
            if READERS[feed.source.format].signature is None:
                piece = replace(piece, encoding=choose_encoding(source, piece.compression, feed.source.encodings))
            told = survey(piece, feed) if survey is not None else None
            if told is not None:
                return replace(piece, layout=told, surveyed=True)
            stream.seek(0)
            layout, header = READERS[feed.source.format].open(stream, piece.encoding, feed)
        return replace(piece, layout=layout, header=header)

    return _opened(index, source, opened)


def open_beginning(feed: Feed, index: int, source: SourceFile) -> Piece:
    """Open a file that is neither packed nor encoded otherwise than the feed says first, by its first MiB."""

    def opened() -> Piece:
        encoding, beginning = feed.source.encodings[0], source.beginning(_BEGINNING)
        _refuse_other_kinds(beginning[:BEGINNING], feed)
        stream = io.BytesIO(beginning)
        layout, header = READERS[feed.source.format].open(stream, encoding, feed)
        return Piece(index, source, Compression.NONE, encoding, layout, header, in_place=True)

    return _opened(index, source, opened)


def _refuse_other_kinds(beginning: bytes, feed: Feed) -> None:
    kind = other_kind(beginning, READERS[feed.source.format].signature, feed.source.encodings)
    if kind is not None:
        raise UnicodeError(f"the file is no {feed.source.format} file but {kind}")


def _opened(index: int, source: SourceFile, opened: Callable[[], Piece]) -> Piece:
    reason = unusable(source.file)
    if reason is None:
        try:
            with _memory(source):
                return opened()
        except UnicodeError as error:
            reason = str(error)
        except BROKEN_FILE as error:
            reason = unreadable(error)
    return Piece(index, source, layout=Rejected(reason))


@contextmanager
def _memory(source: SourceFile) -> Iterator[None]:
    """Reading a file for which there is no memory sets it aside, and stops no other. Raises SetAside."""
    try:
        yield
    except MemoryError as error:
        why = "reading it takes more memory than there is; make several files of it"
        error.__traceback__ = None  # whose frames hold what there is too much of
        raise SetAside({source.file.landed.path: why}) from error


def grouped(files: Iterable[Read], key: Callable[[Read], Hashable]) -> list[list[Read]]:
    """Files that have something in common, in batch order."""
    groups: dict[Hashable, list[Read]] = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return list(groups.values())

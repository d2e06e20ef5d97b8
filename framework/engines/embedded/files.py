"""A file of the batch as DuckDB reads it, and where a row of it stands in the file."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import BinaryIO

from framework import opening
from framework.feed import Feed
from framework.machine import own_work
from framework.opening import Compression, Piece, stream_of, unpacked

__all__ = ["BY_ITSELF", "FileRead", "Malformed", "located", "utf8_copy"]

_CHUNK = 1 << 20
BY_ITSELF = (Compression.NONE, Compression.GZIP)
"""How files may be packed that DuckDB unpacks by itself."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that could not be taken apart."""

    line: int | None
    record: str
    message: str


@dataclass(slots=True)
class FileRead(opening.FileRead):
    """… and what is special with DuckDB. `copy` is a copy of the file in UTF-8, where it is in another encoding; `at`
    the path at which DuckDB reads it while it is `opened`; `by_law` says that the law's reader read it, which told the
    malformed records. They are in the table `broken`."""

    copy: str | None = None
    at: str = ""
    by_law: bool = False

    @property
    def width(self) -> int:
        return len(self.layout.record)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the file readable for DuckDB while the block lasts. Raises SourceChanged."""
        with nullcontext(self.copy) if self.copy else self.piece.source.path() as self.at:
            yield

    @property
    def compression(self) -> Compression:
        """Of what DuckDB reads."""
        return Compression.NONE if self.copy else self.piece.compression

    def stream(self) -> AbstractContextManager[BinaryIO]:
        """The bytes that DuckDB reads while the file is `opened`, unpacked."""
        return unpacked(stream_of(self.at, self.file), self.compression, self.file.size, self.piece.source.limits)


def utf8_copy(piece: Piece, to: str) -> str:
    """Rewrite the file in UTF-8; raises UnicodeError for a byte that the encoding does not have, MachineError where the
    copy cannot be written."""
    decoder, first = codecs.getincrementaldecoder(piece.encoding)(), True
    with piece.stream() as stream, own_work(os.path.dirname(to)), open(to, "w", encoding="utf-8", newline="") as out:
        while chunk := stream.read(_CHUNK):
            text = decoder.decode(chunk)
            out.write(text.removeprefix("\ufeff") if first else text)
            first = first and not text
        decoder.decode(b"", True)
    return to


def located(file: FileRead, feed: Feed, ordinals: Iterable[int]) -> Iterator[tuple[int, int, str]]:
    """Where the sound records with these ordinals (ascending, from 0) stand: (ordinal, line, raw text)."""
    wanted = iter(ordinals)
    next_one = next(wanted, None)
    sound = (record for record in file.piece.records(feed, file.layout) if record.fields is not None)
    for ordinal, record in enumerate(sound):
        if ordinal == next_one:
            yield ordinal, record.line, record.raw
            next_one = next(wanted, None)
            if next_one is None:
                return

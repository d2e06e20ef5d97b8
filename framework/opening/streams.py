"""The bytes of a file: unpacked, and in which encoding; and what is said of a file that has none."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, BinaryIO

from framework.law.records import Refused
from framework.names import File, Limits
from framework.opening.sources import SourceFile

__all__ = ["Compression", "TooLarge", "choose_encoding", "unpacked", "unreadable", "unusable"]

_CHUNK = 1 << 20


class Compression(StrEnum):
    """How a file is packed."""

    NONE = "none"
    GZIP = "gzip"

    @classmethod
    def of(cls, name: str) -> Compression:
        """As the file's name says."""
        return cls.GZIP if name.lower().endswith(".gz") else cls.NONE


def unusable(file: File) -> str | None:
    """Why a file is rejected unread; None for nearly all."""
    if file.size == 0:
        return "the file is empty (0 bytes)"
    return None if file.path == file.shown else "the file's name is not valid UTF-8; give it another one"


class TooLarge(Exception):
    """What a packed file holds is larger than it may be, as the text says."""


class _Bounded(io.RawIOBase):
    """The content of a packed file up to so many bytes. Raises TooLarge beyond them."""

    def __init__(self, content: gzip.GzipFile, most: int, why: str) -> None:
        self._content, self._most, self._why = content, most, why

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        return self._content.tell()

    def readinto(self, buffer: Any) -> int:
        count = self._content.readinto(buffer)
        if self._content.tell() > self._most:
            raise TooLarge(self._why)
        return count


@contextmanager
def unpacked(stream: BinaryIO, compression: Compression, size: int, limits: Limits) -> Iterator[BinaryIO]:
    """What a stream of so many bytes holds as it was before it was packed; the stream is closed afterwards. Reading it
    raises TooLarge when that is more than it may be."""
    with stream:
        match compression:
            case Compression.GZIP:
                with gzip.GzipFile(fileobj=stream) as content:
                    yield io.BufferedReader(_Bounded(content, *limits.most_unpacked(size)), _CHUNK)
            case Compression.NONE:
                yield stream


def unreadable(error: Exception) -> str:
    """A sentence for a file that is damaged, from the error that said so."""
    match error:
        case TooLarge() | Refused():
            return str(error)
        case gzip.BadGzipFile() | EOFError() | zlib.error():
            return f"the file is not a complete gzip file ({error})"
        case _:
            return f"the file cannot be read: {str(error).splitlines()[0]}"


def choose_encoding(source: SourceFile, compression: Compression, encodings: Sequence[str]) -> str:
    """The first of the encodings in which the whole file decodes; the first one if none does."""
    for encoding in encodings if len(encodings) > 1 else ():
        try:
            with unpacked(source.open(), compression, source.file.size, source.limits) as stream:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := stream.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", True)
        except UnicodeError:
            continue
        return encoding
    return encodings[0]

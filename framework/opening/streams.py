"""The bytes of a file: unpacked, and in which encoding; and what is said of a file that has none."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import BinaryIO, cast

from framework.names import File
from framework.opening.sources import SourceFile

__all__ = ["Compression", "choose_encoding", "unpacked", "unreadable", "unusable"]

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


@contextmanager
def unpacked(stream: BinaryIO, compression: Compression) -> Iterator[BinaryIO]:
    """What a stream holds as it was before it was packed; the stream is closed afterwards."""
    with stream:
        match compression:
            case Compression.GZIP:
                with gzip.GzipFile(fileobj=stream) as content:
                    yield cast(BinaryIO, content)
            case Compression.NONE:
                yield stream


def unreadable(error: Exception) -> str:
    """A sentence for a file that is damaged, from the error that said so."""
    match error:
        case gzip.BadGzipFile() | EOFError() | zlib.error():
            return f"the file is not a complete gzip file ({error})"
        case _:
            return f"the file cannot be read: {str(error).splitlines()[0]}"


def choose_encoding(source: SourceFile, compression: Compression, encodings: Sequence[str]) -> str:
    """The first of the encodings in which the whole file decodes; the first one if none does."""
    for encoding in encodings if len(encodings) > 1 else ():
        try:
            with unpacked(source.open(), compression) as stream:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := stream.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", True)
        except UnicodeError:
            continue
        return encoding
    return encodings[0]

"""The bytes of a file: fetched, decompressed, and in which encoding; and what is said of a file that has none."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import BinaryIO, cast

from framework.engine import SourceFile
from framework.errors import SourceChanged
from framework.names import File

__all__ = ["Compression", "choose_encoding", "decompressed", "fetch_all", "unreadable", "unusable"]

_CHUNK = 1 << 20
_FETCHES_AT_ONCE = 16


class Compression(StrEnum):
    """How a file is packed."""

    NONE = "none"
    GZIP = "gzip"

    @classmethod
    def of(cls, name: str) -> Compression:
        """As the file's name says."""
        return cls.GZIP if name.lower().endswith(".gz") else cls.NONE


def fetch_all(sources: Sequence[SourceFile]) -> None:
    """Fetch the files, several at a time. Raises SourceChanged with all that are gone."""

    def fetch(source: SourceFile) -> tuple[str, ...]:
        try:
            source.location  # noqa: B018 (fetched when asked for)
        except SourceChanged as error:
            return error.paths
        return ()

    with ThreadPoolExecutor(min(_FETCHES_AT_ONCE, len(sources) or 1)) as pool:
        gone = [path for paths in pool.map(fetch, sources) for path in paths]
    if gone:
        raise SourceChanged(gone)


def unusable(file: File) -> str | None:
    """Why a file is rejected unread; None for nearly all."""
    if file.size == 0:
        return "the file is empty (0 bytes)"
    return None if file.path == file.shown else "the file's name is not valid UTF-8; give it another one"


def decompressed(source: SourceFile, compression: Compression) -> BinaryIO:
    """The file's bytes as they were before they were packed."""
    match compression:
        case Compression.GZIP:
            return cast(BinaryIO, gzip.open(source.location, "rb"))
        case Compression.NONE:
            return open(source.location, "rb", buffering=_CHUNK)


def unreadable(error: Exception) -> str:
    """A sentence for a file that cannot be read, from the error that said so."""
    match error:
        case gzip.BadGzipFile() | EOFError() | zlib.error():
            return f"the file is not a complete gzip file ({error})"
        case OSError():
            return f"the file cannot be read: {error.strerror or error}"
        case _:
            return f"the file cannot be read: {str(error).splitlines()[0]}"


def choose_encoding(source: SourceFile, compression: Compression, encodings: Sequence[str]) -> str:
    """The first of the encodings in which the whole file decodes; the first one if none does."""
    for encoding in encodings if len(encodings) > 1 else ():
        try:
            with decompressed(source, compression) as stream:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := stream.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", True)
        except UnicodeError:
            continue
        return encoding
    return encodings[0]

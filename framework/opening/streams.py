"""The bytes of a file: fetched, decompressed, and in which encoding; and what is said of a file that has none."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any, BinaryIO, cast

from framework.engine import SourceFile
from framework.errors import SetAside, SourceChanged
from framework.machine import reading
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
    """Fetch the files, several at a time. Raises SourceChanged with all that are gone, SetAside with all that cannot
    be read."""

    def fetch(source: SourceFile) -> SourceChanged | SetAside | None:
        try:
            source.location  # noqa: B018 (fetched when asked for)
        except (SourceChanged, SetAside) as error:
            return error
        return None

    with ThreadPoolExecutor(min(_FETCHES_AT_ONCE, len(sources) or 1)) as pool:
        failed = list(pool.map(fetch, sources))
    if gone := [path for error in failed if isinstance(error, SourceChanged) for path in error.paths]:
        raise SourceChanged(gone)
    if aside := {path: why for error in failed if isinstance(error, SetAside) for path, why in error.reasons.items()}:
        raise SetAside(aside)


def unusable(file: File) -> str | None:
    """Why a file is rejected unread; None for nearly all."""
    if file.size == 0:
        return "the file is empty (0 bytes)"
    return None if file.path == file.shown else "the file's name is not valid UTF-8; give it another one"


class _Bytes(io.FileIO):
    """A file of the batch. That it cannot be read is not mistaken for what is in it."""

    def __init__(self, source: SourceFile) -> None:
        self._path = source.file.path
        location = source.location
        with reading(self._path):
            super().__init__(location)

    def readinto(self, buffer: Any) -> int | None:
        with reading(self._path):
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with reading(self._path):
            return super().readall()


class _Unpacked(gzip.GzipFile):
    """What a gzip file holds, which is closed with it."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def decompressed(source: SourceFile, compression: Compression) -> BinaryIO:
    """The file's bytes as they were before they were packed. Raises SetAside, and BROKEN_FILE while it is read."""
    packed = io.BufferedReader(_Bytes(source), _CHUNK)
    match compression:
        case Compression.GZIP:
            return cast(BinaryIO, _Unpacked(packed))
        case Compression.NONE:
            return packed


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
            with decompressed(source, compression) as stream:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := stream.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", True)
        except UnicodeError:
            continue
        return encoding
    return encodings[0]

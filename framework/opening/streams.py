"""The bytes of a file: unpacked, and in which encoding; and what is said of a file that has none."""

from __future__ import annotations

import bz2
import codecs
import gzip
import importlib
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, BinaryIO, assert_never

from framework.errors import MissingDependency
from framework.law.records import BrokenFile
from framework.names import File, Limits
from framework.opening.sources import SourceFile

__all__ = ["Bounded", "Compression", "TooLarge", "choose_encoding", "packed", "unpacked", "unreadable", "unusable"]

_CHUNK = 1 << 20


class Compression(StrEnum):
    """How a file is packed."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    ZSTD = "zstd"
    ZIP = "zip"

    @classmethod
    def of(cls, name: str) -> Compression:
        """As the file's name says."""
        return _ENDINGS.get(name.rsplit(".", 1)[-1].lower(), cls.NONE)


_ENDINGS = {"gz": Compression.GZIP, "bz2": Compression.BZIP2, "zst": Compression.ZSTD, "zip": Compression.ZIP}


def unusable(file: File) -> str | None:
    """Why a file is rejected unread; None for nearly all."""
    if file.size == 0:
        return "the file is empty (0 bytes)"
    return None if file.path == file.shown else "the file's name is not valid UTF-8; give it another one"


class TooLarge(Exception):
    """What a packed file holds is larger than it may be, as the text says."""


class Bounded(io.RawIOBase):
    """The content of a packed file up to so many bytes. Raises TooLarge beyond them, and BrokenFile."""

    def __init__(self, content: io.BufferedIOBase, kind: Compression, most: int, why: str) -> None:
        self._content, self._kind, self._most, self._why = content, kind, most, why

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        return self._content.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            count = self._content.readinto(buffer)
        except Exception as error:
            if not _is_damage(error):
                raise
            raise BrokenFile(f"the file is not a complete {self._kind} file ({error})") from error
        if self._content.tell() > self._most:
            raise TooLarge(self._why)
        return count


def _is_damage(error: Exception) -> bool:
    """Whether a library says by an error that what it unpacks is damaged."""
    if isinstance(error, OSError):
        return error.errno is None  # it is not the system that says so
    zstd = sys.modules.get(_ZSTD)
    by_standard = (EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError)
    return isinstance(error, by_standard) or (zstd is not None and isinstance(error, zstd.ZstdError))


_ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def _zstd() -> Any:
    """The library for zstd. Raises MissingDependency."""
    try:
        return importlib.import_module(_ZSTD)
    except ImportError as error:
        hint = "pip install 'landfeed[zstd]'"
        raise MissingDependency("a .zst file needs the package backports.zstd", hint) from error


def packed(content: bytes, compression: Compression) -> bytes:
    """The content, packed; the same bytes give the same."""
    match compression:
        case Compression.NONE:
            return content
        case Compression.GZIP:
            return gzip.compress(content, mtime=0)
        case Compression.BZIP2:
            return bz2.compress(content)
        case Compression.ZSTD:
            return bytes(_zstd().compress(content))
        case Compression.ZIP:
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo("records"), content)
            return stream.getvalue()
        case _:
            assert_never(compression)


@contextmanager
def unpacked(stream: BinaryIO, compression: Compression, size: int, limits: Limits) -> Iterator[BinaryIO]:
    """What a stream of so many bytes holds as it was before it was packed; the stream is closed afterwards. Reading it
    raises TooLarge when that is more than it may be."""
    with stream:
        if compression in (Compression.NONE, Compression.ZIP):
            yield stream
            return
        with _content(stream, compression) as content:
            yield io.BufferedReader(Bounded(content, compression, *limits.most_unpacked(size)), _CHUNK)


def _content(stream: BinaryIO, compression: Compression) -> Any:
    match compression:
        case Compression.GZIP:
            return gzip.GzipFile(fileobj=stream)
        case Compression.BZIP2:
            return bz2.BZ2File(stream)
        case Compression.ZSTD:
            return _zstd().ZstdFile(stream)
        case Compression.NONE | Compression.ZIP:  # what an archive holds is unpacked before
            return stream
        case _:
            assert_never(compression)


def unreadable(error: Exception) -> str:
    """A sentence for a file that is damaged, from the error that said so."""
    match error:
        case TooLarge() | BrokenFile():
            return str(error)
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

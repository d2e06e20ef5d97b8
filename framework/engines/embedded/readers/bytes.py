"""How it is known that DuckDB read a file as the law does: every byte of the file must be accounted for.

What the rows that DuckDB gave must have taken is known: their values, a separator between two of them, a line end
behind each. Besides, a file may hold quotes around values and before quotes, and blank lines. Whatever DuckDB loses
(a line that is too long for it, blanks beside quotes, empty fields beyond the last column), the file has in excess,
and nothing makes up for it. So the number of records, and what is in them, does not rest on DuckDB's word.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from framework.engines.embedded.files import FileRead
from framework.opening import Compression, Piece

__all__ = ["Told", "accounted", "unpack_first"]

_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Told:
    """What DuckDB told of a file: its rows, the bytes of their values, and the quotes that are part of values."""

    rows: int
    content: int
    quotes: int = 0


@dataclass(slots=True)
class _Bytes:
    """What a file holds."""

    size: int = 0
    bom: int = 0
    quotes: int = 0
    lines: int = 0
    returns: int = 0
    odd_returns: int = 0
    ended: bool = False


def unpack_first(piece: Piece, quote: str = "") -> None:
    """Look at all that a packed file holds, before DuckDB does, which would unpack whatever there is. What is found
    is kept: it is asked for afterwards. Raises BROKEN_FILE, also where the file becomes larger than it may."""
    if piece.compression is not Compression.NONE and not isinstance(piece.source.content, _Bytes):
        piece.source.content = _bytes(piece.stream(), quote.encode())


def accounted(file: FileRead, told: Told, separators: int, quote: str = "") -> bool:
    """Whether the file is nothing but its header and the rows that were told, each of which has so many bytes of
    separators."""
    header = file.piece.header.raw if file.piece.header else ""
    lines = told.rows + (file.piece.header is not None)
    least = len(header.encode()) + told.content + told.rows * separators + lines
    if _is_exactly(file, least):
        return True
    kept = file.piece.source.content if file.compression is not Compression.NONE else None
    found = kept if isinstance(kept, _Bytes) else _bytes(file.stream(), quote.encode())
    if found.odd_returns or found.returns not in (0, found.lines):
        return False  # line ends of several kinds: which of them are parts of values DuckDB does not tell
    line_end = 2 if found.returns else 1
    least += (lines if found.returns else 0) - (0 if found.ended else line_end)
    quotes = found.quotes - (header.count(quote) if quote else 0)
    rest = found.size - found.bom - least - (quotes - told.quotes)
    blank = (found.lines + (not found.ended) - lines) * line_end if not found.quotes else 0
    return rest == blank


def _is_exactly(file: FileRead, size: int) -> bool:
    """Whether a file that is not packed has this size and ends with a line end, which saves reading it."""
    if file.compression is not Compression.NONE or os.path.getsize(file.at) != size:
        return False
    with file.stream() as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"


def _bytes(opened: AbstractContextManager[BinaryIO], quote: bytes) -> _Bytes:
    found, before = _Bytes(), b""
    with opened as stream:
        while chunk := stream.read(_CHUNK):
            if not found.size and chunk.startswith(_BOM):
                found.bom = len(_BOM)
            found.size += len(chunk)
            found.quotes += chunk.count(quote) if quote else 0
            found.lines += chunk.count(b"\n")
            if b"\r" in chunk or before == b"\r":
                both = chunk.count(b"\r\n") + (before == b"\r" and chunk.startswith(b"\n"))
                found.returns += both
                found.odd_returns += chunk.count(b"\r") - both
            before = chunk[-1:]
    found.ended = before == b"\n"
    return found

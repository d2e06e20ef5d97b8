"""What the pages of a Parquet file say of themselves, as its footer may say less: a file of 534 bytes had a list of 50
million values in one page, and ten in its footer.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from framework.law.records.parquet_footer import Chunk, Compact
from framework.law.records.record import BrokenFile

__all__ = ["counted"]

_HEADERS = (1 << 8, 1 << 16, 1 << 24)
"""Bytes in which the header of a page is sought; the last are the most that it may have."""
_UNPACKED, _PACKED, _DATA, _DATA_2, _STRUCT, _NUMBER = 2, 3, 5, 8, 12, 5


def counted(stream: BinaryIO, groups: Sequence[Sequence[Chunk]]) -> list[list[Chunk]]:
    """The chunks of each group of rows, with what their pages say where that is more. They are looked at in the order
    in which they stand in the file: one that is packed as a whole is not unpacked from its beginning for each of them.
    Raises BrokenFile."""
    size = stream.seek(0, io.SEEK_END)
    if sum(chunk.packed for group in groups for chunk in group) > size:
        raise BrokenFile("the file is not a complete Parquet file (its columns are said to be larger than it is)")
    found = [list(group) for group in groups]
    places = sorted((chunk.start, group, at) for group, chunks in enumerate(groups) for at, chunk in enumerate(chunks))
    try:
        for _, group, at in places:
            found[group][at] = _counted(stream, found[group][at], size)
    except IndexError as error:
        raise BrokenFile("the file is not a complete Parquet file (a page of it is damaged)") from error
    return found


def _counted(stream: BinaryIO, chunk: Chunk, size: int) -> Chunk:
    """As pyarrow goes from page to page, until there are as many values as the footer says, or more."""
    at, values, unpacked = chunk.start, 0, 0
    if at > size:
        raise IndexError
    while values < chunk.values and at < chunk.start + chunk.packed:
        length, more, bytes_, packed = _page(stream, at)
        at, values, unpacked = at + length + packed, values + more, unpacked + length + bytes_
    return replace(chunk, values=max(values, chunk.values), unpacked=max(unpacked, chunk.unpacked))


def _page(stream: BinaryIO, at: int) -> tuple[int, int, int, int]:
    """How long a page's header is; its values; its bytes before and after they were packed. Raises IndexError."""
    stream.seek(at)
    data = b""
    for most in _HEADERS:
        data += stream.read(most - len(data))
        try:
            return _header(Compact(data))
        except IndexError:
            if len(data) < most:
                raise
    raise IndexError


def _header(reader: Compact) -> tuple[int, int, int, int]:
    sizes, values = {_UNPACKED: 0, _PACKED: 0}, 0
    for field, kind in reader.fields():
        if field in sizes and kind == _NUMBER:
            sizes[field] = max(0, reader.number())
        elif field in (_DATA, _DATA_2) and kind == _STRUCT:
            values += _values(reader)
        else:
            reader.skip(kind)
    return reader.at, values, sizes[_UNPACKED], sizes[_PACKED]


def _values(reader: Compact) -> int:
    found = 0
    for field, kind in reader.fields():
        if field == 1 and kind == _NUMBER:
            found = max(0, reader.number())
        else:
            reader.skip(kind)
    return found

"""What the footer of a Parquet file says of its columns' chunks, read from its bytes.

pyarrow tells it too, but ends the process where the footer of a damaged file contradicts itself. The footer is a struct
in Thrift's compact protocol, of which a few numbers are wanted; all else is passed over.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from framework.law.records.record import BrokenFile

__all__ = ["Chunk", "Compact", "chunks"]

_MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = 1, 2, 3, 7, 8, 9, 10, 11, 12, 13
_NUMBERS = (4, 5, 6)
_FIXED = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}
_DEEPEST = 64
_ROW_GROUPS, _COLUMNS, _META_DATA = 4, 1, 3
"""Fields on the way to the numbers of a chunk."""
_VALUES, _UNPACKED, _PACKED, _DATA, _DICTIONARY = 5, 6, 7, 9, 11


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column in a group of rows: its values, its bytes before and after they were packed, and where they begin."""

    values: int
    unpacked: int
    packed: int
    start: int


def chunks(stream: BinaryIO) -> list[list[Chunk]]:
    """The chunks of each group of rows. Raises BrokenFile."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 8))
    end = stream.read(8)
    length = int.from_bytes(end[:4], "little")
    if len(end) < 8 or end[4:] != _MAGIC or length > size - 8:
        raise BrokenFile("the file is not a complete Parquet file (its end is missing)")
    stream.seek(size - 8 - length)
    reader = Compact(stream.read(length))
    try:
        found: list[list[Chunk]] = []
        for field, kind in reader.fields():
            if field == _ROW_GROUPS and kind == _LIST:
                found += [_group(reader) for _ in range(reader.items(_STRUCT))]
            else:
                reader.skip(kind)
    except (IndexError, RecursionError) as error:
        raise BrokenFile("the file is not a complete Parquet file (its footer is damaged)") from error
    return found


def _group(reader: Compact) -> list[Chunk]:
    found: list[Chunk] = []
    for field, kind in reader.fields():
        if field == _COLUMNS and kind == _LIST:
            found += [_chunk(reader) for _ in range(reader.items(_STRUCT))]
        else:
            reader.skip(kind)
    return found


def _chunk(reader: Compact) -> Chunk:
    numbers: dict[int, int] = {}
    for field, kind in reader.fields():
        if field != _META_DATA or kind != _STRUCT:
            reader.skip(kind)
            continue
        for inner, of in reader.fields():
            if of in _NUMBERS:
                numbers[inner] = reader.number()
            else:
                reader.skip(of)
    starts = [at for field in (_DATA, _DICTIONARY) if (at := numbers.get(field, 0)) > 0]
    values, unpacked, packed = (max(0, numbers.get(field, 0)) for field in (_VALUES, _UNPACKED, _PACKED))
    return Chunk(values, unpacked, packed, min(starts, default=0))


class Compact:
    """Bytes in Thrift's compact protocol, read up to `at`. What is beyond their end raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """The fields of a struct with the kinds of their values, each of which is to be read or skipped."""
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self.number()
            yield field, head & 0xF

    def items(self, wanted: int) -> int:
        """How many items a list has, which must be of a kind."""
        size, kind = self._list()
        if size and kind != wanted:
            raise IndexError
        return size

    def number(self) -> int:
        found = self._varint()
        return (found >> 1) ^ -(found & 1)

    def skip(self, kind: int, depth: int = 0, *, item: bool = False) -> None:
        """Pass over a value; truth values stand in the field's head, and as bytes of their own as items."""
        if depth > _DEEPEST:
            raise IndexError
        if kind in (_TRUE, _FALSE):
            self._move(int(item))
        elif kind in _NUMBERS:
            self._varint()
        elif kind in _FIXED:
            self._move(_FIXED[kind])
        elif kind == _BINARY:
            self._move(self._varint())
        elif kind in (_LIST, _SET):
            size, of = self._list()
            for _ in range(size):
                self.skip(of, depth + 1, item=True)
        elif kind == _MAP:
            self._skip_map(depth)
        elif kind == _STRUCT:
            for _, of in self.fields():
                self.skip(of, depth + 1)
        else:
            raise IndexError

    def _skip_map(self, depth: int) -> None:
        size = self._varint()
        kinds = self._byte() if size else 0
        for _ in range(size):
            self.skip(kinds >> 4, depth + 1, item=True)
            self.skip(kinds & 0xF, depth + 1, item=True)

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        size = head >> 4
        return (self._varint() if size == 0xF else size), head & 0xF

    def _byte(self) -> int:
        found = self._data[self.at]
        self.at += 1
        return found

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found
            if shift > 70:
                raise IndexError

    def _move(self, count: int) -> None:
        self.at += count
        if self.at > len(self._data):
            raise IndexError

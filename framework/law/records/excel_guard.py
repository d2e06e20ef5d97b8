"""What a workbook may be. It is looked at before the library reads it, which unpacks all of it, holds every cell from
the first to the last one used, and writes out the text of each cell, of which many may share one."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from framework.law.records.record import AT_ONCE, BrokenFile, at_once
from framework.names import Limits

__all__ = ["guard_workbook"]

_CHUNK = 1 << 20
_CELLS, _PER_BYTE, _MOST_CELLS = 10_000_000, 4, 50_000_000
"""Cells from the first to the last one used that any sheet may have, for each byte of the file, and at most."""
_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_ROW = re.compile(rb"""\br\s*=\s*["']([0-9]{1,7})["']""")
_OVERLAP = 64
"""Bytes of a chunk that are looked at again with the next one: as many as a place may have."""
_LENGTHS = 26
"""Where those of the name and of the extra field stand in the header of a member."""


def guard_workbook(content: bytes, limits: Limits) -> None:
    """Raises BrokenFile for a workbook in a zip archive that would take more memory than it may."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        if "xl/workbook.xml" not in {member.filename for member in members}:
            raise BrokenFile("the file is a zip archive and no Excel workbook that is read: save it as .xlsx")
        _guard(content, members, at_once(limits, len(content)))
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, ValueError) as error:
        raise BrokenFile(f"the file is no complete Excel workbook ({error})") from error


def _guard(content: bytes, members: list[zipfile.ZipInfo], most: int) -> None:
    most_cells = max(_CELLS, min(_MOST_CELLS, _PER_BYTE * len(content)))
    left, longest, tags = most, 0, 0
    for member in members:
        sheet = _Sheet(most_cells)
        for chunk in _unpacked(content, member):
            left -= len(chunk)
            if left < 0:
                raise BrokenFile(f"unpacked it has more than {most} bytes, {AT_ONCE}")
            sheet.add(chunk)
        tags += sheet.tags
        if _is_texts(member):
            longest = max([longest, *_lengths(content, member)])
    if longest * tags > 2 * most and _written_out(content, members) > most:
        raise BrokenFile(f"the texts of its cells have more than {most} bytes, {AT_ONCE}")


def _is_texts(member: zipfile.ZipInfo) -> bool:
    return member.filename.lower().endswith("sharedstrings.xml")


def _unpacked(content: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member holds, whatever is said of its size: a library that unpacks it goes on to its end."""
    lengths = struct.unpack_from("<HH", content, member.header_offset + _LENGTHS)
    start = member.header_offset + _LENGTHS + 4 + sum(lengths)
    packed = content[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        yield packed
        return
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise BrokenFile("the file is no complete Excel workbook: it is packed in another way than Excel does")
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not unpacking.eof:
        yield unpacking.decompress(packed, _CHUNK)
        packed = unpacking.unconsumed_tail
    yield unpacking.flush()
    if not unpacking.eof:
        raise BrokenFile("the file is no complete Excel workbook: a part of it ends too early")


class _Sheet:
    """How far a sheet goes, and how many tags it has."""

    def __init__(self, most: int) -> None:
        self._most, self._columns, self._rows, self._rest, self.tags = most, 0, 0, b"", 0

    def add(self, chunk: bytes) -> None:
        """More of its XML. Raises BrokenFile for a sheet that goes too far."""
        self.tags += chunk.count(b"<")
        text = self._rest + chunk
        for letters, digits in _CELL.findall(text):
            self._columns, self._rows = max(self._columns, _number(letters.upper())), max(self._rows, int(digits))
        self._rows = max([self._rows, *map(int, _ROW.findall(text))])
        self._rest = chunk[-_OVERLAP:]
        if self._columns * self._rows > self._most:
            what = f"a sheet of {self._rows} rows and {self._columns} columns"
            raise BrokenFile(f"{what} is more than {self._most:,} cells, which are held in memory at once")


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _lengths(content: bytes, member: zipfile.ZipInfo) -> list[int]:
    """How long the texts are that cells share."""
    found: list[int] = []

    def start(tag: str, _: Any) -> None:
        if tag.rpartition(":")[2] == "si":
            found.append(0)

    def text(data: str) -> None:
        if found:
            found[-1] += len(data)

    _parse(content, member, start, text)
    return found


def _written_out(content: bytes, members: list[zipfile.ZipInfo]) -> int:
    """How many characters the cells of all sheets have that share texts."""
    lengths = [length for member in members if _is_texts(member) for length in _lengths(content, member)]
    sums, cell = [0], [False, ""]

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "c":
            cell[:] = attributes.get("t") == "s", ""
        elif name == "v":
            cell[1] = ""

    def text(data: str) -> None:
        if cell[0]:
            cell[1] = str(cell[1]) + data[:20]

    def end(tag: str) -> None:
        if cell[0] and tag.rpartition(":")[2] == "v":
            at = str(cell[1]).strip()
            if at.isdecimal() and int(at) < len(lengths):
                sums[0] += lengths[int(at)]

    for member in members:
        if not _is_texts(member):
            _parse(content, member, start, text, end)
    return sums[0]


def _parse(content: bytes, member: zipfile.ZipInfo, start: Any, text: Any, end: Any = None) -> None:
    """Go through a member, if it is XML, as far as it is well-formed."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    try:
        for chunk in _unpacked(content, member):
            parser.Parse(chunk, False)
    except expat.ExpatError:
        return

"""Old workbooks (.xls): records of BIFF8 in the one stream of a compound file, made of nothing but their parts."""

from __future__ import annotations

import struct

__all__ = ["a_day", "a_number", "a_shared_text", "a_text", "old_workbook"]

_SECTOR, _END, _FREE, _TABLE = 512, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SHORTEST = 4096
"""Bytes below which a stream would lie elsewhere."""
_FORMATS = (0, 14)
"""Of numbers, of days: the first is that of a cell whose format is not said."""


def a_text(row: int, column: int, text: str) -> bytes:
    return _record(0x204, struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1"))


def a_number(row: int, column: int, value: float, form: int = 0) -> bytes:
    return _record(0x203, struct.pack("<HHHd", row, column, form, value))


def a_day(row: int, column: int, value: int) -> bytes:
    return a_number(row, column, value, 1)


def a_shared_text(row: int, column: int) -> bytes:
    """The cell holds the text that cells share."""
    return _record(0xFD, struct.pack("<HHHI", row, column, 0, 0))


def old_workbook(cells: bytes, shared: str = "") -> bytes:
    """A file with the sheet A, and a text that its cells may share."""
    forms = b"".join(_record(0xE0, struct.pack("<HH", 0, form) + bytes(16)) for form in _FORMATS)
    texts = _record(0xFC, struct.pack("<IIHB", 1, 1, len(shared), 0) + shared.encode("latin-1"))

    def book(at: int) -> bytes:
        named = _record(0x85, struct.pack("<IBBBB", at, 0, 0, 1, 0) + b"A")
        return _begin(5) + _record(0x42, struct.pack("<H", 1200)) + forms + named + texts + _record(0x0A)

    return _compound(book(len(book(0))) + _begin(0x10) + cells + _record(0x0A))


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _begin(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0x7CC, 0, 6))


def _compound(stream: bytes) -> bytes:
    """A header, the table of what follows what, the names, and the stream."""
    stream = stream.ljust(max(_SHORTEST, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    count = len(stream) // _SECTOR
    tables = (count + 2) // 127 + 1
    follows = [_TABLE] * tables + [_END, *range(tables + 2, tables + 1 + count), _END]
    follows += [_FREE] * (tables * 128 - len(follows))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0") + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, tables, tables, 0, _SHORTEST, _END, 0, _END, 0)
    header += struct.pack("<109I", *range(tables), *[_FREE] * (109 - tables))
    names = _name("Root Entry", 5, _END, 0, 1) + _name("Workbook", 2, tables + 1, len(stream), _FREE)
    return header + struct.pack(f"<{len(follows)}I", *follows) + names.ljust(_SECTOR, b"\0") + stream


def _name(name: str, kind: int, start: int, size: int, child: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    about = struct.pack("<HBBIII36x", len(text), kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + about + struct.pack("<IQ", start, size)

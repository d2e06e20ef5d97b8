"""Files that claim to hold more than their bytes can be, written by hand: no library would write them."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from tests.old_workbooks import a_number, a_shared_text, a_text, old_workbook
from tests.workbooks import workbook

__all__ = ["BOOK", "LARGE", "SHEET", "avro", "changed", "deflated", "listing", "number", "sheet", "sized", "texts"]


def number(value: int) -> bytes:
    value, out = (value << 1) ^ (value >> 63), b""
    while value > 0x7F:
        value, out = value >> 7, out + bytes([value & 0x7F | 0x80])
    return out + bytes([value])


def sized(content: bytes) -> bytes:
    return number(len(content)) + content


def avro(fields: dict[str, Any], *blocks: tuple[int, bytes], codec: str = "null") -> bytes:
    schema = {"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in fields.items()]}
    about = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": codec.encode()}
    header = b"Obj\x01" + number(2) + b"".join(sized(name) + sized(text) for name, text in about.items()) + number(0)
    sync = b"s" * 16
    return header + sync + b"".join(number(count) + sized(packed) + sync for count, packed in blocks)


def deflated(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


def changed(book: bytes, parts: dict[str, bytes], *, said: int | None = None) -> bytes:
    """A workbook with other parts, of whose sheet the archive says that it has so many bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            new.writestr(name, parts.get(name) or old.read(name))
        if said is not None:
            new.getinfo(SHEET).file_size = said
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
BOOK = workbook({"A": [["a"], [1]]})


def sheet(cells: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(BOOK)) as archive:
        return archive.read(SHEET).replace(b"</sheetData>", f"<row>{cells}</row></sheetData>".encode())


def texts(text: str) -> bytes:
    return (
        f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{text}</t></si></sst>'.encode()
    )


_FIELDS = {"user_id": "long", "event": "string", "event_time": "string"}
_A_DAY = sized(b"2026-01-01")


def _avro(event: Any, value: bytes, **options: Any) -> bytes:
    return avro(_FIELDS | {"event": event}, (1, number(1) + value + _A_DAY), **options)


def _block() -> bytes:
    packed = deflated(number(1) + sized(b"x" * 300_000_000) + _A_DAY)
    return avro(_FIELDS, (1, packed), codec="deflate")


def _parquet(event: pa.Array, **options: Any) -> bytes:
    out, rows = io.BytesIO(), len(event)
    table = pa.table({"user_id": pa.repeat(1, rows), "event": event, "event_time": _shared("2026-01-01", rows)})
    pyarrow.parquet.write_table(table, out, compression="zstd", **options)
    return out.getvalue()


def listing(values: int, said: int, **columns: Any) -> io.BytesIO:
    """A Parquet file whose last column is a list of so many NULLs, of which its footer says that they are fewer."""
    out, nulls = io.BytesIO(), pa.ListArray.from_arrays(pa.array([0, values], pa.int32()), pa.nulls(values, pa.int64()))
    pyarrow.parquet.write_table(pa.table({**columns, "event": nulls}), out, compression="zstd", write_statistics=False)
    content, written, fewer = out.getvalue(), number(values), bytearray(number(said))
    while len(fewer) < len(written):
        fewer[-1] |= 0x80
        fewer.append(0)
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    return io.BytesIO(content[:start] + content[start:].replace(written, fewer))


def _shared(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), rows), [text])


_COLUMNS = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in _FIELDS)


def _book(cells: str, shared: str = "") -> bytes:
    return changed(BOOK, {SHEET: sheet(f"{_COLUMNS}</row><row>{cells}"), "xl/sharedStrings.xml": texts(shared)})


_NAMES = b"".join(a_text(0, at, name) for at, name in enumerate(_FIELDS))

LARGE: Mapping[str, Callable[[], bytes]] = {
    "list.avro": lambda: _avro({"type": "array", "items": "null"}, number(1 << 50) + number(0)),
    "itself.avro": lambda: _avro(["null", "r"], (number(1) + number(1)) * 490_000),
    "block.avro": _block,
    "records.avro": lambda: avro(dict.fromkeys(_FIELDS, "null"), (1 << 50, b"")),
    "length.avro": lambda: avro(_FIELDS) + number(1) + number(1 << 45),
    "rows.avro": lambda: avro(
        {"user_id": "int", "event": "null", "event_time": {"type": "int", "logicalType": "date"}},
        (300_000, b"\2\2" * 300_000),
    ),
    "text.parquet": lambda: _parquet(_shared("x" * 20_000_000, 10_000), dictionary_pagesize_limit=1 << 30),
    "group.parquet": lambda: _parquet(pa.array(["x" * 300_000_000]), use_dictionary=False, write_statistics=False),
    "values.parquet": lambda: _parquet(_shared("x", 20_000_000)),
    "footer.parquet": lambda: listing(50_000_000, 10, user_id=[1], event_time=["2026-01-01"]).getvalue(),
    "area.excel": lambda: _book('<c r="CV450000"><v>1</v></c>'),
    "shared.excel": lambda: _book("".join('</row><row><c t="s"><v>0</v></c>' for _ in range(60_000)), "x" * 100_000),
    "texts.excel": lambda: _book("", "x" * 300_000_000),
    "cells.excel": lambda: _book("<c><v>1</v></c>" * 5_000_000),
    "corners_of_old.excel": lambda: old_workbook(_NAMES + a_number(65_535, 65_535, 1)),
    "area_of_old.excel": lambda: old_workbook(_NAMES + a_number(65_535, 60, 1)),
    "shared_of_old.excel": lambda: old_workbook(
        _NAMES + b"".join(a_shared_text(row, 0) for row in range(1, 60_000)), "x" * 8_000
    ),
    "names.xml": lambda: b"<r>" + b"".join(b"<a><k%d/></a>" % (at % 9990) for at in range(60_000)) + b"</r>",
    "rows.xml": lambda: b"<r>" + b"<a/>" * 249_000 + b"</r>",
    "attributes.xml": lambda: b"<r><a " + b" ".join(b"a%d=''" % at for at in range(100_000)) + b"/></r>",
    "siblings.xml": lambda: b"<r><a>" + b"<b/>" * 240_000 + b"</a></r>",
    "deep.xml": lambda: b"<a>" * 333_000,
    "tag.xml": lambda: b"<r><a " + b"x" * 999_000,
    "lines.fixed_width": lambda: b"1\n" * 500_000,
}
"""Files of up to a megabyte for the columns user_id, event and event_time, named by their formats."""

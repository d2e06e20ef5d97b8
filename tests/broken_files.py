"""Files of every format that are not what they should be: torn, empty, of another kind, too large, changed."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from random import Random

from backports import zstd

from tests.typed_files import AVRO, ORC, PARQUET, WRITERS
from tests.workbooks import Cell, workbook

__all__ = ["FORMATS", "changed", "feed_text", "good", "torn", "troubles"]

FORMATS = ("csv", "json", "xml", "fixed_width", "excel", "text", PARQUET, AVRO, ORC)
_ENDINGS = {"fixed_width": "txt", "excel": "xlsx", "text": "log"}
_COLUMNS = {
    "text": "{id: {type: string, source_name: value}}",
    "fixed_width": "{id: {type: bigint, start: 1, width: 5}, name: {type: string, start: 6, width: 8}}",
}
_WIDE, _LONG = 5000, 1 << 20


def feed_text(name: str, format_: str) -> str:
    """A feed for files of a format, which adds rows."""
    schema = _COLUMNS.get(format_, "{id: {type: bigint, required: true}, name: string}")
    return (
        f"feed: {name}\nsource: {{path: '${{landing}}/{name}/', format: {format_}}}\nschema: {schema}\n"
        f"schema_contract: {{renamed_columns: set_null}}\nquarantine: {{all_bad: load}}\n"
        f"target: {{table: s.{name}, mode: append, audit_columns: true}}\n"
    )


def good(format_: str, rows: int = 3, more: Mapping[str, str] | None = None, name: str = "é") -> bytes:
    """A file of so many rows of a number and a name, with more columns."""
    found = [{"id": number, "name": f"{name}{number}", **(more or {})} for number in range(1, rows + 1)]
    match format_:
        case "csv":
            heads = ",".join(found[0])
            return "\n".join([heads, *(",".join(map(str, row.values())) for row in found), ""]).encode()
        case "json":
            lines = (", ".join(f'"{key}": "{value}"' for key, value in row.items()) for row in found)
            return "".join(f"{{{line}}}\n" for line in lines).encode()
        case "xml":
            inner = ("".join(f"<{key}>{value}</{key}>" for key, value in row.items()) for row in found)
            return f"<rows>{''.join(f'<row>{each}</row>' for each in inner)}</rows>\n".encode()
        case "fixed_width":
            rest = "".join((more or {}).values())
            return "".join(f"{row['id']:<5}{row['name']:<8}{rest}\n" for row in found).encode()
        case "excel":
            cells: list[list[Cell]] = [[number, f"{name}{number}"] for number in range(1, rows + 1)]
            return workbook({"A": [["id", "name"], *cells]})
        case "text":
            return "".join(f"{row['id']} {row['name']}{''.join((more or {}).values())}\n" for row in found).encode()
        case _:
            return WRITERS[format_]({"id": "bigint", **dict.fromkeys(["name", *(more or {})], "string")}, found)


def named(format_: str, stem: str, packed: str = "") -> str:
    return f"{stem}.{_ENDINGS.get(format_, format_)}{packed}"


def torn(format_: str, step: int) -> Iterator[tuple[str, bytes]]:
    """A good file, cut at every so many bytes."""
    content = good(format_)
    for length in range(0, len(content), step):
        yield named(format_, f"torn{length:05}"), content[:length]


def troubles(format_: str) -> Iterator[tuple[str, bytes]]:
    """A file of each kind of trouble, and good ones."""
    content = good(format_)
    yield named(format_, "good"), content
    yield named(format_, "empty"), b""
    yield named(format_, "long"), good(format_, 2, name="x" * _LONG)
    wide = {f"c{number}": "v" for number in range(_WIDE)}
    yield named(format_, "wide"), good(format_, 2, wide if format_ != "excel" else None)
    if format_ in ("csv", PARQUET, AVRO, ORC):
        yield named(format_, "collide"), good(format_, 2, {"ID": "7"})
    for encoding in ("utf-16", "latin-1"):
        if format_ in ("csv", "json", "xml", "fixed_width", "text"):
            yield named(format_, encoding), content.decode().encode(encoding)
    for other in FORMATS:
        if other != format_:
            yield named(format_, f"is_{other}"), good(other)
    yield named(format_, "page"), b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>"
    for ending, packed in _PACKED.items():
        yield named(format_, "packed", ending), packed(content)
        yield named(format_, "torn", ending), packed(content)[:-5]
        yield named(format_, f"is{ending.replace('.', '_')}"), packed(content)
    yield named(format_, "before", ".zip"), _pointing_before(_zipped(content))
    if format_ == PARQUET:
        yield named(format_, "pages"), content[:4] + b"\xff" * 8 + content[12:]


def _pointing_before(archive: bytes) -> bytes:
    """An archive that says of its members that they are before its first byte."""
    at = archive.rindex(b"PK\x05\x06") + 16
    return (
        archive[:at] + (int.from_bytes(archive[at : at + 4], "little") + 1000).to_bytes(4, "little") + archive[at + 4 :]
    )


def _zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", content)
        archive.writestr("b", content)
    return out.getvalue()


_PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".bz2": bz2.compress,
    ".zst": zstd.compress,
    ".zip": _zipped,
}


def changed(format_: str, dice: Random, number: int) -> tuple[str, bytes]:
    """A good file in which something was changed, packed or not, before or after."""
    content, packed = good(format_, dice.randrange(1, 40)), dice.choice([*_PACKED, "", "", "", ""])
    first = dice.random() < 0.5
    content = _hurt(content, dice) if first or not packed else content
    content = _PACKED[packed](content) if packed else content
    content = _hurt(content, dice) if packed and not first else content
    return named(format_, f"f{number:03}", packed), content


def _hurt(content: bytes, dice: Random) -> bytes:
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                del data[at:]
            case 1:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 2:
                data[at:at] = dice.choice([b'"', b"\n", b"<", b"{", b"\x00", b"\xff", b",", b"]]>", b"\r"])
            case 3:
                data[at:at] = data[max(0, at - 30) : at]
            case _:
                del data[at : at + dice.randrange(1, 12)]
    return bytes(data)

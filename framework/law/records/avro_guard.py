"""What an Avro file may claim. It is looked at before the library reads the file, which believes what it says: a list
of as many NULLs as a number has digits, a type that holds itself to any depth, a block of any size."""

from __future__ import annotations

import bz2
import importlib
import lzma
import os
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from framework.law.records.record import BrokenFile
from framework.names import Limits

__all__ = ["guard_blocks", "guard_schema"]

_SYNC = 16
_DEEPEST = 100
_XZ_MEMORY = 128 << 20
_ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def guard_schema(schema: Any, limits: Limits) -> None:
    """Raises BrokenFile for a schema by which few bytes can be any number of values."""
    if _Values().of(schema).number > limits.columns:
        raise BrokenFile(f"its records have more than {limits.columns} values, nested ones counted (limits.columns)")


class _Taken(NamedTuple):
    """How many values one of a type has, without more items of lists than one, and whether some take no bytes."""

    number: int = 1
    no_bytes: bool = False


class _Values:
    """See `of`, which raises BrokenFile for types that hold themselves, and for lists of what takes no bytes."""

    def __init__(self) -> None:
        self._named: dict[str, _Taken] = {}
        self._open: list[str] = []

    def of(self, schema: Any) -> _Taken:
        if isinstance(schema, list):  # whose values begin with the number of their type
            branches = [self.of(each) for each in schema if each != "null"]
            return _sum(branches, max((each.number for each in branches), default=1))
        if isinstance(schema, str):
            return self._of_name(schema)
        match schema["type"]:
            case "array" | "map" as kind:
                found = self.of(schema["items" if kind == "array" else "values"])
                if found.no_bytes:
                    raise BrokenFile("it has lists of values that take no bytes, of which there may be any number")
                return found
            case "record" | "error":
                return self._of_record(schema)
            case "fixed":
                return self._keep(schema, _Taken(no_bytes=not schema["size"]))
            case "enum":
                return self._keep(schema, _Taken())
            case other:
                return self.of(other)

    def _of_name(self, name: str) -> _Taken:
        if name in self._open:
            raise BrokenFile(f"its type {name[:80]!r} holds itself, to any depth")
        return self._named.get(name, _Taken(no_bytes=name == "null"))

    def _of_record(self, schema: Mapping[str, Any]) -> _Taken:
        self._open.append(schema.get("name", ""))
        if len(self._open) > _DEEPEST:
            raise BrokenFile(f"its records are more than {_DEEPEST} deep")
        fields = [self.of(field["type"]) for field in schema["fields"]]
        self._open.pop()
        return self._keep(schema, _sum(fields, sum(each.number for each in fields)) if fields else _Taken(1, True))

    def _keep(self, schema: Mapping[str, Any], found: _Taken) -> _Taken:
        self._named[schema.get("name", "")] = found
        return found


def _sum(parts: list[_Taken], number: int) -> _Taken:
    return _Taken(number, any(each.no_bytes for each in parts))


def guard_blocks(stream: BinaryIO, limits: Limits) -> None:
    """Raises BrokenFile for a file one of whose blocks, which the library unpacks at once, is larger than a record may
    be, and EOFError for one that is torn. The stream of another stands at its beginning afterwards."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(4)  # behind the signature
    codec = "null"
    for name, value in _metadata(stream, size):
        codec = value.decode("ascii", "replace") if name == b"avro.codec" else codec
    stream.seek(_SYNC, os.SEEK_CUR)
    while stream.tell() < size:
        records, packed = _number(stream), _taken(stream, size)
        length = _unpacked(packed, codec, limits.record)
        if max(len(packed), length) > limits.record:
            raise BrokenFile(f"a block in it has more than {limits.record} bytes (limits.record)")
        if records > length:
            raise EOFError("a block in it is said to have more records than bytes")
        stream.seek(_SYNC, os.SEEK_CUR)
    stream.seek(0)


def _metadata(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    while count := _number(stream):
        if count < 0:  # and then a length that says how to skip them
            _number(stream)
        for _ in range(abs(count)):
            yield _taken(stream, size), _taken(stream, size)


def _taken(stream: BinaryIO, size: int) -> bytes:
    """Bytes behind their number."""
    length = _number(stream)
    if not 0 <= length <= size - stream.tell():
        raise EOFError("a part of it is said to be longer than the rest of it")
    return stream.read(length)


def _number(stream: BinaryIO) -> int:
    found = shift = 0
    while True:
        byte = stream.read(1)
        if not byte or shift > 63:
            raise EOFError("it ends within a number")
        found |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return (found >> 1) ^ -(found & 1)


def _unpacked(packed: bytes, codec: str, most: int) -> int:
    """How many bytes a block has when it is unpacked; one that has more than the most may be told to have any more."""
    match codec:
        case "null":
            return len(packed)
        case "deflate":
            return len(zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most + 1))
        case "bzip2":
            return len(bz2.BZ2Decompressor().decompress(packed, most + 1))
        case "xz":
            return len(lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(packed, most + 1))
        case "zstandard":
            return len(importlib.import_module(_ZSTD).ZstdDecompressor().decompress(packed, most + 1))
        case "snappy":  # which says it before what it packed
            length = 0
            for at, byte in enumerate(packed[:5]):
                length |= (byte & 0x7F) << 7 * at
                if byte < 0x80:
                    break
            return length
        case "lz4":
            return int.from_bytes(packed[:4], "little")
        case _:
            raise BrokenFile(f"it is packed by {codec[:20]!r}, which is not read")

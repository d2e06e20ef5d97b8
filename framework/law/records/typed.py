"""Records of formats whose values have types: the rows of a library's reader, as the texts that the law reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeVar

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.conversions import NoText, as_json, text_by
from framework.law.layout import Kind, Layout, Rejected, typed_layout
from framework.law.records.record import BrokenFile, Record, too_long
from framework.names import Limits
from framework.types import DataType

__all__ = ["Member", "TypedFile", "TypedRecords", "whole"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Member:
    """A field by a file's own schema; `type` is None where no type of ours is its own."""

    name: str
    type: DataType | None


class TypedFile(Protocol):
    """A library's way to read one format from a stream."""

    what: str
    """What a file of the format is called."""
    signature: bytes

    def schema(self, stream: BinaryIO, limits: Limits) -> Sequence[Member] | Rejected:
        """The fields of a file's records, in their order. Raises BrokenFile for a file that would take more memory
        than one may."""
        ...

    def rows(self, stream: BinaryIO, wanted: Sequence[str]) -> Iterator[Sequence[Any]]:
        """The values of these fields, of which the file has each, row by row."""
        ...


class TypedRecords:
    """See `RecordReader`. What the library raises because of a file is a `BrokenFile`."""

    kind = Kind.TYPED
    by_beginning = False

    def __init__(self, file: TypedFile) -> None:
        self._file = file
        self.signature: bytes | None = file.signature

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        del encoding
        with _blamed(self._file.what):
            found = self._file.schema(stream, feed.source.limits)
        if isinstance(found, Rejected):
            return found, None
        return typed_layout(feed, [each.name for each in found], [each.type for each in found]), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        del encoding
        types = {column.name: column.type for column in feed.columns}
        every = range(len(layout.record))
        wanted = [frozenset(types[name] for name, at in layout.fields if at == index) for index in every]
        texts = [text_by(field.type, each) for field, each in zip(layout.record, wanted, strict=True)]
        names, limits = layout.names, feed.source.limits
        most, why = limits.most_unpacked(stream.seek(0, os.SEEK_END))
        stream.seek(0)
        for number, row in enumerate(whole(self._file.rows(stream, names), self._file.what), 1):
            record = _record(number, names, row, texts)
            most -= len(record.raw)
            if most < 0:
                raise BrokenFile(why)
            if len(record.raw) > limits.record:
                record = Record(number, None, *too_long(record.raw, len(record.raw), limits.record))
            yield record


def _record(
    number: int, names: Sequence[str], row: Sequence[Any], texts: Sequence[Callable[[Any], str | None]]
) -> Record:
    try:
        fields = tuple(text(value) for text, value in zip(texts, row, strict=True))
    except NoText as error:
        return Record(number, None, _shown(names, row), f"the record has {error}")
    return Record(number, fields, as_json(dict(zip(names, row, strict=True))))


def whole(found: Iterator[_T], what: str) -> Iterator[_T]:
    """What an iterator of a library gives; whatever it raises is the file's fault."""
    end = object()
    while True:
        with _blamed(what):
            item = next(found, end)
        if item is end:
            return
        yield item  # type: ignore[misc]


@contextmanager
def _blamed(what: str) -> Iterator[None]:
    """What a library raises is the file's fault, unless it is the machine's or ours."""
    try:
        yield
    except (LandfeedError, MemoryError, BrokenFile):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise BrokenFile(f"the file is not a complete {what} file ({reason})") from error


def _shown(names: Sequence[str], row: Sequence[Any]) -> str:
    values = (value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value for value in row)
    try:
        return as_json(dict(zip(names, values, strict=True)))
    except NoText:
        return repr(dict(zip(names, row, strict=True)))

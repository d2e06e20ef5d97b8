"""How a JSON file falls apart into records: one object a line. The law for every engine.

Lines that are blank are no records. A line that is not a JSON object is malformed.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from framework.feed import Feed
from framework.law.layout import Kind, Layout, Rejected, json_layout
from framework.law.records.record import Record
from framework.law.values import json_fields

__all__ = ["NOT_AN_OBJECT", "JsonRecords"]

NOT_AN_OBJECT = "the line is not a JSON object"


class JsonRecords:
    """See `RecordReader`."""

    kind = Kind.JSON

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        keys: dict[str, None] = {}
        objects = 0
        for line in _lines(stream, encoding):
            found = json_fields(line.raw) if line.error is None else None
            if found is not None:
                objects += 1
                keys |= dict.fromkeys(found)
        return json_layout(feed, list(keys)) if objects else Layout((), ()), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        del feed
        names = layout.names
        for line in _lines(stream, encoding):
            found = json_fields(line.raw) if line.error is None else None
            if found is None:
                yield Record(line.line, None, line.raw, line.error or NOT_AN_OBJECT)
            else:
                yield Record(line.line, tuple(map(found.get, names)), line.raw)


def _lines(stream: BinaryIO, encoding: str) -> Iterator[Record]:
    """The lines that are not blank, without fields; those with undecodable bytes say so."""
    if codecs.lookup(encoding).name != "utf-8":
        for number, raw in enumerate(codecs.getreader(encoding)(stream, "backslashreplace"), 1):
            text = raw.strip().removeprefix("\ufeff")
            if text:
                yield Record(number, None, text)
        return
    for number, line in enumerate(stream, 1):
        bare = line.rstrip(b"\r\n")
        if number == 1:
            bare = bare.removeprefix(codecs.BOM_UTF8)
        if bare:
            try:
                yield Record(number, None, bare.decode("utf-8"))
            except UnicodeDecodeError as error:
                raw = bare.decode("utf-8", "backslashreplace")
                yield Record(number, None, raw, f"not UTF-8: {error.reason}")

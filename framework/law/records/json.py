"""How a JSON file falls apart into records: its documents, one after another. The law for every engine.

- Blanks and line ends between documents mean nothing: one object a line, several in a line, and objects over many
  lines are read alike. A file that begins with an array of objects is that array, and its elements are the records.
- With `source.records` the records are the elements of the array that each document holds in that field (or the one
  object there); a dot leads to a field within a field.
- Every record that is not an object is malformed. So is text that is no document, up to where the brackets that it
  opens are closed again, or to the end of its line; reading goes on behind it.
- NaN, Infinity and -Infinity are numbers; of a key that stands twice in an object the last value counts; all else is
  as RFC 8259 has it. A byte that the encoding does not have makes its record malformed, and so do more than
  `DEEPEST` brackets within each other.
- A document of more than `limits.record` characters is one malformed record, of which only the beginning is kept.
- A column whose name has dots is a path into the record where no file has a key of that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from framework.feed import Column, Feed
from framework.law.layout import Kind, Layout, Rejected, growing, json_layout, json_paths, same_name
from framework.law.members import members_of_value
from framework.law.records.documents import Document, documents
from framework.law.records.record import Record
from framework.law.values import json_text

__all__ = ["JsonRecords"]


class JsonRecords:
    """See `RecordReader`."""

    kind = Kind.JSON
    signature: bytes | None = None
    by_beginning = False

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        keys: dict[str, None] = {}
        paths: dict[tuple[str, ...], None] = {}
        wanted, members, objects, last = json_paths(feed), _Members(feed), 0, None
        for found in _documents(stream, encoding, feed):
            if found.value is None:
                last = found
                continue
            objects += 1
            keys |= dict.fromkeys(found.value)
            members.take(found.value)
            for path in wanted:
                if path not in paths and _has(found.value, path):
                    paths[path] = None
        if not objects and last is not None and last.error and "(source.records)" in last.error:
            return Rejected(last.error), None
        return json_layout(feed, list(keys), list(paths), list(members.found)) if objects else Layout((), ()), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        ways = [field.path for field in layout.record]
        plain = [way[0] if len(way) == 1 else None for way in ways]
        for found in _documents(stream, encoding, feed):
            value = found.value
            if value is None:
                yield Record(found.line, None, found.raw, found.error)
                continue
            pairs = zip(plain, ways, strict=True)
            fields = [value.get(name) if name is not None else _at(value, way) for name, way in pairs]
            yield Record(found.line, tuple(map(json_text, fields)), found.raw)


class _Members:
    """The members of structs that the schema does not have, by column, in order of first appearance."""

    def __init__(self, feed: Feed) -> None:
        self._growing = growing(feed)
        self._columns: dict[str, Column | None] = {}
        self.found: dict[tuple[str, tuple[str, ...]], None] = {}

    def take(self, value: dict[str, Any]) -> None:
        if not self._growing:
            return
        for key, item in value.items():
            if isinstance(item, dict | list):
                if key not in self._columns:
                    self._columns[key] = self._growing.get(same_name(key))
                if (column := self._columns[key]) is not None:
                    for path in members_of_value(item, column.declared or column.type):
                        self.found[column.name, path] = None


def _documents(stream: BinaryIO, encoding: str, feed: Feed) -> Iterator[Document]:
    field = feed.source.records
    return documents(stream, encoding, feed.source.limits.record, field.split(".") if field else ())


def _has(value: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value

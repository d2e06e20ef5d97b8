"""JSON files line by line, for engines that read many lines of a file at once: as far as each line holds one record,
whatever stands in the lines around it. Only then are the file's records its lines."""

from __future__ import annotations

import io
import json
from typing import Any

from framework.feed import Feed
from framework.law.layout import Layout, growing, json_paths
from framework.law.records.documents import documents
from framework.law.records.record import Record
from framework.law.values import DEEPEST, json_document, json_object, json_text

__all__ = ["JsonLines", "NotByItself", "by_lines"]

_BLANK = " \t\r\n"
_MARK = "\ufeff"
_NEXT = {"the next line": "is a record"}
"""What is put behind a line to see whether the line lets it be."""


class NotByItself(Exception):
    """A line is no record by itself: with the lines around it, or several records."""


def by_lines(feed: Feed) -> bool:
    """Whether the files of a feed may be read line by line at all."""
    return feed.source.records is None and not json_paths(feed) and not growing(feed)


class JsonLines:
    """Reads lines of files of one layout; `new` are the keys that it does not have, in the order in which they came."""

    def __init__(self, feed: Feed, layout: Layout) -> None:
        self._one_encoding = len(feed.source.encodings) == 1
        self._longest, self._names = feed.source.limits.record, layout.names
        self._known = {*layout.names, *layout.others}
        self.new: dict[str, None] = {}

    def record(self, line: bytes, number: int) -> Record | None:
        """The record of a line without its end; None for a blank one. Raises NotByItself."""
        try:
            text = line.decode().strip(_BLANK)
        except UnicodeDecodeError as error:
            if not self._one_encoding:  # the file may be in another one
                raise NotByItself from error
            return self._as_documents(line, number)
        if not text:
            return None
        try:
            document, end = json_document(text)
        except json.JSONDecodeError:
            if _may_go_on(text):
                raise NotByItself from None
            return self._as_documents(line, number)
        except RecursionError:
            return self._as_documents(line, number)
        value = json_object(document, text)
        if value is None or end != len(text) or end > self._longest or text.count("{") + text.count("[") > DEEPEST:
            return self._as_documents(line, number)
        return Record(number, self._fields(value), text)

    def _fields(self, value: dict[str, Any]) -> tuple[str | None, ...]:
        if not value.keys() <= self._known:
            for name in value:
                if name not in self._known:
                    self._known.add(name)
                    self.new[name] = None
        return tuple([json_text(value.get(name)) for name in self._names])

    def _as_documents(self, line: bytes, number: int) -> Record:
        """What the reader of documents finds where a line behind this one is a record."""
        if line.startswith(_MARK.encode()):
            raise NotByItself
        stream = io.BytesIO(line + b"\n" + json.dumps(_NEXT).encode() + b"\n")
        found = list(documents(stream, "utf-8", self._longest))
        if len(found) != 2 or found[0].line != 1 or found[1].value != _NEXT:
            raise NotByItself
        value = found[0].value
        return Record(number, None if value is None else self._fields(value), found[0].raw, found[0].error)


def _may_go_on(text: str) -> bool:
    """Whether a text that is no JSON may become some by the lines behind it: what is wrong stands at its end. That a
    string is not closed in its line is wrong whatever comes."""
    try:
        json_document(text + "\n")
    except json.JSONDecodeError as error:
        return error.pos >= len(text) and not error.msg.startswith("Invalid control character")
    return False

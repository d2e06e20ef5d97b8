"""How a JSON file falls apart into records: its documents, one after another. The law for every engine.

- Blanks and line ends between documents mean nothing: one object a line, several in a line, and objects over many
  lines are read alike. A file that begins with an array of objects is that array, and its elements are the records.
- Every document that is not an object is malformed. So is text that is no document, up to where the brackets that it
  opens are closed again, or to the end of its line; reading goes on behind it.
- NaN, Infinity and -Infinity are numbers; of a key that stands twice in an object the last value counts; all else is
  as RFC 8259 has it. A byte that the encoding does not have makes its record malformed.
- A document of more than `limits.record` characters is one malformed record, of which only the beginning is kept.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from framework.feed import Feed
from framework.law.layout import Kind, Layout, Rejected, json_layout
from framework.law.records.record import Record, decoded, shown_raw, too_long, undecodable
from framework.law.values import json_document, json_members

__all__ = ["JsonRecords"]

_NOT_AN_OBJECT = "the record is not a JSON object"
_NOT_JSON = "the record is not JSON"
_CHUNK = 1 << 18
_BLANK = re.compile(r"[ \t\r\n]*")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ARRAY = re.compile(r"\ufeff?[ \t\r\n]*\[[ \t\r\n]*[{\]]")
_OUTSIDE = re.compile(r'["{}\[\]\r\n]')
_ELEMENT = re.compile(r'["{}\[\],\r\n]')
_IN_STRING = re.compile(r'["\\\r\n]')
_NEAR = 16
"""Characters from the end of what was read in which an error may be for want of the rest: a word or an escape."""


class JsonRecords:
    """See `RecordReader`."""

    kind = Kind.JSON
    signature: bytes | None = None
    by_beginning = False

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        keys: dict[str, None] = {}
        objects = 0
        for found in _documents(stream, encoding, feed.source.limits.record):
            if found.members is not None:
                objects += 1
                keys |= dict.fromkeys(found.members)
        return json_layout(feed, list(keys)) if objects else Layout((), ()), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        names = layout.names
        for found in _documents(stream, encoding, feed.source.limits.record):
            if found.members is None:
                yield Record(found.line, None, found.raw, found.error)
            else:
                yield Record(found.line, tuple(map(found.members.get, names)), found.raw)


@dataclass(slots=True)
class _Document:
    line: int
    raw: str
    error: str | None = None
    members: dict[str, str | None] | None = None


def _documents(stream: BinaryIO, encoding: str, longest: int) -> Iterator[_Document]:
    beginning = codecs.getincrementaldecoder(encoding)("ignore").decode(stream.read(_CHUNK))
    stream.seek(0)
    with decoded(stream, encoding) as text:
        reader = _Reader(text, longest)
        yield from reader.elements() if _ARRAY.match(beginning) else reader.documents()


class _Reader:
    """Reads documents from a window of the text: `_buffer` from `_at` on is what comes next, in line `_line`."""

    def __init__(self, text: io.TextIOWrapper, longest: int) -> None:
        self._text, self._buffer, self._at, self._line = text, "", 0, 1
        self._longest = longest
        self._outside = _OUTSIDE
        self._more()
        self._buffer = self._buffer.removeprefix("\ufeff")

    # The text

    def _more(self) -> bool:
        """Have more of the text in the window; whether there was more."""
        rest = self._buffer[self._at :]
        found = self._text.read(max(_CHUNK, len(rest)))
        if found.endswith("\r"):  # a line end is not taken apart
            found += self._text.read(1)
        self._buffer, self._at = rest + found, 0
        return bool(found)

    def _next(self) -> str:
        """The first character of what comes next, which is no blank; an empty text at the end."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._move(blank.end() if blank else self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _move(self, to: int) -> str:
        """Leave what stands before this place behind; that text."""
        passed = self._buffer[self._at : to]
        self._line += passed.count("\n")
        if "\r" in passed:
            self._line += passed.count("\r") - passed.count("\r\n")
        self._at = to
        return passed

    # What stands in it

    def documents(self) -> Iterator[_Document]:
        """The documents of a file that is no array of objects."""
        while character := self._next():
            yield self._document() if character in "{[" else self._broken(_NOT_AN_OBJECT, whole_line=True)

    def elements(self) -> Iterator[_Document]:
        """The elements of the array that the file is."""
        self._outside = _ELEMENT
        self._next()
        self._move(self._at + 1)
        after = ""  # what the last thing was: an element, a comma, or text that was none of them
        while (character := self._next()) and character != "]":
            if character == ",":
                line, raw = self._line, self._move(self._at + 1)
                if after in ("", ","):
                    yield _Document(line, raw, "there is nothing before a comma")
                after = ","
                continue
            found = self._document() if character in "{[" else self._broken(_NOT_AN_OBJECT)
            if after == "element":
                found = _Document(found.line, found.raw, "there is no comma before the record")
            after = "element" if found.members is not None else "text"
            yield found
        if character != "]":
            yield _Document(self._line, "", "the array that the file begins with does not end")
            return
        if after == ",":
            yield _Document(self._line, "]", "there is nothing behind a comma")
        self._move(self._at + 1)
        while self._next():
            yield self._broken("the array that the file begins with has ended", whole_line=True)

    def _document(self) -> _Document:
        """The document that begins with a bracket here."""
        while True:
            try:
                value, end = json_document(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if self._may_go_on(error) and self._more():
                    continue
                return self._broken(_NOT_JSON)
            except RecursionError:
                return self._broken("the record is nested too deep")
            return self._whole(value, end)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether the document may only want what was not read yet."""
        near = error.pos >= len(self._buffer) - _NEAR or error.msg.startswith("Unterminated string")
        return near and len(self._buffer) - self._at <= self._longest

    def _whole(self, value: Any, end: int) -> _Document:
        line, raw = self._line, self._move(end)
        if len(raw) > self._longest:
            return _Document(line, *too_long(raw, len(raw), self._longest))
        if undecodable(raw):
            return _Document(line, shown_raw(raw), "a byte is not valid in the file's encoding")
        members = json_members(value, raw)
        return _Document(line, raw, None if members is not None else _NOT_AN_OBJECT, members)

    def _broken(self, error: str, *, whole_line: bool = False) -> _Document:
        """Text that is no document: up to where its brackets are closed, or to the end of its line."""
        line, at, head, before = self._line, self._at, "", 0
        scan = _LineEnd() if whole_line else _Brackets(self._outside)
        while (end := scan.end(self._buffer, at)) is None:
            at = len(self._buffer) - self._at
            if at > self._longest:  # only its beginning is of interest
                head, before, at, self._at = head or self._buffer[self._at :], before + at, 0, len(self._buffer)
            if not self._more():
                end = len(self._buffer)
                break
        raw = self._move(max(end, self._at + (not before))).rstrip()
        if before + len(raw) > self._longest:
            return _Document(line, *too_long(head or raw, before + len(raw), self._longest))
        problem = "a byte is not valid in the file's encoding" if undecodable(raw) else error
        return _Document(line, shown_raw(raw), problem)


class _LineEnd:
    """Looks for the end of a line in a text that comes in pieces."""

    def end(self, text: str, at: int) -> int | None:
        """Where it is in this piece, looked for from `at` on."""
        found = _LINE_END.search(text, at)
        return found.start() if found else None


class _Brackets:
    """Looks for the place where all brackets of a text are closed, for a comma outside them, or for a line end."""

    def __init__(self, marks: re.Pattern[str]) -> None:
        self._marks, self._depth, self._quoted, self._escaped = marks, 0, False, False

    def end(self, text: str, at: int) -> int | None:
        """See `_LineEnd`."""
        if self._escaped and at < len(text):
            self._escaped, at = False, at + 1
        while found := (_IN_STRING if self._quoted else self._marks).search(text, at):
            at = found.end()
            match found.group():
                case "\\":
                    self._escaped = at == len(text)
                    at += 1
                case '"':
                    self._quoted = not self._quoted
                case "{" | "[":
                    self._depth += 1
                case "}" | "]" if self._depth > 1:
                    self._depth -= 1
                case "}" | "]" if self._depth == 1:
                    return at
                case "," if self._depth:
                    pass
                case _:
                    return found.start()
        return None

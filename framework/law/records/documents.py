"""The documents of a JSON text, one after another, read from a window that moves over it; see `records.json`."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from framework.law.records.brackets import Brackets, Depth, LineEnd
from framework.law.records.record import NOT_VALID, decoded, shown_raw, too_long, undecodable
from framework.law.values import DEEPEST, json_document, json_object

__all__ = ["Document", "documents"]

_NOT_AN_OBJECT = "the record is not a JSON object"
_NOT_JSON = "the record is not JSON"
_TOO_DEEP = f"the record is nested too deep; it may have {DEEPEST} levels"
_CHUNK = 1 << 18
_BLANK = re.compile(r"[ \t\r\n]*")
_ARRAY = re.compile(r"\ufeff?[ \t\r\n]*\[[ \t\r\n]*[{\]]")
_OUTSIDE = re.compile(r'["{}\[\]\r\n]')
_ELEMENT = re.compile(r'["{}\[\],\r\n]')
_NEAR = 16
"""Characters from the end of what was read in which an error may be for want of the rest: a word or an escape."""


@dataclass(slots=True)
class Document:
    """A record: its line, its text, and its value where it is an object; or what is wrong with it."""

    line: int
    raw: str
    error: str | None = None
    value: dict[str, Any] | None = None


class _Lost(Exception):
    """What stands here is not JSON."""


def documents(stream: BinaryIO, encoding: str, longest: int, field: Sequence[str] = ()) -> Iterator[Document]:
    """The records of a text: its documents, or the elements of the array that it is; with `field` the elements of the
    array that each of its documents holds there. Of records of more than `longest` characters only the beginning is
    kept, and no more of the text is in memory than one record and a window."""
    beginning = codecs.getincrementaldecoder(encoding)("ignore").decode(stream.read(_CHUNK))
    stream.seek(0)
    with decoded(stream, encoding) as text:
        reader = _Reader(text, longest)
        if field:
            yield from reader.held(field)
        else:
            yield from reader.elements() if _ARRAY.match(beginning) else reader.documents()


class _Reader:
    """Reads documents from a window of the text: `_buffer` from `_at` on is what comes next, in line `_line`."""

    def __init__(self, text: io.TextIOWrapper, longest: int) -> None:
        self._text, self._buffer, self._at, self._line = text, "", 0, 1
        self._longest = longest
        self._outside = _OUTSIDE
        self._wary, self._depth, self._before = False, Depth(), 0
        self._more()
        self._buffer = self._buffer.removeprefix("\ufeff")

    # The text

    def _more(self) -> bool:
        """Have more of the text in the window; whether there was more."""
        rest = self._buffer[self._at :]
        found = self._text.read(max(_CHUNK, len(rest)))
        if found.endswith("\r"):  # a line end is not taken apart
            found += self._text.read(1)
        self._before += self._at
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

    def documents(self) -> Iterator[Document]:
        """The documents of a file that is no array of objects."""
        while character := self._next():
            yield self._document() if character in "{[" else self._broken(_NOT_AN_OBJECT, whole_line=True)

    def elements(self) -> Iterator[Document]:
        """The elements of the array that the file is."""
        self._next()
        yield from self._elements("the array that the file begins with does not end")
        while self._next():
            yield self._broken("the array that the file begins with has ended", whole_line=True)

    def held(self, field: Sequence[str]) -> Iterator[Document]:
        """The elements of the arrays that the file's documents hold in a field."""
        while character := self._next():
            line = self._line
            try:
                if character != "{":
                    yield self._broken(_NOT_AN_OBJECT, whole_line=True)
                elif not (yield from self._members(field)):
                    yield Document(line, "", f"the document has no field {'.'.join(field)} (source.records)")
            except _Lost:
                yield self._broken(_NOT_JSON, whole_line=True)

    def _members(self, field: Sequence[str]) -> Generator[Document, None, bool]:
        """The rows that the object which begins here holds in a field; whether it has that field. Raises _Lost."""
        there, mark = False, "{"
        while True:
            self._move(self._at + 1)
            character = self._next()
            if character == "}" and mark == "{":
                break
            name = self._value() if character == '"' else None
            if name is None or self._next() != ":":
                raise _Lost
            self._move(self._at + 1)
            if name == field[0]:
                there = (yield from self._below(field[1:])) or there
            else:
                self._next()
                self._value()
            mark = self._next()
            if mark == "}":
                break
            if mark != ",":
                raise _Lost
        self._move(self._at + 1)
        return there

    def _below(self, field: Sequence[str]) -> Generator[Document, None, bool]:
        character = self._next()
        if field:
            if character == "{":
                return (yield from self._members(field))
            self._value()
            return False
        if character == "[":
            yield from self._elements("the array of records does not end")
        elif character == "{":
            yield self._document()
        elif self._value() is not None:
            raise _Lost
        return True

    def _value(self) -> Any:
        """The value that begins here, and that is passed over. Raises _Lost."""
        while True:
            try:
                value, end = json_document(self._buffer, self._at)
            except (json.JSONDecodeError, RecursionError) as error:
                if isinstance(error, json.JSONDecodeError) and self._may_go_on(error) and self._more():
                    continue
                raise _Lost from error
            if end == len(self._buffer) and self._more():  # a number may go on
                continue
            self._move(end)
            return value

    def _elements(self, no_end: str) -> Iterator[Document]:
        """The elements of the array that begins here, up to behind its end."""
        self._outside = _ELEMENT
        self._move(self._at + 1)
        after = ""  # what the last thing was: an element, a comma, or text that was none of them
        while (character := self._next()) and character != "]":
            if character == ",":
                line, raw = self._line, self._move(self._at + 1)
                if after in ("", ","):
                    yield Document(line, raw, "there is nothing before a comma")
                after = ","
                continue
            found = self._document() if character in "{[" else self._broken(_NOT_AN_OBJECT)
            if after == "element":
                found = Document(found.line, found.raw, "there is no comma before the record")
            after = "element" if found.value is not None else "text"
            yield found
        self._outside = _OUTSIDE
        if character != "]":
            yield Document(self._line, "", no_end)
            return
        if after == ",":
            yield Document(self._line, "]", "there is nothing behind a comma")
        self._move(self._at + 1)

    def _document(self) -> Document:
        """The document that begins with a bracket here."""
        if self._wary and self._too_deep():  # behind a broken one: what leads nowhere is not parsed again and again
            return self._broken(_TOO_DEEP)
        while True:
            try:
                value, end = json_document(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if self._may_go_on(error) and self._more():
                    continue
                return self._broken(_TOO_DEEP if self._too_deep() else _NOT_JSON)
            except RecursionError:
                return self._broken(_TOO_DEEP)
            brackets = self._buffer.count("{", self._at, end) + self._buffer.count("[", self._at, end)
            if brackets > DEEPEST and self._too_deep():
                return self._broken(_TOO_DEEP)
            self._wary = False
            return self._whole(value, end)

    def _too_deep(self) -> bool:
        return self._depth.is_too_much(self._buffer, self._at, self._before)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether the document may only want what was not read yet."""
        near = error.pos >= len(self._buffer) - _NEAR or error.msg.startswith("Unterminated string")
        return near and len(self._buffer) - self._at <= self._longest

    def _whole(self, value: Any, end: int) -> Document:
        line, raw = self._line, self._move(end)
        if len(raw) > self._longest:
            return Document(line, *too_long(raw, len(raw), self._longest))
        if undecodable(raw):
            return Document(line, shown_raw(raw), NOT_VALID)
        found = json_object(value, raw)
        return Document(line, raw, None if found is not None else _NOT_AN_OBJECT, found)

    def _broken(self, error: str, *, whole_line: bool = False) -> Document:
        """Text that is no document: up to where its brackets are closed, or to the end of its line."""
        self._wary = True
        line, at, head, before = self._line, self._at, "", 0
        scan = LineEnd() if whole_line else Brackets(self._outside)
        while (end := scan.end(self._buffer, at)) is None:
            at = len(self._buffer) - self._at
            if at > self._longest:  # only its beginning is of interest
                head, before, at, self._at = head or self._buffer[self._at :], before + at, 0, len(self._buffer)
            if not self._more():
                end = len(self._buffer)
                break
        raw = self._move(max(end, self._at + (not before))).rstrip()
        if before + len(raw) > self._longest:
            return Document(line, *too_long(head or raw, before + len(raw), self._longest))
        problem = NOT_VALID if undecodable(raw) else error
        return Document(line, shown_raw(raw), problem)

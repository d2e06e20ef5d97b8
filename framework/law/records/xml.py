"""XML files: the elements below one are the records, by default those below the outermost.

- Attributes are fields, `@name`; elements are fields by their names. What has elements or attributes of its own is an
  object, what occurs several times a list; a column's type says what one that occurs once is. Text beside attributes or
  elements is `#text`. Prefixes of names do not count, nor do declarations of namespaces.
- An element without text, and one that says xsi:nil, is NULL. Comments and processing instructions are nothing.
- The encoding is the one that the file declares, or else the feed's first.
- A DOCTYPE refuses the file: entities of its own, and files and addresses that they name, are never looked at. So is a
  file that is no well-formed XML to its end.
- A record of more than `limits.record` characters is malformed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.parsers import expat

from framework.feed import Feed
from framework.law.layout import Kind, Layout, Rejected, found_layout
from framework.law.records.record import BrokenFile, Record
from framework.types import Array, DataType, Map, Struct

__all__ = ["XmlRecords"]

_CHUNK = 1 << 16
_DEEPEST = 200
_TEXT = "#text"


class XmlRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT
    signature: bytes | None = rb"(?:\xef\xbb\xbf)?\s*<|(?:\xff\xfe)?(?:\s\x00)*<\x00|(?:\xfe\xff)?(?:\x00\s)*\x00<"
    by_beginning = False

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        del encoding  # it is the parser's business
        names: dict[str, None] = {}
        paths = {name for column in feed.columns for name in column.source_names if "." in name}
        parser = _Parser(feed)
        for row in parser.rows(stream):
            if row.value is not None:
                names |= dict.fromkeys(row.value)
                names |= dict.fromkeys(path for path in paths if _at(row.value, path) is not None)
        if feed.source.records is not None and not parser.found:
            return Rejected(f"there is no element {feed.source.records!r} in the file (source.records)"), None
        return found_layout(feed, list(names)) if names else Layout((), ()), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        del encoding
        types = {layout.names[index]: column.type for column in feed.columns for index in _indexes(layout, column.name)}
        for row in _Parser(feed).rows(stream):
            if row.value is None:
                error = f"the record has {row.size} characters; it may have {feed.source.limits.record} (limits.record)"
                yield Record(row.line, None, f"… ({row.size} characters)", error)
                continue
            fields = tuple(_text(_at(row.value, name), types.get(name)) for name in layout.names)
            yield Record(row.line, fields, json.dumps(row.value, ensure_ascii=False))


def _indexes(layout: Layout, column: str) -> list[int]:
    index = layout.index(column)
    return [] if index is None else [index]


def _at(value: Any, name: str) -> Any:
    """The member of this name, or at this path where there is no such name."""
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    head, _, rest = name.partition(".")
    return _at(value.get(head), rest) if rest else None


def _text(value: Any, type_: DataType | None) -> str | None:
    """A value as the text that its column reads: as it is for scalars, JSON for nested ones."""
    if type_ is not None:
        value = _as(value, type_)
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as(value: Any, type_: DataType) -> Any:
    """A value in the shape of a type: one element as a list of one, text without the attributes beside it."""
    match type_:
        case Array(element):
            items = value if isinstance(value, list) else [] if value is None else [value]
            return [_as(item, element) for item in items] if value is not None else None
        case Struct(members):
            if isinstance(value, str):
                value = {_TEXT: value}
            if not isinstance(value, dict):
                return value
            return {name: _as(value.get(name), member) for name, member in members}
        case Map(_, member):
            return {name: _as(item, member) for name, item in value.items()} if isinstance(value, dict) else value
        case _:
            only_text = isinstance(value, dict) and all(name == _TEXT or name.startswith("@") for name in value)
            return value.get(_TEXT) if only_text else value


@dataclass(slots=True)
class _Row:
    """A record, and the line on which it begins; its value is None where it is too long."""

    line: int
    value: dict[str, Any] | None
    size: int = 0


@dataclass(slots=True)
class _Element:
    name: str
    members: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    nil: bool = False

    def add(self, name: str, value: Any) -> None:
        if name not in self.members:
            self.members[name] = value
        elif isinstance(self.members[name], list):
            self.members[name].append(value)
        else:
            self.members[name] = [self.members[name], value]

    def value(self) -> Any:
        text = "".join(self.text)
        if self.nil:
            return None
        if not self.members:
            return text or None
        if text.strip():
            self.members[_TEXT] = text
        return self.members


class _Parser:
    """Takes records out of a file. `found` says whether the element that holds them has come."""

    def __init__(self, feed: Feed) -> None:
        self._holder, self._longest = feed.source.records, feed.source.limits.record
        self._encoding, self.found = feed.source.encodings[0], feed.source.records is None
        self._depth, self._holding = 0, 0 if feed.source.records is not None else 1
        self._open: list[_Element] = []
        self._rows: list[_Row] = []
        self._line = self._size = 0

    def rows(self, stream: BinaryIO) -> Iterator[_Row]:
        """The records. Raises BrokenFile."""
        stream.seek(0)
        beginning = stream.read(_CHUNK)
        self._expat = self._made(beginning)
        chunk, behind = beginning, 0
        while True:
            try:
                self._expat.Parse(chunk, not chunk)
            except expat.ExpatError as error:
                what = expat.errors.messages.get(error.code, "error")
                raise BrokenFile(f"the file is no well-formed XML: {what}, line {error.lineno}") from error
            except (LookupError, ValueError) as error:
                raise BrokenFile(f"the file is no XML that can be read: {error}") from error
            yield from self._rows
            self._rows.clear()
            if not chunk:
                return
            behind += len(chunk)
            if behind - max(self._expat.CurrentByteIndex, 0) > 4 * self._longest:
                raise BrokenFile(f"a tag in it has more than {self._longest} characters (limits.record)")
            chunk = stream.read(_CHUNK)

    def _made(self, beginning: bytes) -> expat.XMLParserType:
        declared = b"encoding" in beginning[:200].replace(b"\0", b"") or beginning[:2] in (b"\xff\xfe", b"\xfe\xff")
        made = expat.ParserCreate(None if declared else self._encoding)
        made.buffer_text = True
        made.StartDoctypeDeclHandler = _refused
        made.StartElementHandler, made.EndElementHandler = self._start, self._end
        made.CharacterDataHandler = self._characters
        return made

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BrokenFile(f"its elements are more than {_DEEPEST} deep")
        if not self._holding:
            if name == self._holder:
                self._holding, self.found = self._depth, True
            return
        if self._depth <= self._holding:
            return
        if not self._open:
            self._line, self._size = self._expat.CurrentLineNumber, 0
        self._size += len(name) + sum(len(key) + len(value) for key, value in attributes.items())
        element = _Element(name)
        for key, value in attributes.items():
            local = key.rpartition(":")[2]
            if local == "nil" and value.strip() in ("true", "1"):
                element.nil = True
            elif key != "xmlns" and not key.startswith("xmlns:") and self._fits():
                element.add(f"@{local}", value)
        self._open.append(element)

    def _characters(self, text: str) -> None:
        if self._open:
            self._size += len(text)
            if self._fits():
                self._open[-1].text.append(text)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._holder is not None and self._depth < self._holding:
            self._holding = 0
        if not self._open:
            return
        element = self._open.pop()
        if self._open:
            if self._fits():
                self._open[-1].add(element.name, element.value())
            return
        value = element.value()
        row = value if isinstance(value, dict) else {} if value is None else {_TEXT: value}
        self._rows.append(_Row(self._line, row if self._fits() else None, self._size))

    def _fits(self) -> bool:
        return self._size <= self._longest


def _refused(*_: Any) -> None:
    raise BrokenFile("the file has a DOCTYPE, which is never read; send it without")

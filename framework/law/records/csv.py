"""How a CSV file falls apart into records. The law for every engine.

RFC 4180, and where it is silent:

- Lines end with LF, CRLF or CR. Wholly empty lines and comment lines are no records.
- A field that begins with the quote character is quoted up to the closing one; within it the escape
  character before a quote (or before itself) makes it literal, and line ends are part of the value
  (`multiLine`). Text after the closing quote makes the record malformed.
- A quote inside a field that does not begin with one is literal text.
- An empty unquoted field is None (NULL), `""` an empty string.
- A record that goes wrong costs its first line only: reading goes on with the next line. So a quote
  that is never closed (in 32 MiB) takes one line with it, not the rest of the file.
- A byte that the encoding does not have makes its record malformed. NUL is a character like others.

This reader is exact and slow (tens of MB a second); engines use faster ones for files in which these
find nothing wrong, and tests hold them against this one.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from framework.feed import CsvOptions, Feed
from framework.law.layout import Kind, Layout, Rejected, csv_layout
from framework.law.records.record import LONGEST_RECORD, Record, decoded, shown_raw, undecodable

__all__ = ["CsvRecords", "read_records"]


class CsvRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        options = feed.source.csv
        first = next(read_records(stream, encoding=encoding, options=options, width=None), None)
        if first is None:
            return Rejected("the file has no header" if options.header else "the file has no records"), None
        if not options.header:
            return csv_layout(feed, None), None
        if first.fields is None:
            raise UnicodeError(f"the header is broken: {first.error}")
        return csv_layout(feed, [name or "" for name in first.fields]), first

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        options = feed.source.csv
        records = read_records(stream, encoding=encoding, options=options, width=len(layout.record))
        if options.header:
            next(records, None)
        yield from records


def read_records(stream: BinaryIO, *, encoding: str, options: CsvOptions, width: int | None) -> Iterator[Record]:
    """Every record of a file, the header included. With `width`, records of another width are malformed."""
    with decoded(stream, encoding) as text:
        yield from _Reader(text, options, width).records()


class _Reader:
    def __init__(self, text: io.TextIOWrapper, options: CsvOptions, width: int | None) -> None:
        self._text, self._width = text, width
        self._sep, self._quote, self._comment = options.sep, options.quote, options.comment
        self._multiline = options.multiLine
        self._again: deque[str] = deque()
        self._number = 0
        if self._quote:
            quote, escape = re.escape(self._quote), re.escape(options.escape or self._quote)
            literal = f"{escape}{quote}" if quote == escape else f"{escape}{escape}|{escape}{quote}|{escape}(?!{quote})"
            plain = f"[^{quote}{'' if quote == escape else escape}]+"
            self._quoted = re.compile(f"{quote}((?:{plain}|{literal})*+){quote}", re.DOTALL)
            self._escaped = re.compile(f"{escape}([{quote}{escape}])")

    def _next(self) -> str | None:
        line = self._again.popleft() if self._again else self._text.readline()
        if not line:
            return None
        self._number += 1
        return line.removeprefix("\ufeff") if self._number == 1 else line

    def records(self) -> Iterator[Record]:
        while (line := self._next()) is not None:
            bare = line.rstrip("\r\n")
            if not bare or (self._comment and bare.startswith(self._comment)):
                continue
            yield self._record(line, bare)

    def _record(self, line: str, bare: str) -> Record:
        number = self._number
        if self._quote and self._quote in bare:
            return self._with_quotes(number, line, bare)
        return self._checked(number, bare, [field or None for field in bare.split(self._sep)])

    def _with_quotes(self, number: int, line: str, bare: str) -> Record:
        """A record with a quote somewhere: take fields one by one, and further lines while a quote is open."""
        lines, text, fields, at = [line], bare, list[str | None](), 0
        while True:
            if not text.startswith(self._quote or "", at):
                end = text.find(self._sep, at)
                fields.append(text[at : end if end >= 0 else len(text)] or None)
            else:
                match = self._quoted.match(text, at)
                if match is None:
                    if not (self._multiline and self._take_until_quote(lines, len(text))):
                        return self._give_up(number, lines, "a quote is not closed")
                    text = "".join(lines).rstrip("\r\n")
                    continue
                end = match.end()
                fields.append(self._escaped.sub(r"\1", match.group(1)))
                if end == len(text):
                    end = -1
                elif not text.startswith(self._sep, end):
                    return self._give_up(number, lines, "there is text after a closing quote")
            if end < 0:
                return self._checked(number, text, fields)
            at = end + len(self._sep)

    def _take_until_quote(self, lines: list[str], size: int) -> bool:
        """Add lines up to one with a quote; lines without cannot close it, so matching again would be in vain."""
        while size < LONGEST_RECORD and (following := self._next()) is not None:
            lines.append(following)
            size += len(following)
            if (self._quote or "") in following:
                return True
        return False

    def _give_up(self, number: int, lines: list[str], error: str) -> Record:
        """The first line is malformed; the others are read again."""
        self._again.extendleft(reversed(lines[1:]))
        self._number -= len(lines) - 1
        return Record(number, None, shown_raw(lines[0].rstrip("\r\n")), error)

    def _checked(self, number: int, raw: str, fields: list[str | None]) -> Record:
        if undecodable(raw):
            return Record(number, None, shown_raw(raw), "a byte is not valid in the file's encoding")
        if self._width is not None and len(fields) != self._width:
            return Record(number, None, raw, f"{len(fields)} fields instead of {self._width}")
        return Record(number, tuple(fields), raw)

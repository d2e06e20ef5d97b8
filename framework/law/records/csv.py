"""How a CSV file falls apart into records. The law for every engine.

RFC 4180, and where it is silent:

- Lines end with LF, CRLF or CR. Wholly empty lines and comment lines are no records.
- A field that begins with the quote character is quoted up to the closing one; within it the escape
  character before a quote (or before itself) makes it literal, and line ends are part of the value
  (`multiLine`). Text after the closing quote makes the record malformed.
- A quote inside a field that does not begin with one is literal text.
- An empty unquoted field is None (NULL), `""` an empty string.
- A record that goes wrong costs its first line only: reading goes on with the next line. So a quote
  that is never closed (in as many characters as a record may have) takes one line with it, not the rest of the file.
- A line of more than `limits.record` characters is one malformed record, of which only the beginning is kept.
- A byte that the encoding does not have makes its record malformed. NUL is a character like others.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from framework.feed import CsvOptions, Feed
from framework.law.layout import Kind, Layout, Rejected, csv_layout
from framework.law.records.lines import Lines, TooLong
from framework.law.records.record import Record, decoded, shown_raw, undecodable
from framework.names import Limits

__all__ = ["CsvRecords", "read_records"]


class CsvRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT
    signature: bytes | None = None
    by_beginning = True

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        options, longest = feed.source.csv, feed.source.limits.record
        first = next(read_records(stream, encoding=encoding, options=options, width=None, longest=longest), None)
        if first is None:
            return Rejected("the file has no header" if options.header else "the file has no records"), None
        if not options.header:
            return csv_layout(feed, None), None
        if first.fields is None:
            raise UnicodeError(f"the header is broken: {first.error}")
        return csv_layout(feed, [name or "" for name in first.fields]), first

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        options, longest, width = feed.source.csv, feed.source.limits.record, len(layout.record)
        records = read_records(stream, encoding=encoding, options=options, width=width, longest=longest)
        if options.header:
            next(records, None)
        yield from records


def read_records(
    stream: BinaryIO, *, encoding: str, options: CsvOptions, width: int | None, longest: int = Limits().record
) -> Iterator[Record]:
    """Every record of a file, the header included. With `width`, records of another width are malformed; so are those
    of more than `longest` characters."""
    with decoded(stream, encoding) as text:
        yield from _Reader(text, options, width, longest).records()


class _Open:
    """A record that goes on: its fields so far, the text of the field that is open (None when none is), its lines."""

    __slots__ = ("fields", "lines", "quoted", "size")

    def __init__(self) -> None:
        self.fields: list[str | None] = []
        self.quoted: list[str] | None = None
        self.lines: list[str] = []
        self.size = 0


class _Reader:
    def __init__(self, text: io.TextIOWrapper, options: CsvOptions, width: int | None, longest: int) -> None:
        self._lines, self._width, self._longest = Lines(text, longest), width, longest
        self._sep, self._quote, self._comment = options.sep, options.quote or "", options.comment
        self._multiline, self._escape = options.multiLine, options.escape or self._quote
        self._doomed, self._why = range(0), ""
        """Lines that, begun inside quotes, lead to nothing, and why: no line is taken in vain more than once."""
        if self._quote:
            quote, escape = re.escape(self._quote), re.escape(options.escape or self._quote)
            literal = f"{escape}{quote}" if quote == escape else f"{escape}{escape}|{escape}{quote}|{escape}(?!{quote})"
            plain = f"[^{quote}{'' if quote == escape else escape}]+"
            self._inner = re.compile(f"(?:{plain}|{literal})*+", re.DOTALL)
            self._escaped = re.compile(f"{escape}([{quote}{escape}])")
            sep = re.escape(self._sep)
            other = f"[^{sep}]*+" if len(self._sep) == 1 else f"(?:(?!{sep}).)*+"
            self._closed = re.compile(f"({quote}(?:{plain}|{literal})*+{quote}|(?!{quote}){other}){sep}", re.DOTALL)

    def records(self) -> Iterator[Record]:
        for line in self._lines:
            bare = line.rstrip("\r\n")
            if not bare or (self._comment and bare.startswith(self._comment)):
                continue
            if isinstance(line, TooLong):
                yield line.record(self._lines.number)
            elif self._quote and self._quote in bare:
                yield self._in_one_line(bare) or self._with_quotes(line)
            else:
                fields = [field or None for field in bare.split(self._sep)]
                yield self._checked(self._lines.number, bare, fields)

    def _in_one_line(self, bare: str) -> Record | None:
        """The record of a line in which all is well and every quote is closed."""
        found = self._closed.findall(bare + self._sep)
        if sum(map(len, found)) + (len(found) - 1) * len(self._sep) != len(bare):
            return None
        fields = [self._unquoted(field) if field.startswith(self._quote) else field or None for field in found]
        return self._checked(self._lines.number, bare, fields)

    def _unquoted(self, field: str) -> str:
        inner = field[len(self._quote) : -len(self._quote)]
        return self._escaped.sub(r"\1", inner) if self._escape in inner else inner

    def _with_quotes(self, line: str) -> Record:
        """A record with a quote somewhere: take further lines while a quote is open."""
        number, record = self._lines.number, _Open()
        while True:
            record.lines.append(line)
            record.size += len(line)
            error = self._take(record, line)
            if error is not None:
                return self._give_up(number, record, error)
            if record.quoted is None:
                return self._checked(number, "".join(record.lines).rstrip("\r\n"), record.fields)
            if self._lines.number + 1 in self._doomed:
                return self._give_up(number, record, self._why)
            following = self._following(record)
            if following is None:
                return self._give_up(number, record, "a quote is not closed")
            line = following

    def _following(self, record: _Open) -> str | None:
        """The line that belongs to a record as well, None when none can."""
        if not self._multiline or record.size >= self._longest:
            return None
        line = self._lines.take()
        if isinstance(line, TooLong):
            self._lines.put_back([line])
            return None
        return line

    def _take(self, record: _Open, line: str) -> str | None:
        """Take a line's fields; the last one stays open when its quote does. What is wrong with the line, if anything
        is."""
        bare, at = line.rstrip("\r\n"), 0
        while True:
            if record.quoted is not None or bare.startswith(self._quote, at):
                if record.quoted is None:
                    record.quoted, at = [], at + len(self._quote)
                match = self._inner.match(line, at)
                end = match.end() if match else at
                record.quoted.append(line[at:end])
                if not line.startswith(self._quote, end):
                    return None
                record.fields.append(self._escaped.sub(r"\1", "".join(record.quoted)))
                record.quoted, at = None, end + len(self._quote)
                if at >= len(bare):
                    return None
                if not bare.startswith(self._sep, at):
                    return "there is text after a closing quote"
            else:
                end = bare.find(self._sep, at)
                record.fields.append(bare[at : end if end >= 0 else len(bare)] or None)
                if end < 0:
                    return None
                at = end
            at += len(self._sep)

    def _give_up(self, number: int, record: _Open, error: str) -> Record:
        """The first line is malformed; the others are read again."""
        if len(record.lines) > 1:
            self._doomed, self._why = range(number + 1, number + len(record.lines)), error
            self._lines.put_back(record.lines[1:])
        return Record(number, None, shown_raw(record.lines[0].rstrip("\r\n")), error)

    def _checked(self, number: int, raw: str, fields: list[str | None]) -> Record:
        if undecodable(raw):
            return Record(number, None, shown_raw(raw), "a byte is not valid in the file's encoding")
        if self._width is not None and len(fields) != self._width:
            return Record(number, None, raw, f"{len(fields)} fields instead of {self._width}")
        return Record(number, tuple(fields), raw)

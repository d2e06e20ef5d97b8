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
- A first line `sep=;` is no record and says the separator of its file.
- A record that is the header once more, letter for letter, is no row; nor is a trailer. With `short_rows: fill` fields
  that are missing at the end are None, empty ones beyond the last column are left out, and a record of nothing but
  separators is no row.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import BinaryIO

from framework.feed import CsvOptions, Feed, ShortRows
from framework.law.layout import Kind, Layout, Rejected, csv_layout, has_keys, key_names
from framework.law.records.lines import Lines, TooLong
from framework.law.records.record import NOT_VALID, Record, decoded, shown_raw, undecodable
from framework.law.records.totals import totalled
from framework.names import Limits

__all__ = ["CsvRecords", "read_records"]


_SOUGHT = 1000
"""Records among which the header is sought that has the key columns."""
_SEPARATOR = re.compile('"?sep=(.)"?', re.IGNORECASE)


class CsvRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT
    signature: bytes | None = None
    by_beginning = True

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        options = feed.source.csv
        with closing(_read(stream, encoding, feed)) as records:
            first = _first(records, feed)
        if first is None:
            return Rejected(_nothing(feed)), None
        if not options.header:
            return csv_layout(feed, None), None
        if first.fields is None:
            raise UnicodeError(f"the header is broken: {first.error}")
        return csv_layout(feed, [name or "" for name in first.fields]), first

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        return totalled(_behind_header(stream, encoding, feed, len(layout.record)), feed, layout)


def _behind_header(stream: BinaryIO, encoding: str, feed: Feed, width: int) -> Generator[Record, None, None]:
    """The records behind the header; the header once more is no row."""
    with closing(_read(stream, encoding, feed, width)) as records:
        header = _first(records, feed) if feed.source.csv.header else None
        for record in records:
            if not record.no_row and header is not None and record.raw == header.raw:
                yield Record(record.line, None, record.raw, no_row=True)
            else:
                yield record


def _read(stream: BinaryIO, encoding: str, feed: Feed, width: int | None = None) -> Generator[Record, None, None]:
    source, trailer = feed.source, feed.source.trailer
    return read_records(
        stream,
        encoding=encoding,
        options=source.csv,
        width=width,
        longest=source.limits.record,
        skip_lines=source.skip_lines,
        fill=source.short_rows is ShortRows.FILL,
        trailer=trailer.starts_with if trailer is not None else None,
    )


def _first(records: Iterator[Record], feed: Feed) -> Record | None:
    """The record that is the header, or the first one where there is none."""
    if not feed.source.until_header:
        return next(records, None)
    found = (
        each for each in islice(records, _SOUGHT) if each.fields and has_keys(feed, [x or "" for x in each.fields])
    )
    return next(found, None)


def _nothing(feed: Feed) -> str:
    source = feed.source
    if source.until_header:
        wanted = " and ".join(map(repr, key_names(feed)))
        return f"none of its first {_SOUGHT} lines has the columns {wanted}, so none is the header (until_header)"
    what = "header" if source.csv.header else "records"
    behind = f" behind its first {source.skip_lines} lines (skip_lines)" if source.skip_lines else ""
    return f"the file has no {what}{behind}"


def read_records(
    stream: BinaryIO,
    *,
    encoding: str,
    options: CsvOptions,
    width: int | None,
    longest: int = Limits().record,
    skip_lines: int = 0,
    fill: bool = False,
    trailer: str | None = None,
) -> Generator[Record, None, None]:
    """Every record of a file behind its first `skip_lines` lines, the header included. With `width`, records of another
    width are malformed, unless they are to be filled; so are those of more than `longest` characters. A record that
    begins with `trailer` is no row, but has its fields."""
    with decoded(stream, encoding) as text:
        lines = Lines(text, longest)
        options = _with_own_separator(lines, options)
        for _ in range(skip_lines - lines.number):
            lines.take()
        yield from _Reader(lines, options, width, longest, fill=fill, trailer=trailer).records()


def _with_own_separator(lines: Lines, options: CsvOptions) -> CsvOptions:
    """The options with the separator that the first line says, which is taken if it says one."""
    line = lines.take()
    if line is None:
        return options
    match = _SEPARATOR.fullmatch(line.rstrip("\r\n"))
    if match is None:
        lines.put_back([line])
        return options
    return replace(options, sep=match.group(1))


class _Open:
    """A record that goes on: its fields so far, the text of the field that is open (None when none is), its lines."""

    __slots__ = ("fields", "lines", "quoted", "size")

    def __init__(self) -> None:
        self.fields: list[str | None] = []
        self.quoted: list[str] | None = None
        self.lines: list[str] = []
        self.size = 0


class _Reader:
    def __init__(
        self, lines: Lines, options: CsvOptions, width: int | None, longest: int, *, fill: bool, trailer: str | None
    ) -> None:
        self._lines, self._width, self._longest = lines, width, longest
        self._fill, self._trailer = fill, trailer
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
            return Record(number, None, shown_raw(raw), NOT_VALID)
        if self._trailer is not None and (raw.startswith(self._trailer) or (fields[0] or "").startswith(self._trailer)):
            return Record(number, tuple(fields), raw, no_row=True)
        if self._width is None:
            return Record(number, tuple(fields), raw)
        if self._fill:
            fields = _filled(fields, self._width)
            if all(field is None for field in fields):
                return Record(number, None, raw, no_row=True)
        if len(fields) != self._width:
            return Record(number, None, raw, f"{len(fields)} fields instead of {self._width}")
        return Record(number, tuple(fields), raw)


def _filled(fields: list[str | None], width: int) -> list[str | None]:
    """The fields with those that are missing at the end, and without empty ones that are too many."""
    return fields[:width] + [None] * (width - len(fields)) if not any(fields[width:]) else fields

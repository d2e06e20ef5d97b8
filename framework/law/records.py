"""Records: how a CSV file falls apart into records. The law for every engine.

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

import codecs
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from framework.feed import CsvOptions

__all__ = ["LONGEST_RECORD", "Record", "read_records"]

LONGEST_RECORD = 32 << 20
"""Characters after which a quoted field counts as never closed."""
_UNDECODABLE = re.compile("[\udc00-\udcff]")


@dataclass(frozen=True, slots=True)
class Record:
    """`line` counts physical lines from 1; `fields` is None for a malformed record, `error` says why;
    `raw` is the record's text without its line end, undecodable bytes written as \\xNN."""

    line: int
    fields: tuple[str | None, ...] | None
    raw: str
    error: str | None = None


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 (the handler is only used for decoding)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("landfeed-keep-bytes", _keep_bytes)


def read_records(stream: BinaryIO, *, encoding: str, options: CsvOptions, width: int | None) -> Iterator[Record]:
    """Every record of a file, the header included. With `width`, records of another width are malformed."""
    text = io.TextIOWrapper(stream, encoding=encoding, errors="landfeed-keep-bytes", newline="")
    try:
        yield from _Reader(text, options, width).records()
    finally:
        text.detach()


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
        return Record(number, None, _shown(lines[0].rstrip("\r\n")), error)

    def _checked(self, number: int, raw: str, fields: list[str | None]) -> Record:
        if not raw.isascii() and _UNDECODABLE.search(raw):
            return Record(number, None, _shown(raw), "a byte is not valid in the file's encoding")
        if self._width is not None and len(fields) != self._width:
            return Record(number, None, raw, f"{len(fields)} fields instead of {self._width}")
        return Record(number, tuple(fields), raw)


def _shown(raw: str) -> str:
    return _UNDECODABLE.sub(lambda match: f"\\x{ord(match.group()) - 0xDC00:02x}", raw)

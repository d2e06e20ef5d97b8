"""The lines of a text, of any length: what readers take records from."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence

from framework.law.records.record import Record, too_long

__all__ = ["Lines", "TooLong"]

_CHUNK = 1 << 20


class TooLong(str):
    """The beginning of a line that is longer than a record may be, and the length of all of it."""

    __slots__ = ("length", "longest")
    length: int
    longest: int

    def record(self, number: int) -> Record:
        """What is told of it, as the line with this number."""
        return Record(number, None, *too_long(self, self.length, self.longest))


class Lines:
    """Lines with their ends (LF, CRLF or CR), without a byte-order mark; one of more than `longest` characters is a
    `TooLong`. `number` is that of the last one taken."""

    def __init__(self, text: io.TextIOWrapper, longest: int) -> None:
        self._longest = longest
        self._text, self._again, self.number = text, deque[str](), 0
        self._first, self._after_cr = True, False

    def __iter__(self) -> Iterator[str]:
        while (line := self.take()) is not None:
            yield line

    def take(self) -> str | None:
        """The next line, None at the end."""
        line = self._again.popleft() if self._again else self._read()
        if not line:
            return None
        self.number += 1
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        """Lines that are to be taken again."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)

    def _read(self) -> str:
        line = self._text.readline(self._longest + 2)
        if self._after_cr and line == "\n":  # it belongs to a line that was read in pieces
            line = self._text.readline(self._longest + 2)
        if self._first:
            line = line.removeprefix("\ufeff")
        self._first = self._after_cr = False
        is_long = len(line) > self._longest and len(line.rstrip("\r\n")) > self._longest
        return self._too_long(line) if is_long else line

    def _too_long(self, line: str) -> TooLong:
        """Read the rest of a line, of which only its length is of interest."""
        found, length = TooLong(line[:_CHUNK]), 0
        while line:
            bare = line.rstrip("\r\n")
            length += len(bare)
            self._after_cr = line.endswith("\r")
            line = "" if len(bare) < len(line) else self._text.readline(_CHUNK)
        found.length, found.longest = length, self._longest
        return found

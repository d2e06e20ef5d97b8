"""Where text that is no JSON document ends: with its line, or where the brackets that it opens are closed."""

from __future__ import annotations

import re
from collections import deque

from framework.law.values import DEEPEST

__all__ = ["Brackets", "Depth", "LineEnd"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_BRACKET = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\\r\n]')


class Depth:
    """Tells of texts that begin further and further on in a larger one whether they open more brackets than may be open
    before they are closed again. Where each line only opens some, none is looked at twice."""

    def __init__(self) -> None:
        self._open = deque[int]()
        self._end = 0
        """Up to here brackets were only opened; these, with their places in the larger text."""

    def is_too_much(self, text: str, at: int, before: int) -> bool:
        """… of the text that begins at a place of `text`, before which the larger one has so many characters."""
        while self._open and self._open[0] < before + at:
            self._open.popleft()
        if not self._open:
            self._end = before + at
        depth, quoted, closed, at = len(self._open), False, False, self._end - before
        while found := (_IN_STRING if quoted else _BRACKET).search(text, at):
            at = found.end()
            match found.group():
                case "\\":
                    at += 1
                case '"':
                    quoted = not quoted
                case "{" | "[":
                    depth += 1
                    if not closed:
                        self._open.append(before + found.start())
                        self._end = before + at
                    if depth > DEEPEST:
                        return True
                case "}" | "]" if depth > 1:
                    depth, closed = depth - 1, True
                case _:
                    return False
        return False


class LineEnd:
    """Looks for the end of a line in a text that comes in pieces."""

    def end(self, text: str, at: int) -> int | None:
        """Where it is in this piece, looked for from `at` on."""
        found = _LINE_END.search(text, at)
        return found.start() if found else None


class Brackets:
    """Looks for the place where all brackets of a text are closed, for a comma outside them, or for a line end."""

    def __init__(self, marks: re.Pattern[str]) -> None:
        self._marks, self._depth, self._quoted, self._escaped = marks, 0, False, False

    def end(self, text: str, at: int) -> int | None:
        """See `LineEnd`."""
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

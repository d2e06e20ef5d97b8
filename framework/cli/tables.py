"""Tables for people, as wide as a terminal is."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from typing import Any

from framework.cli.streams import printable, tell

__all__ = ["fitting", "moment", "near", "print_table"]

_NARROWEST = 8
"""Characters of a column that are shown in any case."""
_READABLE = 20
"""Characters of a value that must be left for it to be cut, or wrapped at the end of a line."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], cut: Collection[str] = ()) -> None:
    """A table; values are shown in one line each, NULL as a hyphen.

    On a terminal that is too narrow columns that say nothing are left out, values of the columns in `cut` are cut, the
    last column is wrapped; and where all that does not help, each row becomes a block of lines, a value a line."""
    cells = [["-" if value is None else printable(str(value)) for value in row] for row in [columns, *rows]]
    if not sys.stdout.isatty():
        _print_lines(cells, _widths(cells))
        return
    line = shutil.get_terminal_size().columns
    if _length(_widths(cells)) > line:
        cells = _saying(cells)
    widths = _widths(cells)
    may = [name in cut for name in cells[0]]
    fitted = fitting(widths, may, line)
    legible = all(new >= min(old, _READABLE) for new, old in zip(fitted, widths, strict=True))
    wraps = not may[-1] and _length([*fitted[:-1], min(fitted[-1], _READABLE)]) <= line
    if legible and (_length(fitted) <= line or wraps):
        _print_lines(cells, fitted)
    else:
        _print_blocks(cells, may, line)


def fitting(widths: Sequence[int], cut: Sequence[bool], line: int) -> list[int]:
    """The widths of columns that fit into a line: of those that may be cut the widest, but not to nothing."""
    room = line - 2 * (len(widths) - 1) - sum(width for width, may in zip(widths, cut, strict=True) if not may)
    wide = [width for width, may in zip(widths, cut, strict=True) if may]
    caps = range(max(wide, default=0), _NARROWEST, -1)
    cap = next((cap for cap in caps if sum(min(width, cap) for width in wide) <= room), _NARROWEST)
    return [min(width, cap) if may else width for width, may in zip(widths, cut, strict=True)]


def moment(text: str | None) -> str | None:
    """A moment in ISO 8601 to the second, without what makes it long."""
    return text and text[:19].replace("T", " ")


def near(path: str) -> str:
    """A path as it is shortest from where the command was started; URIs as they are."""
    return path if "://" in path else min(os.path.relpath(path), path, key=len)


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*cells, strict=True)]


def _length(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _saying(cells: Sequence[Sequence[str]]) -> list[list[str]]:
    """The columns in which something else than nothing or 0 stands; the first one in any case."""
    columns = list(zip(*cells, strict=True))
    kept = columns[:1] + [column for column in columns[1:] if set(column[1:]) - {"-", "0"}]
    return [list(row) for row in zip(*kept, strict=True)]


def _print_lines(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    for line in [cells[0], ["-" * width for width in widths], *cells[1:]]:
        tell("  ".join(_cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_blocks(cells: Sequence[Sequence[str]], cut: Sequence[bool], line: int) -> None:
    name_width = max(map(len, cells[0]))
    for number, row in enumerate(cells[1:]):
        if number:
            tell()
        for name, cell, may in zip(cells[0], row, cut, strict=True):
            tell(f"{name.ljust(name_width)}  {_cut(cell, max(line - name_width - 2, _READABLE)) if may else cell}")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

"""Where the table of a workbook stands: in which sheet, and behind how many rows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from framework.errors import LandfeedError
from framework.infer.names import looks_like_names
from framework.infer.sample import Sample
from framework.machine import library

__all__ = ["Sheet", "sheet_of"]

_SOUGHT = 50
"""Rows among which the header is."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by name, whether it is the first one, and the rows before its header."""

    name: str
    first: bool
    skip: int


def sheet_of(sample: Sample) -> Sheet:
    """The first sheet of a workbook that has a table. Raises LandfeedError where none has."""
    calamine = library("python_calamine", "excel")
    with sample.stream() as stream:
        content = stream.read()
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for number, name in enumerate(book.sheet_names):
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=_SOUGHT)
            skip = _header(rows)
            if skip is not None:
                return Sheet(name, number == 0, skip)
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError, calamine.PasswordError) as error:
        hint = "give a whole file without a password"
        raise LandfeedError(f"{sample.shown} is no complete Excel workbook ({error})", hint, code="infer") from error
    raise LandfeedError(f"{sample.shown} has no table in any sheet", "give a workbook with rows", code="infer")


def _header(rows: Sequence[Sequence[Any]]) -> int | None:
    """The rows before the first one that names as many fields as any row has values; None where there is none."""
    filled = [[index for index, cell in enumerate(row) if cell not in (None, "")] for row in rows]
    most = max(map(len, filled), default=0)
    if not most:
        return None
    for number, (row, cells) in enumerate(zip(rows, filled, strict=True)):
        named = [str(row[index]) if isinstance(row[index], str) else None for index in cells]
        if len(cells) == most and all(named) and looks_like_names(named):
            return number if any(filled[:number]) else 0
    return 0

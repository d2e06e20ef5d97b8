"""The cells of a workbook's sheet, by calamine, and their texts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

from framework.law.layout import Rejected
from framework.law.records.record import BrokenFile
from framework.machine import library

__all__ = ["cell_text", "sheet_rows"]


def sheet_rows(content: bytes, wanted: str | int | None) -> Iterator[tuple[int, Sequence[Any]]] | Rejected:
    """The rows of a sheet with their numbers. Raises BrokenFile and MissingDependency."""
    calamine = library("python_calamine", "excel")
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        name = _sheet(workbook.sheet_names, wanted)
        if name is None:
            there = ", ".join(map(repr, workbook.sheet_names[:8]))
            return Rejected(f"there is no sheet {wanted} in the workbook; it has {there}")
        sheet = workbook.get_sheet_by_name(name)
        line, column = sheet.start or (0, 0)
        before = [""] * column
        return ((number, [*before, *row]) for number, row in enumerate(sheet.iter_rows(), line + 1))
    except calamine.PasswordError as error:
        raise BrokenFile("the workbook is protected by a password") from error
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError) as error:
        raise BrokenFile(f"the file is no complete Excel workbook ({error})") from error


def _sheet(names: Sequence[str], wanted: str | int | None) -> str | None:
    """The sheet's name: the first one, that of a number from 1, of a name, or the first that fits a pattern."""
    if wanted is None or isinstance(wanted, int):
        number = (wanted or 1) - 1
        return names[number] if number < len(names) else None
    if wanted in names:
        return wanted
    return next((name for name in names if fnmatchcase(name, wanted)), None)


def cell_text(cell: Any) -> str | None:
    """The text of a cell's value, None for an empty one."""
    match cell:
        case None | "":
            return None
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case datetime():
            return cell.isoformat(sep=" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return str(cell)

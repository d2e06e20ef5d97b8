"""Workbooks of Excel, made of nothing but their parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["DATE", "MOMENT", "Cell", "workbook"]

DATE, MOMENT = 1, 2
"""Formats of cells: a day, a day with its time."""
Cell: TypeAlias = str | int | float | bool | tuple[float, int] | None
"""A value, or what a formula gave: a number and its format; texts that begin with # are errors."""
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """An .xlsx file with these sheets."""
    out = io.BytesIO()
    names = list(enumerate(sheets, 1))
    listed = "".join(f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"/>' for number, name in names)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": _relations(("r", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            *((f"s{number}", "worksheet", f"worksheets/sheet{number}.xml") for number, _ in names),
            ("st", "styles", "styles.xml"),
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_SHEETS}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for number, name in names:
        rows = "".join(_row(line, cells) for line, cells in enumerate(sheets[name], 1))
        sheet = f'<worksheet xmlns="{_SHEETS}"><sheetData>{rows}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def _relations(*each: tuple[str, str, str]) -> str:
    listed = "".join(f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{to}"/>' for id_, kind, to in each)
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _row(line: int, cells: Sequence[Cell]) -> str:
    found = (_cell(f"{chr(65 + at)}{line}", cell) for at, cell in enumerate(cells))
    return f'<row r="{line}">{"".join(found)}</row>'


def _cell(place: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case (value, style):
            return f'<c r="{place}" s="{style}"><f>1+1</f><v>{value}</v></c>'
        case int() | float():
            return f'<c r="{place}"><v>{cell}</v></c>'
        case _ if cell.startswith("#"):
            return f'<c r="{place}" t="e"><v>{cell}</v></c>'
        case _:
            if cell.startswith("@"):  # at another place
                place, cell = cell[1:].split(" ", 1)
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{cell}</t></is></c>'

"""Random tables as files of all formats, with the habits of those who write them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

from tests.infer.tables import Table
from tests.typed_files import WRITERS
from tests.workbooks import DATE, Cell, workbook

__all__ = ["SECRETS", "WRITTEN", "habitual", "written"]

Rows = Sequence[Sequence[str]]
NAMES = ("id", "name", "amount", "day", "note")
SECRETS = ("4711", "hunter2", "1999-12-31", "s3cret@example.com")
"""Values that no feed may hold."""
WORDS = st.text("abcdefgh éß", max_size=9).map(str.strip)


@st.composite
def rows(draw: st.DrawFn) -> list[list[str]]:
    """Rows of a number, a word, a number of several digits behind the comma, a day, a word."""
    count = draw(st.integers(2, 9))
    ids = draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count, unique=True))
    cents = st.integers(-(10**7), 10**7)
    days = st.dates(date(1990, 1, 1), date(2040, 1, 1))
    return [[str(id_), draw(WORDS), str(draw(cents)), draw(days).isoformat(), draw(WORDS)] for id_ in ids]


def amounts(draw: st.DrawFn) -> Callable[[str], str]:
    """A country's way to write an amount of so many cents."""
    decimal, group = draw(st.sampled_from([(".", ""), (",", ""), (",", "."), (",", " "), (".", ","), (".", "'")]))
    sign = draw(st.sampled_from(["{}{}", "{1}{0}", "({1})"]))
    currency = draw(st.sampled_from(["", "", " €", "$"]))

    def way(cents: str) -> str:
        whole, rest = divmod(abs(int(cents)), 100)
        digits = f"{whole:,}".replace(",", group) + f"{decimal}{rest:02}"
        text = sign.format("-", digits) if cents.startswith("-") else digits
        return text + currency

    return way


@st.composite
def delimited(draw: st.DrawFn) -> Table:
    """CSV with lines before the header, a trailer, decimal commas, and separators at the end."""
    table, way, sep = draw(rows()), amounts(draw), draw(st.sampled_from([";", "\t", "|", "||"]))
    lines = [sep.join(NAMES)]
    end = sep if draw(st.booleans()) else ""
    lines += [sep.join([row[0], row[1], way(row[2]), row[3], row[4]]) + end for row in table]
    before = draw(st.lists(st.sampled_from(["Report of the day", "", "by: nobody", "# made by hand"]), max_size=3))
    trailer = draw(st.sampled_from([None, None, f"TRL{sep}{len(table)}", "END", f"Total{sep}x{sep}1"]))
    text = "\n".join([*before, *lines, *([trailer] if trailer else []), ""])
    return Table("orders.csv", text.encode(draw(st.sampled_from(["utf-8", "cp1252"]))), len(table))


@st.composite
def xml(draw: st.DrawFn) -> Table:
    """Elements of rows, some with attributes and lists, perhaps within another element."""
    table, way = draw(rows()), amounts(draw)
    holder = draw(st.sampled_from([None, "items"]))
    found = ""
    for number, row in enumerate(table):
        tags = "".join(f"<tag>{escape(row[1])}</tag>" for _ in range(draw(st.integers(0, 3))))
        lines = "".join(f"<line no={quoteattr(row[0])}><x>{row[2]}</x></line>" for _ in range(draw(st.integers(0, 2))))
        found += f"<row id={quoteattr(row[0])}><name>{escape(row[1])}</name><amount>{way(row[2])}</amount>"
        found += f"<day>{row[3]}</day>{tags}{lines}" + ("<note/>" if number % 2 else "") + "</row>"
    inner = found if holder is None else f"<about><at>now</at></about><{holder}>{found}</{holder}>"
    return Table("orders.xml", f"<orders>{inner}</orders>".encode(), len(table))


@st.composite
def fixed_width(draw: st.DrawFn) -> Table:
    """Lines with fields at places; blanks at the end may be missing."""
    table, way = draw(rows()), amounts(draw)
    cells = [[row[0], row[3], way(row[2]).replace(" ", ""), row[1].replace(" ", "") or "-"] for row in table]
    cells = [["id", "day", "amount", "name"], *cells] if draw(st.booleans()) else cells
    widths = [max(len(row[at]) for row in cells) + 1 for at in range(4)]
    lines = ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    if draw(st.booleans()):
        lines = [line.rstrip() for line in lines]
    header = cells[0][0] == "id"
    return Table("orders.txt", ("\r\n".join(lines) + "\r\n").encode(), len(cells) - header)


@st.composite
def excel(draw: st.DrawFn) -> Table:
    """A sheet behind another one, and rows before the table in it."""
    table = draw(rows())
    cells: list[list[Cell]] = [
        [int(row[0]), row[1] or None, int(row[2]) / 100, (40000 + int(row[0]) % 1000, DATE), row[4] or None]
        for row in table
    ]
    before: list[list[Cell]] = draw(st.sampled_from([[], [["Orders of a day"], []], [[None, "about"]]]))
    sheet: list[list[Cell]] = [*before, list(NAMES), *cells]
    sheets: dict[str, Sequence[Sequence[Cell]]] = {"Orders": sheet}
    return Table("orders.xlsx", workbook({"Cover": [], **sheets} if draw(st.booleans()) else sheets), len(table))


@st.composite
def typed(draw: st.DrawFn) -> Table:
    """Parquet, Avro and ORC."""
    table, format_ = draw(rows()), draw(st.sampled_from(sorted(WRITERS)))
    types = {"id": "bigint", "name": "string", "amount": "double", "day": "date", "at": "timestamp", "tags": "list"}
    found: list[dict[str, Any]] = [
        {
            "id": int(row[0]), "name": row[1], "amount": int(row[2]) / 100, "day": date.fromisoformat(row[3]),
            "at": datetime(2026, 1, 1, tzinfo=UTC), "tags": [1, 2] if row[1] else None,
        }
        for row in table
    ]  # fmt: skip
    return Table(f"orders.{format_}", WRITERS[format_](types, found), len(table))


@st.composite
def answers(draw: st.DrawFn) -> Table:
    """JSON as servers answer: the rows in a field, beside others."""
    table = draw(rows())
    found = [dict(zip(NAMES, row, strict=True)) | {"n": int(row[0]), "in": {"x": [row[1]]}} for row in table]
    document = draw(
        st.sampled_from(
            [{"count": len(found), "items": found}, {"meta": {"page": 1}, "data": {"rows": found}}, {"orders": found}]
        )
    )
    return Table("orders.json", json.dumps(document, indent=draw(st.sampled_from([None, 2]))).encode(), len(table))


@st.composite
def zipped(draw: st.DrawFn) -> Table:
    """Archives of CSV files, perhaps with something else."""
    members = draw(st.lists(delimited_alike(), min_size=1, max_size=3))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"in/{number}.csv", member.content)
        if len(members) > 1 and draw(st.booleans()):
            archive.writestr("readme.txt", b"read me")
    return Table("orders.zip", out.getvalue(), sum(member.rows for member in members))


@st.composite
def delimited_alike(draw: st.DrawFn) -> Table:
    table = draw(rows())
    text = "\n".join([",".join(NAMES), *(",".join(row) for row in table), ""])
    return Table("orders.csv", text.encode(), len(table))


@st.composite
def lines(draw: st.DrawFn) -> Table:
    table = draw(rows())
    text = "\n".join(f"at {row[3]} {row[0]} did [{row[1]}]" for row in table)
    return Table("orders.log", text.encode(), len(table))


WRITTEN = {
    "csv": delimited(), "xml": xml(), "fixed_width": fixed_width(), "excel": excel(), "typed": typed(),
    "json": answers(), "zip": zipped(), "text": lines(),
}  # fmt: skip


def habitual() -> st.SearchStrategy[Table]:
    return st.one_of(*WRITTEN.values())


def written(kind: str) -> tuple[str, bytes]:
    """A file of each kind with the secrets in it."""
    row = dict(zip(("id", "name", "day", "mail"), SECRETS, strict=True))
    other = {name: value + "0" if name != "day" else "1999-12-30" for name, value in row.items()}
    table = [row, other]
    csv = ["id;name;day;mail", *(";".join(each.values()) for each in table)]
    match kind:
        case "preamble":
            return "a.csv", "\n".join(["by hunter2", *csv, "TRL;2", ""]).encode()
        case "xml":
            inner = "".join(f"<r>{''.join(f'<{k}>{v}</{k}>' for k, v in each.items())}</r>" for each in table)
            return "a.xml", f"<all>{inner}</all>".encode()
        case "fixed_width":
            return "a.txt", "\n".join("".join(f"{value:<20}" for value in each.values()) for each in table * 2).encode()
        case "excel":
            return "a.xlsx", workbook({"A": [list(row), *([*each.values()] for each in table)]})
        case "text":
            return "a.log", "\n".join(map("_".join, (each.values() for each in table))).encode()
        case "zip":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                archive.writestr("in.csv", "\n".join(csv))
            return "a.zip", out.getvalue()
        case _:
            types = dict.fromkeys(row, "string")
            return f"a.{kind}", WRITERS[kind](types, table)

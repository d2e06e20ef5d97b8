"""Files as senders write them: a feed for each habit, the files that land for it, and what is loaded of them."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backports import zstd

from tests.workbooks import DATE, MOMENT, Cell, workbook

__all__ = ["HABITS", "Habit"]

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Habit:
    """A feed, its files, and what is right: rows of the target (every value as text), by file why it is rejected, how
    many records were read and how many of them are no rows, the quarantine's lines and records, and what the archive
    holds beside the files."""

    files: Mapping[str, str | bytes]
    rows: Sequence[Row] = ()
    source: str = ""
    schema: str = "{id: bigint, name: string}"
    keys: str = "[id]"
    format: str = "csv"
    rejected: Mapping[str, str] = field(default_factory=dict)
    read: int | None = None
    no_rows: int = 0
    bad: Sequence[tuple[str | None, str]] = ()
    companions: Sequence[str] = ()
    stays: Sequence[str] = ()
    warnings: Sequence[str] = ()

    def text(self, name: str) -> str:
        return (
            f"feed: {name}\nsource:\n  path: ${{landing}}/{name}/\n  format: {self.format}\n{self.source}"
            f"schema: {self.schema}\ntarget: {{table: s.{name}, keys: {self.keys}}}\n"
        )


def source(*lines: str) -> str:
    return "".join(f"  {line}\n" for line in lines)


AMOUNT = '{id: string, amount: "decimal(13,2)"}'
TRAILED = source("trailer: {starts_with: TRAILER, count: 2}")
SUMMED = source(
    "trailer: {starts_with: T, count: 2, sums: {amount: 3}}", 'numbers: {decimal: ","}', "options: {sep: ;}"
)
CONTROL = source(r"control: {file: '{file}.ctl', count: '^rows=(\d+)$'}")
TEN = "id,name\n" + "".join(f"{number},n{number}\n" for number in range(10))
DIGEST = hashlib.sha256(b"id,name\n1,a\n").hexdigest()


def zipped(members: Mapping[str, bytes], packing: int = zipfile.ZIP_DEFLATED, *, encrypted: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    data = out.getvalue()
    return data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01") if encrypted else data


TWO = b"id,name\n1,a\n2,b\n"
PACKED = {"bz2": bz2.compress(TWO), "zst": zstd.compress(TWO), "gz": gzip.compress(TWO)}
BOMB = b"id,name\n1," + b"x" * (64 << 20)

XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- <row/> --><rows xmlns:n="u">
  <row id="1"><name>Zo\xeb</name><n:tag>a</n:tag><n:tag>b</n:tag><at k="v"><x>1</x><y>2.5</y></at></row>
  <row id="2"><name/><tag>c &amp; d</tag><at><x>3</x></at><more>ignored</more></row>
  <row id="x"><name><![CDATA[<b>]]></name></row>
</rows>"""
ORDERS: list[list[Cell]] = [
    ["Orders of January"],
    [],
    ["id", "code", "day", "at", "yes", "x", None],
    [1, "00123", (46023, DATE), (46023.5, MOMENT), True, 0.1],
    [2, 5, "#N/A", None, None, 1e6],
    [2.5, None, None, None, None, None, "note"],
    [None, None],
]
BOOK = workbook({"Orders 2026": ORDERS, "Second": [["About"], ["id", "name"], [7, "a"]]})
WIDE = workbook({"A": [], "B": [["about"], ["id", "name"], ["@XFD1048576 far"]]})

HABITS: dict[str, Habit] = {
    **{
        f"packed_{ending}": Habit({f"a.csv.{ending}": data}, [("1", "a"), ("2", "b")])
        for ending, data in PACKED.items()
    },
    "zipped": Habit(
        {
            "a.csv.zip": zipped({"orders/": b"", "__MACOSX/._a.csv": b"x", "orders/a.csv": TWO}),
            "b.zip": zipped({"b.csv": b"id,name\n4,d\n", "a.csv": b"id,name\n3,c\n4,older\n"}),
            "c.zip": zipped({"c/": b""}),
            "d.zip": zipped({"d.csv": TWO}, encrypted=True),
            "e.zip": zipped({"e.csv.zip": zipped({"e.csv": TWO})}),
            "f.zip": zipped({"f.csv": TWO})[:-9],
            "g.zip": zipped({"g.csv": b"id,name\n9,abc\n"}, zipfile.ZIP_STORED).replace(b"9,abc", b"9,abd"),
            "h.zip": zipped({"h.csv": BOMB}),
            "i.csv": zipped({"i.csv": TWO}),
        },
        [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")],
        rejected={
            "c.zip": "the zip archive holds no file",
            "d.zip!d.csv": "'d.csv' in the zip archive is encrypted",
            "e.zip!e.csv.zip": "'e.csv.zip' in the zip archive is an archive",
            "f.zip": "not a complete zip file",
            "g.zip!g.csv": "not a complete zip file (Bad CRC-32",
            "h.zip": "1000 times as large (limits.ratio)",
            "i.csv": "a zip archive; its name should end with .zip",
        },
    ),
    "packed_in_upper_case": Habit({"A.CSV.BZ2": PACKED["bz2"]}, [("1", "a"), ("2", "b")]),
    "packed_otherwise_encoded": Habit(
        {"a.csv.zst": zstd.compress("id,name\n1,ü\n".encode("utf-16"))}, [("1", "ü")], source("encoding: utf-16")
    ),
    "packed_and_broken": Habit(
        {
            **{f"torn.csv.{ending}": data[:-6] for ending, data in PACKED.items()},
            **{f"other.csv.{ending}": TWO for ending in PACKED},
            "z.csv": PACKED["zst"],
            "b.csv": PACKED["bz2"],
            "bomb.csv.bz2": bz2.compress(BOMB),
            "bomb.csv.zst": zstd.compress(BOMB),
        },
        rejected={
            **{
                f"{name}.csv.{ending}": f"not a complete {kind} file"
                for name in ("torn", "other")
                for ending, kind in (("bz2", "bzip2"), ("zst", "zstd"), ("gz", "gzip"))
            },
            "z.csv": "a zstd file; its name should end with .zst",
            "b.csv": "a bzip2 file; its name should end with .bz2",
            "bomb.csv.bz2": "1000 times as large (limits.ratio)",
            "bomb.csv.zst": "1000 times as large (limits.ratio)",
        },
    ),
    "excel_sep_line": Habit(
        {"a.csv": "sep=;\r\nid;name\r\n1;a\r\n"}, [("1", "a")], source('options: {sep: ";"}'), read=1
    ),
    "sep_line_beats": Habit(
        {"a.csv": "\ufeffSEP=\t\nid\tname\n1\ta,b\n", "b.csv": '"sep=|"\nid|name\n2|b\n', "c.csv": "id,name\n3,c\n"},
        [("1", "a,b"), ("2", "b"), ("3", "c")],
    ),
    "sep_line_alone": Habit({"a.csv": "sep=;\n"}, rejected={"a.csv": "the file has no header"}),
    "sep_line_no_header": Habit({"a.csv": "sep=;\n1;a\n"}, [("1", "a")], source("options: {header: false}")),
    "preamble": Habit(
        {"a.csv": "Customer report\nRun date: 2026-01-01\n\nid,name\n1,a\nx,b\n"},
        [("1", "a")],
        source("skip_lines: 3"),
        bad=[("6", "x,b")],
    ),
    "preamble_too_long": Habit(
        {"a.csv": "id,name\n1,a\n"},
        source=source("skip_lines: 3"),
        rejected={"a.csv": "no header behind its first 3 lines"},
    ),
    "preamble_headless": Habit(
        {"a.csv": "a\nb\n1,a\n2,b\n"}, [("1", "a"), ("2", "b")], source("skip_lines: 2", "options: {header: false}")
    ),
    "preamble_with_sep": Habit({"a.csv": "sep=;\nReport\nid;name\n1;a\n"}, [("1", "a")], source("skip_lines: 2")),
    "until_header": Habit(
        {
            "a.csv": 'Report "x\n"a","b"\nName,of,it\nName,ID\na,1\nb,y\n',
            "b.csv": "id,name\n2,b\n",
            "c.csv": "ident,name\n3,c\n",
        },
        [("1", "a"), ("2", "b")],
        source("until_header: true"),
        rejected={"c.csv": "none of its first 1000 lines has the columns 'id'"},
        bad=[("6", "b,y")],
    ),
    "trailer_record": Habit(
        {"a.csv": "id,name\nA1,a\nA2,b\nTRAILER,2\n"},
        [("A1", "a"), ("A2", "b")],
        TRAILED,
        "{id: string, name: string}",
        read=3,
        no_rows=1,
    ),
    "trailers": Habit(
        {
            "fewer.csv": "id,name\n1,a\nTRAILER,2\n",
            "none.csv": "id,name\n2,b\n",
            "more.csv": "id,name\n3,c\nTRAILER,1\n4,d\n",
            "nothing.csv": "id,name\nTRAILER,x\n",
            "two.csv": "id,name\n5,e\nTRAILER,1\nbroken\n6,f\nTRAILER,000002\n",
            "empty.csv": "id,name\nTRAILER,0,,\n",
        },
        [("5", "e"), ("6", "f")],
        TRAILED,
        rejected={
            "fewer.csv": "line 3: the trailer says 2 records, and there are 1",
            "none.csv": "no record starts with 'TRAILER', so the trailer is missing",
            "more.csv": "there are 1 records behind the last trailer",
            "nothing.csv": "the trailer tells no number of records, but 'x'",
        },
        bad=[("4", "broken")],
        no_rows=3,
    ),
    "trailer_sums": Habit(
        {
            "a.csv": "id;amount\n1;1,50\n2;-0,25\n3;\nT;3;1,25\n",
            "b.csv": "id;amount\n4;1,5\nT;1;1,6\n",
        },
        [("1", "1.50"), ("2", "-0.25"), ("3", None)],
        SUMMED,
        AMOUNT,
        rejected={"b.csv": "the trailer says 1.6 as the sum of amount, and it is 1.5"},
        no_rows=1,
    ),
    "control_count": Habit(
        {
            "a.csv": "id,name\n1,a\n2,b\n",
            "a.csv.ctl": "file=a.csv\r\nrows=2\r\n",
            "b.csv": "id,name\n3,c\n",
            "b.csv.ctl": "rows=2\n",
            "c.csv": "id,name\n4,c\n",
            "c.csv.ctl": "nothing\n",
            "d.csv": "id,name\n5,d\n",
        },
        [("1", "a"), ("2", "b")],
        CONTROL,
        rejected={
            "b.csv": "its control file b.csv.ctl says 2 records, and there are 1",
            "c.csv": "its control file c.csv.ctl does not say what source.control.count looks for",
        },
        companions=["a.csv.ctl"],
        stays=["d.csv"],
    ),
    "control_digest": Habit(
        {
            "a.csv": "id,name\n1,a\n",
            "a.csv.sum.txt": f"{DIGEST.upper()} *a.csv\n",
            "b.csv": "id,name\n2,a\n",
            "b.csv.sum.txt": f"{DIGEST}\n",
        },
        [("1", "a")],
        source("control: {file: '{file}.sum.txt', sha256: '^([0-9a-f]{64})\\b'}"),
        rejected={"b.csv": f"says the SHA-256 {DIGEST}, and it is"},
        companions=["a.csv.sum.txt"],
    ),
    "control_sums": Habit(
        {"a.csv": "id,amount\n1,1.5\n2,2\n", "a.csv.ctl": "3.50\n", "b.csv": "id,amount\n3,1\n", "b.csv.ctl": "2\n"},
        [("1", "1.50"), ("2", "2.00")],
        source(r"control: {file: '{file}.ctl', sums: {amount: '^(\S+)$'}}"),
        AMOUNT,
        rejected={"b.csv": "says 2 as the sum of amount, and it is 1"},
        companions=["a.csv.ctl"],
    ),
    "short_rows": Habit(
        {"a.csv": 'id,name,more\n1\n2,b,c,,\n,,\n,\n3,"",c,""\n4,d,e,f\n'},
        [("1", None, None), ("2", "b", "c"), ("3", "", "c")],
        source("short_rows: fill"),
        "{id: bigint, name: string, more: string}",
        read=6,
        no_rows=2,
        bad=[("7", "4,d,e,f")],
    ),
    "short_rows_quarantined": Habit(
        {"a.csv": "id,name\n1\n2,b\n,\n"}, [("2", "b")], bad=[("2", "1"), ("4", ",")], read=3
    ),
    "header_again": Habit(
        {
            "a.csv": "id,name\n1,a\nid,name\n2,b\n",
            "b.csv": '"id","name"\n3,c\nid,name\n4,d\n"id","name"\n',
            "c.csv": TEN.replace("\n", "\r\n").replace("0,n0", "id,name"),
        },
        [("1", "n1"), ("2", "n2"), *((str(n), f"n{n}") for n in range(3, 10)), ("id", "name")],
        schema="{id: string, name: string}",
        read=17,
        no_rows=3,
    ),
    "several_characters": Habit(
        {"a.csv": 'id||name\n1||a|b\n2|||c\n3||"x||y"\n4||a||b\n'},
        [("1", "a|b"), ("2", "|c"), ("3", "x||y")],
        source('options: {sep: "||"}'),
        bad=[("5", "4||a||b")],
    ),
    "decimal_comma": Habit(
        {"a.csv": "id;amount;rate\n1;1.234,56;0,5\n2;12,5;1,25\n3;1.23;1\n4;;\n"},
        [("1", "1234.56", "0.5"), ("2", "12.50", "1.25"), ("4", None, None)],
        source('options: {sep: ";"}', 'numbers: {decimal: ",", group: "."}'),
        '{id: bigint, amount: "decimal(12,2)", rate: double}',
        bad=[("4", "3;1.23;1")],
    ),
    "trailing_minus": Habit(
        {"a.csv": "id,amount\nA, 1250.00-\nB,  3.10 \n"},
        [("A", "-1250.00"), ("B", "3.10")],
        source("numbers: {negative: [leading, trailing]}"),
        AMOUNT,
    ),
    "money": Habit(
        {"a.csv": "id;amount;share;n\n1;€ 1\u00a0234,50;12,5 %;(1 000)\n2;(0,50 €);100%;7\n"},
        [("1", "1234.50", "12.5", "-1000"), ("2", "-0.50", "100.0", "7")],
        source('options: {sep: ";"}', 'numbers: {decimal: ",", group: " ", negative: parentheses, strip: "€% "}'),
        '{id: string, amount: "decimal(13,2)", share: double, n: int}',
    ),
    "numbers_of_a_column": Habit(
        {"a.csv": "id;amount;plain\n1;1'234.50;1.5\n2;1,5;1,5\n"},
        [("1", "1234.50", "1.5")],
        source('options: {sep: ";"}'),
        '{id: string, amount: {type: "decimal(13,2)", numbers: {group: "\'"}, min: 1.5}, plain: double}',
        bad=[("3", "2;1,5;1,5")],
    ),
    "text_formulas": Habit(
        {"a.csv": 'id,name\n="00123",="a"\n"=""00124""",b\n=1,="\n'},
        [("00123", "a"), ("00124", "b"), ("=1", '="')],
        source("text_formulas: true"),
        "{id: string, name: string}",
    ),
    "formulas_as_they_are": Habit({"a.csv": 'id,name\n1,="00123"\n'}, [("1", '="00123"')]),
    "text_lines": Habit(
        {"a.log": 'one, "1"\r\n\r\nx\x00y\rlast', "b.log": b"ok\n\xff\n", "c.log": b"# head\n"},
        [("",), ("# head",), ("last",), ("ok",), ('one, "1"',), ("x\x00y",)],
        schema="{value: string}",
        keys="[value]",
        format="text",
        bad=[("2", "\\xff")],
    ),
    "text_with_trailer": Habit(
        {"a.txt": "HDR\na\nb\nEND  2\n", "b.txt": "HDR\nc\nEND  7\n"},
        [("a",), ("b",)],
        source("skip_lines: 1", "trailer: {starts_with: END, count: {start: 4, width: 3}}"),
        "{line: {type: string, source_name: value}}",
        "[line]",
        "text",
        {"b.txt": "the trailer says 7 records, and there are 1"},
        no_rows=1,
    ),
    "fixed_width": Habit(
        {
            "a.txt": "HEADER\n00001Zoë  0012,50-x\n\n00002 B       3,00\n00003\n0000xC       4,00\n",
            "b.txt": b"00004\xff\n",
        },
        [("1", "Zoë", "-12.50"), ("2", " B", "3.00")],
        source("skip_lines: 1", 'numbers: {decimal: ",", negative: [leading, trailing]}'),
        "{id: {type: bigint, start: 1, width: 5}, name: {type: string, start: 6, width: 5},"
        ' amount: {type: "decimal(9,2)", start: 11, width: 8}}',
        format="fixed_width",
        bad=[("5", "00003"), ("6", "0000xC       4,00")],
        read=4,
    ),
    "fixed_width_filled": Habit(
        {"a.txt": "1A  9\n2\n3BB\nT00030000000009\n"},
        [("1", "A", "9"), ("2", None, None), ("3", "BB", None)],
        source(
            "short_rows: fill",
            "trailer: {starts_with: T, count: {start: 2, width: 4}, sums: {n: {start: 6, width: 10}}}",
        ),
        "{id: {type: bigint, start: 1, width: 1}, name: {type: string, start: 2, width: 3},"
        " n: {type: int, start: 5, width: 1}}",
        format="fixed_width",
        no_rows=1,
    ),
    "xml": Habit(
        {
            "a.xml": XML.encode("latin-1"),
            "b.xml": XML.replace("ISO-8859-1", "UTF-16").replace('id="', 'id="1').encode("utf-16"),
        },
        [
            ("1", "Zo\xeb", "[a, b]", "{'x': 1, 'y': 2.50}", "2.5"),
            ("11", "Zo\xeb", "[a, b]", "{'x': 1, 'y': 2.50}", "2.5"),
            ("12", None, "[c & d]", "{'x': 3, 'y': NULL}", None),
            ("2", None, "[c & d]", "{'x': 3, 'y': NULL}", None),
        ],
        schema='{id: {type: bigint, source_name: "@id"}, name: string, tag: array<string>,'
        ' at: "struct<x:int,y:decimal(5,2)>", y: {type: double, source_name: at.y}}',
        format="xml",
        bad=[("5", '{"@id": "1x", "name": "<b>"}'), ("5", '{"@id": "x", "name": "<b>"}')],
    ),
    "xml_records": Habit(
        {
            "a.xml": "<r><h><id>9</id></h><Incidents><Incident><id>1</id><name> a </name></Incident>"
            '<Incident><id>2</id><name p="q">b</name></Incident></Incidents>'
            '<Incidents><I id="z"><id>3</id></I></Incidents></r>',
            "none.xml": "<r><id>1</id></r>",
            "torn.xml": "<r><Incidents><Incident><id>4</id></Incident><Incident><id>5</",
            "evil.xml": '<!DOCTYPE r [<!ENTITY a "aa">]><r><Incidents><I><id>6</id><n>&a;</n></I></Incidents></r>',
            "far.xml": '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
            "deep.xml": "<r><Incidents>" + "<a>" * 300 + "</a>" * 300 + "</Incidents></r>",
            "not.xml": "id,name\n1,a\n",
            "empty.xml": "<r><Incidents/></r>",
        },
        [("1", " a "), ("2", "b"), ("3", None)],
        source("records: Incidents"),
        format="xml",
        rejected={
            "none.xml": "there is no element 'Incidents'",
            "torn.xml": "no well-formed XML: unclosed token, line 1",
            "evil.xml": "the file has a DOCTYPE",
            "far.xml": "the file has a DOCTYPE",
            "deep.xml": "more than 200 deep",
            "not.xml": "the file is no xml file but text",
        },
    ),
    "excel": Habit(
        {
            "a.xlsx": BOOK,
            "b.xlsx": BOOK[: len(BOOK) // 2],
            "c.xlsx": b"id,name\n1,a\n",
            "d.xlsx": workbook({"Other": []}),
        },
        [
            ("1", "00123", "2026-01-01", "2026-01-01 12:00:00+00", "true", "0.1"),
            ("2", "5", None, None, None, "1000000.0"),
        ],
        source("sheet: 'Ord*'", "until_header: true"),
        "{id: bigint, code: string, day: date, at: timestamp, yes: boolean, x: double}",
        format="excel",
        rejected={
            "b.xlsx": "no complete Excel workbook",
            "c.xlsx": "the file is no excel file but text",
            "d.xlsx": "there is no sheet Ord* in the workbook; it has 'Other'",
        },
        bad=[("6", '{"id": "2.5", "code": null, "day": null, "at": null, "yes": null, "x": null, "": "note"}')],
        warnings=["column 'code' is text, with numbers in 1 file"],
    ),
    "excel_by_number": Habit(
        {"a.xlsx": BOOK, "wide.xlsx": WIDE},
        [("7", "a")],
        source("sheet: 2", "skip_lines: 1"),
        format="excel",
        rejected={"wide.xlsx": "is more than 10,000,000 cells"},
    ),
    "folders": Habit(
        {"dt=2026-01-01/part.csv": "id,name\n1,a\n", "dt=2026-01-02/part.csv": "id,name\n1,b\n", "dt=x/p.csv": "id\n"},
        [("1", "a", "2026-01-01"), ("1", "b", "2026-01-02")],
        source('files: "dt={dt:yyyy-MM-dd}/*.csv"'),
        "{id: bigint, name: string, dt: {type: date, from_file: dt}}",
        "[id, dt]",
        stays=["dt=x/p.csv"],
    ),
}

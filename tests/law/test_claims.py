"""Files of formats that say how much they hold: what a few bytes claim is not believed."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import sys
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from framework.feed import Feed, Format
from framework.law.layout import Layout
from framework.law.records import READERS, BrokenFile
from framework.law.records.avro_guard import guard_schema
from framework.names import Limits
from tests.claims import BOOK, SHEET, avro, changed, deflated, listing, number, sheet, sized, texts
from tests.feeds import column, made_feed
from tests.typed_files import AVRO, ORC, PARQUET, WRITERS, parquet

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMITS = Limits(record=1000)
"""Of which 2,000 bytes may be held at once, and 16 million values become as few as 500."""


def feed(format_: str, *names: str, limits: Limits = LIMITS) -> Feed:
    source = {"format": Format(format_), "limits": limits}
    return made_feed(*map(column, names), source=source, target={"keys": ()})


def read(of: Feed, data: bytes) -> list[tuple[str | None, ...] | str | None] | str:
    """The records' fields, or what is wrong with one; or why the file is rejected."""
    reader = READERS[of.source.format]
    try:
        layout, _ = reader.open(io.BytesIO(data), "utf-8", of)
        if not isinstance(layout, Layout):
            return layout.reason
        records = list(reader.records(io.BytesIO(data), "utf-8", of, layout))
    except BrokenFile as error:
        return str(error)
    return [record.error if record.fields is None else record.fields for record in records]


A_LIST = {"type": "array", "items": "null"}
NOTHING = {"type": "fixed", "name": "n", "size": 0}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (avro({"a": A_LIST}, (1, number(1 << 50) + number(0))), "lists of values that take no bytes"),
        (avro({"a": {"type": "map", "values": NOTHING}}), "lists of values that take no bytes"),
        (avro({"a": {"type": "array", "items": [NOTHING, "long"]}}), "lists of values that take no bytes"),
        (avro({"a": ["null", "r"]}, (1, b"\2" * 900)), "its type 'r' holds itself, to any depth"),
        (avro({"a": "null"}, (1 << 50, b"")), "more records than bytes"),
        (avro({"a": "string"}, (1, sized(b"x" * 1000))), "more than 1000 bytes (limits.record)"),
        (avro({"a": "string"}) + number(1) + number(1 << 45), "longer than the rest of it"),
        (avro({"a": "string"})[:30], "longer than the rest of it"),
        (avro({"a": "string"}) + b"\xff", "it ends within a number"),
        (avro({"a": "string"}, (1, b"x"), codec="tea"), "it is packed by 'tea', which is not read"),
    ],
    ids=["list", "map", "union", "itself", "records", "block", "length", "header", "number", "codec"],
)
def test_avro_files_that_claim_too_much(data: bytes, said: str) -> None:
    assert said in read(feed(AVRO, "a"), data)


@pytest.mark.parametrize(
    ("codec", "packed"),
    [
        ("deflate", deflated),
        ("bzip2", bz2.compress),
        ("xz", lzma.compress),
        ("zstandard", zstd.compress),
        ("snappy", lambda data: b"\xe9\x07" + data),  # 1001, and whatever
        ("lz4", lambda data: struct.pack("<I", len(data)) + data),
    ],
)
def test_a_block_of_avro_that_unpacks_to_more_than_a_record_may_have(
    codec: str, packed: Callable[[bytes], bytes]
) -> None:
    block = packed(sized(b"x" * 999))
    assert read(feed(AVRO, "a"), avro({"a": "string"}, (1, block), codec=codec)) == (
        "a block in it has more than 1000 bytes (limits.record)"
    )


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "zstandard"])
def test_packed_blocks_of_avro_are_read(codec: str) -> None:
    data = WRITERS[AVRO]({"a": "string", "l": "list"}, [{"a": "x", "l": [1, 2]}, {}], codec=codec)
    assert read(feed(AVRO, "a", "l"), data) == [("x", "[1,2]"), (None, None)]


def test_records_within_records_do_not_multiply() -> None:
    """Ten fields of a type that has ten fields of a type …"""
    schema: Any = "long"
    for depth in range(5):
        last = f"t{depth - 1}"
        types = [schema, *[last if depth else "long"] * 9]
        fields = [{"name": f"f{at}", "type": type_} for at, type_ in enumerate(types)]
        schema = {"type": "record", "name": f"t{depth}", "fields": fields}
    with pytest.raises(BrokenFile, match="more than 10000 values"):
        guard_schema(schema, Limits())
    guard_schema(schema, Limits(columns=100_000))


# Parquet and ORC, which say a value once, and how often


def test_a_long_text_in_a_dictionary_of_parquet_is_not_written_out() -> None:
    """A gigabyte of text in some KB: of a file the text of its records may be so long, and no longer."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int8()), ["x" * 500_000])
    out = io.BytesIO()
    pa.parquet.write_table(pa.table({"a": words}), out, compression="zstd", dictionary_pagesize_limit=1 << 20)
    data = out.getvalue()
    assert len(data) < 5_000
    limits = Limits(record=1 << 20)
    assert read(feed(PARQUET, "a", limits=limits), data) == (
        "unpacked the file is more than 1000 times as large (limits.ratio)"
    )


def test_parquet_files_of_a_value_any_number_of_times() -> None:
    out = io.BytesIO()
    pa.parquet.write_table(pa.table({"a": pa.repeat(7, 10_000)}), out)
    few = Limits(record=1000, ratio=10)
    assert " bytes are said to be 10000 values" in read(feed(PARQUET, "a", limits=few), out.getvalue())
    assert read(feed(PARQUET, "a", limits=Limits()), out.getvalue()) == [("7",)] * 10_000


def test_a_list_of_parquet_with_a_value_any_number_of_times() -> None:
    data = parquet({"a": "list"}, [{"a": [None] * 400_000}])
    assert " bytes are said to be 400000 values" in read(feed(PARQUET, "a"), data)


def test_a_list_of_parquet_of_which_the_footer_says_less() -> None:
    assert " bytes are said to be 400000 values" in read(feed(PARQUET, "event"), listing(400_000, 10).getvalue())


def test_a_large_file_of_parquet_of_which_the_footer_says_less() -> None:
    data = listing(6_000_000, 10, user_id=[Random(1).randbytes(5 << 20)]).getvalue()
    limits = Limits(record=1000, ratio=11)
    assert " bytes are said to be 6000001 values" in read(feed(PARQUET, "event", limits=limits), data)


def test_a_group_of_rows_that_becomes_large() -> None:
    data = parquet({"a": "string"}, [{"a": "x" * 200_000}], compression="zstd", use_dictionary=False)
    assert "a group of its rows has " in read(feed(PARQUET, "a"), data)


@pytest.mark.parametrize("format_", [PARQUET, AVRO, ORC])
def test_a_record_that_is_too_long_is_bad_alone(format_: str) -> None:
    limits = Limits(record=4000)
    rows = [{"a": "1"}, *([{"a": "x" * 3000, "b": "x" * 990}] if format_ == AVRO else [{"a": "x" * 5000}]), {"a": "3"}]
    options = {"sync_interval": 1} if format_ == AVRO else {}
    data = WRITERS[format_]({"a": "string", "b": "string"}, rows, **options)
    found = read(feed(format_, "a", "b", limits=limits), data)
    assert [found[0], found[2]] == [("1", None), ("3", None)]
    assert str(found[1]).endswith("it may have 4000 (limits.record)")


# Workbooks, in which cells share texts


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ('<c r="XFD1048576"><v>1</v></c>', "is more than 10,000,000 cells"),
        ("<c x='>' r='XFD1048576'><v>1</v></c>", "is more than 10,000,000 cells"),
        ("<c t='s'><v>0</v></c>" * 60, "the texts of its cells have more than "),
        ("<c t='&#115;'><v><![CDATA[0]]></v></c>" * 60, "the texts of its cells have more than "),
    ],
    ids=["far", "hidden", "shared", "written otherwise"],
)
def test_workbooks_that_claim_too_much(cells: str, said: str) -> None:
    book = changed(BOOK, {SHEET: sheet(cells), "xl/sharedStrings.xml": texts("x" * 5_000)})
    assert said in read(feed("excel", "a", limits=Limits(record=1000, ratio=100)), book)


def test_a_part_of_a_workbook_is_as_large_as_it_is_and_not_as_is_said() -> None:
    book = changed(BOOK, {SHEET: sheet("<c><v>1</v></c>" * 20_000)}, said=10)
    assert "unpacked it has more than " in read(feed("excel", "a"), book)


def test_many_cells_may_share_a_text() -> None:
    rows = "".join(f'<row r="{line}"><c r="A{line}" t="s"><v>0</v></c></row>' for line in range(3, 20_000))
    with zipfile.ZipFile(io.BytesIO(BOOK)) as archive:
        part = archive.read(SHEET).replace(b"</sheetData>", f"{rows}</sheetData>".encode())
    relations = "xl/_rels/workbook.xml.rels"
    with zipfile.ZipFile(io.BytesIO(BOOK)) as archive:
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        more = f'<Relationship Id="ss" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'
        listed = archive.read(relations).replace(b"</Relationships>", more.encode())
    book = changed(BOOK, {SHEET: part, relations: listed, "xl/sharedStrings.xml": texts("y" * 2_000)})
    found = read(feed("excel", "a", limits=Limits()), book)
    assert (len(found), found[-1]) == (19_998, ("y" * 2_000,))

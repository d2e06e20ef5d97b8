"""Files that are torn, changed or of another kind: readers give records, or say in a sentence why there are none."""

from __future__ import annotations

import io
from random import Random

import pytest

from framework.feed import Archive, Column, Feed, Format, Quarantine, Source, Span, Target, Trailer
from framework.law.layout import Layout
from framework.law.records import READERS, BrokenFile
from framework.names import Table
from framework.types import Scalar
from tests.typed_files import A_ROW, ALL_TYPES, WRITERS
from tests.workbooks import DATE, workbook

TEXT = b'id,name\n1,a\n2,"b\nc"\nT,2\n'
FILES = {
    Format.CSV: TEXT,
    Format.TEXT: TEXT,
    Format.FIXED_WIDTH: b"1    a\n2    b\nT2\n",
    Format.XML: b'<?xml version="1.0"?><r xmlns:x="u"><a id="1"><name>\xc3\xa9</name></a><a id="2"><name/></a></r>\n',
    Format.EXCEL: workbook({"A": [["id", "name"], [1, "a"], [2.5, (46023, DATE)]]}),
    **{Format(name): written(ALL_TYPES | {"name": "string"}, [A_ROW, {"id": 2}]) for name, written in WRITERS.items()},
}


def feed(format_: Format) -> Feed:
    table = Table("s.t")
    names = {Format.TEXT: "value", Format.XML: "@id"}
    key = Column("id", Scalar("string"), (names.get(format_, "id"),), span=Span(1, 5))
    name = Column("name", Scalar("string"), ("name",), span=Span(6, 1))
    trailer = Trailer("T", 2) if format_ is Format.CSV else None
    columns = (key,) if format_ is Format.TEXT else (key, name)
    target = Target(table, table.suffixed("__staging"), keys=("id",))
    source = Source("/landing/", format_, trailer=trailer)
    return Feed("t", source, columns, target, Quarantine(table.suffixed("__q")), Archive("", ""))


def read(format_: Format, data: bytes) -> int | str:
    """How many records there are, or the sentence."""
    reader, of = READERS[format_], feed(format_)
    try:
        layout, _ = reader.open(io.BytesIO(data), "utf-8", of)
        if not isinstance(layout, Layout):
            return layout.reason
        return sum(1 for _ in reader.records(io.BytesIO(data), "utf-8", of, layout))
    except (BrokenFile, UnicodeError) as error:
        return str(error)


@pytest.mark.parametrize("format_", FILES)
def test_whole_files(format_: Format) -> None:
    assert read(format_, FILES[format_]) == {Format.TEXT: 5, Format.FIXED_WIDTH: 3, Format.CSV: 3}.get(format_, 2)


@pytest.mark.parametrize("format_", FILES)
def test_torn_at_every_tenth_byte(format_: Format) -> None:
    data = FILES[format_]
    found = [read(format_, data[:length]) for length in range(1, len(data) - 2, 10)]
    assert all(isinstance(each, int) or each for each in found)
    if format_ not in (Format.TEXT, Format.FIXED_WIDTH):  # all others tell whether they are whole
        assert all(isinstance(each, str) for each in found)


def changed_bytes(format_: Format, seed: int, files: int) -> None:
    random, data = Random(seed), FILES[format_]
    for _ in range(files):
        changed = bytearray(data)
        for _ in range(random.choice((1, 1, 2, 8))):
            changed[random.randrange(len(changed))] = random.randrange(256)
        found = read(format_, bytes(changed))
        assert isinstance(found, int) or found


@pytest.mark.parametrize("format_", FILES)
def test_changed_bytes(format_: Format) -> None:
    changed_bytes(format_, 1, 300)


@pytest.mark.torture
@pytest.mark.parametrize("format_", FILES)
def test_many_changed_bytes(format_: Format) -> None:
    changed_bytes(format_, 2, 20_000)


@pytest.mark.parametrize("format_", FILES)
@pytest.mark.parametrize("other", [*FILES, "noise"])
def test_files_of_another_kind(format_: Format, other: str) -> None:
    data = Random(2).randbytes(5000) if other == "noise" else FILES[Format(other)]
    found = read(format_, data)
    assert isinstance(found, int) or found


@pytest.mark.parametrize("far", ["@XFD1048576 x", "@xfd1048576 x"])
def test_a_sheet_that_would_fill_the_memory(far: str) -> None:
    book = workbook({"A": [["id", "name"], [1, far]]})
    assert "is more than 10,000,000 cells" in str(read(Format.EXCEL, book))


def test_large_values_and_many_fields() -> None:
    large, many = "x" * (1 << 20), "".join(f"<c{number}>v</c{number}>" for number in range(5000))
    xml = f'<r><a id="1"><name>{large}</name></a><a id="2">{many}</a></r>'
    assert read(Format.XML, xml.encode()) == 2
    assert read(Format.TEXT, large.encode()) == 1
    assert read(Format.FIXED_WIDTH, large.encode()) == 1
    assert read(Format.EXCEL, workbook({"A": [["id", "name"], [1, large]]})) == 1

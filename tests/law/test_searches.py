"""Whatever values records have, every one of them comes out of files of every format, once, with its own values."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from framework.feed import Feed, Format
from framework.law.layout import Layout
from framework.law.records import READERS, Record
from tests.feeds import column, made_feed
from tests.typed_files import ALL_TYPES, WRITERS
from tests.workbooks import workbook

LETTERS = [*"ab 1-,;'\"\\{}[]<>&\t\n\r\u00e4\u20ac\u8a9e\u0085\u2028\u00a0\ufeff", "\U0001f600", "]]>", "NULL"]
LETTERS += ["\x7f", "\x01"]
NOT_IN_XML = "\x01"


def text(dice: Random, *, but: str = "") -> str:
    return "".join(letter for letter in dice.choices(LETTERS, k=dice.randrange(6)) if letter not in but)


def value(dice: Random, type_: str) -> Any:
    """Some value of a type of `tests.typed_files`, often one at an end of what there is."""
    if dice.random() < 0.1:
        return None
    days = dice.choice([0, 1, dice.randrange(80_000), 3_652_058])
    moment = datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=days, microseconds=dice.choice([0, 1, 86_399_999_999]))
    match type_:
        case "bigint":
            return dice.choice([0, -1, (1 << 63) - 1, -(1 << 63), dice.randrange(1 << 40)])
        case "int":
            return dice.choice([0, (1 << 31) - 1, -(1 << 31), dice.randrange(99)])
        case "double":
            some = dice.random() * 10 ** dice.randrange(-300, 300)
            return dice.choice([0.0, -0.0, 1e22, 1e-7, 0.1, math.inf, -math.inf, 1e15, some])
        case "boolean":
            return dice.random() < 0.5
        case "date":
            return moment.date()
        case "timestamp":
            return moment.replace(year=max(1902, moment.year % 2300)) if moment.day < 29 else moment.replace(year=2000)
        case "decimal":
            return Decimal(dice.choice([0, 1, -1, 99_999_999_99, dice.randrange(10**9)])).scaleb(-2)
        case "list":
            return [dice.randrange(9) for _ in range(dice.randrange(4))]
        case _:
            return text(dice)


USED = ("bigint", "int", "double", "boolean", "date", "timestamp", "decimal", "list", "string")
TYPES = {name: type_ for name, type_ in ALL_TYPES.items() if type_ in USED}


def rows(dice: Random) -> list[dict[str, Any]]:
    return [{name: value(dice, type_) for name, type_ in TYPES.items()} for _ in range(dice.choice([0, 1, 7, 40]))]


def feed(format_: str, names: Sequence[str], **more: Any) -> Feed:
    return made_feed(*map(column, names), source={"format": Format(format_)} | more, target={"keys": ()})


def records(of: Feed, data: bytes) -> list[Record]:
    reader = READERS[of.source.format]
    layout, _ = reader.open(io.BytesIO(data), "utf-8", of)
    assert isinstance(layout, Layout), layout
    return list(reader.records(io.BytesIO(data), "utf-8", of, layout))


def wanted(value: Any) -> str | None:
    """The text of a value, as docs/values.md has it, made in another way than the law makes it."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case float():
            if math.isinf(value):
                return "Infinity" if value > 0 else "-Infinity"
            return f"{value:.1f}" if value == int(value) and abs(value) < 2**63 else str(value)
        case datetime():
            fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
            return f"{value:%m-%d %H:%M:%S}".join([f"{value.year:04}-", f"{fraction}+00"])
        case date():
            return f"{value.year:04}-{value:%m-%d}"
        case list():
            return json.dumps(value, separators=(",", ":"))
        case _:
            return f"{value}"


def typed(format_: str, seeds: range) -> None:
    of = feed(format_, list(TYPES))
    for seed in seeds:
        dice = Random(f"{seed} {format_}")
        given = rows(dice)
        found = records(of, WRITERS[format_](TYPES, given))
        assert [record.error for record in found] == [None] * len(given), seed
        for row, record in zip(given, found, strict=True):
            assert record.fields == tuple(map(wanted, row.values())), seed
            assert json.loads(record.raw).keys() == row.keys()
            assert json.loads(record.raw)["text"] == row["text"]


@pytest.mark.parametrize("format_", WRITERS)
def test_values_of_typed_files(format_: str) -> None:
    typed(format_, range(30))


@pytest.mark.torture
@pytest.mark.parametrize("format_", WRITERS)
def test_values_of_many_typed_files(format_: str) -> None:
    typed(format_, range(1000, 3000))


def some_xml(dice: Random) -> tuple[bytes, list[dict[str, str | None]]]:
    """A file, written letter by letter, and its records: attributes, elements, and what stands around them."""
    told: list[dict[str, str | None]] = []
    out = ["<?xml version='1.0'?>", dice.choice(["", "<!-- <row a='0'/> -->"])]
    out += [dice.choice(["<r>", "<n:r xmlns:n='u'>"])]
    for _ in range(dice.choice([0, 1, 9])):
        row: dict[str, str | None] = {}
        attribute = dice.choice([None, text(dice, but=NOT_IN_XML + "\t\n\r")])
        row["@a"] = attribute
        parts = []
        for name in dice.sample(["b", "c"], dice.randrange(3)):
            inner = text(dice, but=NOT_IN_XML + "\r")
            row[name] = inner or None
            written = dice.choice([escape(inner), f"<![CDATA[{inner.replace(']]>', ']]]]><![CDATA[>')}]]>"])
            parts.append(f"<{name}>{written}</{name}>")
        told.append({name: row.get(name) for name in ("@a", "b", "c")})
        between = dice.choice(["", "\n", " \t", "<!--x-->", "<?p i?>"])
        start = "<row" + (f" a={quoteattr(attribute)}" if attribute is not None else "") + ">"
        out.append(between.join([start, *parts, "</row>"]))
    return "".join([*out, "</r>" if out[2] == "<r>" else "</n:r>"]).encode(), told


def xml(seeds: range) -> None:
    of = made_feed(
        column("a", source_names=("@a",)), column("b"), column("c"), source={"format": Format.XML}, target={"keys": ()}
    )
    for seed in seeds:
        data, told = some_xml(Random(seed))
        layout, _ = READERS[Format.XML].open(io.BytesIO(data), "utf-8", of)
        assert isinstance(layout, Layout)
        found = list(READERS[Format.XML].records(io.BytesIO(data), "utf-8", of, layout))
        names = layout.names
        assert [record.error for record in found] == [None] * len(told), (seed, data)
        for row, record in zip(told, found, strict=True):
            fields = dict(zip(names, record.fields or (), strict=True))
            assert {name: fields.get(name) for name in row} == row, (seed, data)


def test_records_of_xml() -> None:
    xml(range(300))


@pytest.mark.torture
def test_records_of_many_xml_files() -> None:
    xml(range(1000, 21_000))


def cell(dice: Random) -> str | int | None:
    return dice.choice([None, f"t{text(dice, but=NOT_IN_XML + chr(13))}", dice.randrange(1000)])


def excel(seeds: range) -> None:
    of = feed("excel", ["a", "b"])
    for seed in seeds:
        dice = Random(f"{seed} excel")
        given = [[cell(dice) for _ in "ab"] for _ in range(dice.choice([0, 1, 9]))]
        written = [[escape(each) if isinstance(each, str) else each for each in row] for row in given]
        book = workbook({"A": [["a", "b"], *written]})
        found = [record.fields for record in records(of, book)]
        texts = [tuple(None if cell is None else str(cell) for cell in row) for row in given]
        assert Counter(found) == Counter(row for row in texts if any(row)), seed


def test_records_of_workbooks() -> None:
    excel(range(100))


@pytest.mark.torture
def test_records_of_many_workbooks() -> None:
    excel(range(1000, 6000))

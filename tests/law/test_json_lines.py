"""JSON read line by line is what the law reads of the whole file, or it is said that the lines are not its records."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from random import Random

import pytest

from framework.feed import CsvOptions, Feed, Format
from framework.law.layout import Layout, json_layout
from framework.law.records import READERS, Record
from framework.law.records.json_lines import JsonLines, NotByItself
from tests.engines.test_trouble import feed
from tests.trouble import some_file

OF = feed(Format.JSON, "utf-8", CsvOptions())


def by_lines(of: Feed, layout: Layout, content: bytes) -> list[Record] | None:
    """The records of lines as Spark breaks them; None where they are not the file's."""
    reader = JsonLines(of, layout)
    lines = re.split(rb"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf"))
    try:
        found = [reader.record(line, number) for number, line in enumerate(lines, 1)]
    except NotByItself:
        return None
    return [record for record in found if record is not None]


def compare(content: bytes) -> bool:
    """Whether the lines are the records; if they are, these are those of the law."""
    layout, _ = READERS[Format.JSON].open(io.BytesIO(content), "utf-8", OF)
    if not isinstance(layout, Layout):
        return False
    found = by_lines(OF, layout, content)
    assert found is None or found == list(READERS[Format.JSON].records(io.BytesIO(content), "utf-8", OF, layout))
    return found is not None


def test_any_file() -> None:
    fits = [compare(some_file(Random(f"{seed} lines"), Format.JSON, "utf-8")) for seed in range(600)]
    assert 100 < sum(fits) < len(fits)


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        (b'{"a":1}\n{"b":2}\n', True),
        (b' {"a":1}\t\n\n \r\n{"b":2}', True),
        (b'\xef\xbb\xbf{"a":1}\n', True),
        (b'{"a":1}\n\xef\xbb\xbf{"a":1}\n', False),
        (b'{"a":1}\nnonsense\n{"a":\xff2}\n{"a":2}\n', True),
        (b'{"a":1}\n{"a":\n{"b":1}\n', False),
        (b'{"a":1} {"b":2}\n', False),
        (b'[{"a":1},\n{"a":2}]\n', False),
        (b'[\n{"a":1}\n]\n', False),
        (b'{"a":"x\ny"}\n', True),
        (b'{"a":"' + b"[" * 200 + b'"}\n', True),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}\n", True),
        (b'{"a":"\\ud800"}\n{"a":"\\ud83d\\ude00"}\n{"a":NaN,"a":1.50}\n', True),
    ],
)
def test_lines(content: bytes, fits: bool) -> None:
    assert compare(content) is fits


def test_an_undecodable_line_where_the_file_may_be_in_another_encoding() -> None:
    either = replace(OF, source=replace(OF.source, encodings=("utf-8", "cp1252")))
    with pytest.raises(NotByItself):
        JsonLines(either, Layout((), ())).record(b'{"a":"\xfc"}', 1)


def test_new_keys_come_in_their_order() -> None:
    layout = json_layout(OF, ["a", "z"])
    assert isinstance(layout, Layout)
    reader = JsonLines(OF, layout)
    record = reader.record(b'{"z":0,"y":1,"a":2,"x":3}', 5)
    assert record is not None
    assert (record.line, record.fields, list(reader.new)) == (5, ("2",), ["y", "x"])

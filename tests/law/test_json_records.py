"""The law of JSON records: documents one after another, or one array of them."""

from __future__ import annotations

import io
import time
import tracemalloc
from dataclasses import replace

import pytest

from framework.feed import Archive, Column, Feed, Format, Quarantine, Source, Target
from framework.law.layout import Layout, Rejected
from framework.law.records import READERS
from framework.law.values import DEEPEST
from framework.names import Limits, Table
from framework.types import Scalar

TABLE = Table("s.t")
FEED = Feed(
    "any",
    Source("/in/", Format.JSON),
    tuple(Column(name, Scalar("string"), (name,)) for name in ("a", "b")),
    Target(TABLE, TABLE),
    Quarantine(TABLE),
    Archive("/a/", "/r/"),
)


def law(data: bytes, encoding: str = "utf-8", feed: Feed = FEED) -> list[tuple[int, str, object]]:
    """Line, text, and the values of the columns or what is wrong, of every record."""
    reader = READERS[Format.JSON]
    layout, _ = reader.open(io.BytesIO(data), encoding, feed)
    assert isinstance(layout, Layout)
    at = [layout.index(column.name) for column in feed.columns]
    found: list[tuple[int, str, object]] = []
    for record in reader.records(io.BytesIO(data), encoding, feed, layout):
        fields = record.fields
        values = None if fields is None else tuple(None if index is None else fields[index] for index in at)
        found.append((record.line, record.raw, record.error if values is None else values))
    return found


NOT_VALID = "a byte is not valid in the file's encoding (source.encoding)"
NO_JSON, NO_OBJECT = "the record is not JSON", "the record is not a JSON object"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b" \n\r\n", []),
        (b'{"a":1}\n\n{"b":"x"}', [(1, '{"a":1}', ("1", None)), (3, '{"b":"x"}', (None, "x"))]),
        (b'\xef\xbb\xbf{"a":1}\r\n{"a":2}', [(1, '{"a":1}', ("1", None)), (2, '{"a":2}', ("2", None))]),
        (b'{"a":1}\r{"a":2}', [(1, '{"a":1}', ("1", None)), (2, '{"a":2}', ("2", None))]),
        (b'{"a":1}{"a":2} {"a":3}', [(1, f'{{"a":{n}}}', (str(n), None)) for n in (1, 2, 3)]),
        (b'{\n "a": 1\n}\n{\n "a": 2\n}', [(1, '{\n "a": 1\n}', ("1", None)), (4, '{\n "a": 2\n}', ("2", None))]),
        (b'{"a":1,"a":2}', [(1, '{"a":1,"a":2}', ("2", None))]),
        (b'{"a":NaN,"b":-Infinity}', [(1, '{"a":NaN,"b":-Infinity}', ("NaN", "-Infinity"))]),
        (b'{"a":1,}\n{"a":2}', [(1, '{"a":1,}', NO_JSON), (2, '{"a":2}', ("2", None))]),
        (b'{"a":1,}{"a":2}', [(1, '{"a":1,}', NO_JSON), (1, '{"a":2}', ("2", None))]),
        (b'{"a":1\n{"a":2}', [(1, '{"a":1', NO_JSON), (2, '{"a":2}', ("2", None))]),
        (b'{"a":"x\n{"a":2}', [(1, '{"a":"x', NO_JSON), (2, '{"a":2}', ("2", None))]),
        (b'{"a":"\x01"}\n{"a":2}', [(1, '{"a":"\x01"}', NO_JSON), (2, '{"a":2}', ("2", None))]),
        (
            b'{"a":"\xff"}\n{"a":2}',
            [
                (1, '{"a":"\\xff"}', "a byte is not valid in the file's encoding (source.encoding)"),
                (2, '{"a":2}', ("2", None)),
            ],
        ),
        (b'{"a":"\\ud800"}', [(1, '{"a":"\\ud800"}', NO_OBJECT)]),
        ('{"a":"\u0085\u2028"}\n'.encode(), [(1, '{"a":"\u0085\u2028"}', ("\u0085\u2028", None))]),
        (
            b'12 x, {"a":1}\n"s"\n[1,2]\n{"a":2}',
            [
                (1, '12 x, {"a":1}', NO_OBJECT),
                (2, '"s"', NO_OBJECT),
                (3, "[1,2]", NO_OBJECT),
                (4, '{"a":2}', ("2", None)),
            ],
        ),
        (b"[]", []),
        (b'[{"a":1} {"a":2}]', [(1, '{"a":1}', ("1", None)), (1, '{"a":2}', "there is no comma before the record")]),
        (b'[{"a":1},\n {"a":2}\n]', [(1, '{"a":1}', ("1", None)), (2, '{"a":2}', ("2", None))]),
        (
            b' [ {"a":1,"b":[1,{"c":2}]} , 3, "x,]" ]\n',
            [(1, '{"a":1,"b":[1,{"c":2}]}', ("1", '[1,{"c":2}]')), (1, "3", NO_OBJECT), (1, '"x,]"', NO_OBJECT)],
        ),
        (b'[{"a":1,},{"a":2}]', [(1, '{"a":1,}', NO_JSON), (1, '{"a":2}', ("2", None))]),
        (
            b'[{"a":1},,{"a":2},]x',
            [
                (1, '{"a":1}', ("1", None)),
                (1, ",", "there is nothing before a comma"),
                (1, '{"a":2}', ("2", None)),
                (1, "]", "there is nothing behind a comma"),
                (1, "x", "the array that the file begins with has ended"),
            ],
        ),
        (
            b'[{"a":1},\n{"a":2',
            [
                (1, '{"a":1}', ("1", None)),
                (2, '{"a":2', NO_JSON),
                (2, "", "the array that the file begins with does not end"),
            ],
        ),
        (
            b'[{"a":1},\n{"a":2\n,{"a":3}]',
            [(1, '{"a":1}', ("1", None)), (2, '{"a":2', NO_JSON), (3, '{"a":3}', ("3", None))],
        ),
    ],
)
def test_records(data: bytes, expected: list[object]) -> None:
    assert law(data) == expected


ROWS = replace(FEED, source=replace(FEED.source, records="x.rows"))
NO_FIELD = "the document has no field x.rows (source.records)"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"n":[{"a":9}],"x":{"rows":[{"a":1},\n{"a":2}],"y":1},"z":"}"}', [(1, ("1", None)), (2, ("2", None))]),
        (b'{"x":{"rows":[{"a":1}]}}\n{ "x" : {"rows":{"a":2}} }', [(1, ("1", None)), (2, ("2", None))]),
        (
            b'{"x":{"rows":[]}}{"x":{"rows":null}}\n{"x":{}}\n{}{"x":{"rows":[{"a":1}]}}',
            [(2, NO_FIELD), (3, NO_FIELD), (3, ("1", None))],
        ),
        (b'{"x":{"rows":[{"a":1},3,]}}', [(1, ("1", None)), (1, NO_OBJECT), (1, "there is nothing behind a comma")]),
        (
            b'{"x":{"rows":[{"a":1},{"a":2}',
            [(1, ("1", None)), (1, ("2", None)), (1, "the array of records does not end"), (1, NO_JSON)],
        ),
        (
            b'{"x":{"rows":[{"a":1}]},"z" 1}\n{"x":{"rows":[{"a":2}]}}',
            [(1, ("1", None)), (1, NO_JSON), (2, ("2", None))],
        ),
    ],
)
def test_records_in_a_field(data: bytes, expected: list[object]) -> None:
    assert [(line, values) for line, _, values in law(data, feed=ROWS)] == expected


def test_a_file_without_the_field_is_rejected() -> None:
    layout, _ = READERS[Format.JSON].open(io.BytesIO(b'{"a":1}'), "utf-8", ROWS)
    assert layout == Rejected(NO_FIELD)


def test_a_name_with_dots_is_a_path_where_there_is_no_such_key() -> None:
    columns = tuple(Column(name, Scalar("string"), (source,)) for name, source in (("a", "p.q.r"), ("b", "p.s")))
    feed = replace(FEED, columns=columns)
    data = b'{"p":{"q":{"r":1.50},"s":{"t":2}}}\n{"p":3}\n{"p":{"q":4}}\n'
    assert [values for _, _, values in law(data, feed=feed)] == [("1.50", '{"t":2}'), (None, None), (None, None)]
    assert [values for _, _, values in law(data + b'{"p.s":5}', feed=feed)] == [
        ("1.50", None),
        *[(None, None)] * 2,
        (None, "5"),
    ]


@pytest.mark.parametrize("around", [b"%s", b"[%s]", b'{"a":2}\n%s'])
def test_more_levels_than_there_may_be_are_malformed(around: bytes) -> None:
    """… as long as the machine could read them, and as well where it could not; a line of them costs no other."""
    for levels in (DEEPEST - 1, DEEPEST, DEEPEST + 1, 1000, 100_000):
        nested = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
        found = [values for _, raw, values in law(around % nested) if raw == nested.decode()]
        deep = f"the record is nested too deep; it may have {DEEPEST} levels"
        assert found == [deep if levels >= DEEPEST else ("[" * levels + "]" * levels, None)]


def test_a_stream_of_any_size_takes_a_window_of_memory() -> None:
    rows = b",".join(b'{"a":"%07d"}' % number for number in range(200_000))
    for data, feed in ((b"[" + rows + b"]", FEED), (b'{"x":{"rows":[' + rows + b"]}}", ROWS)):
        reader = READERS[Format.JSON]
        layout, _ = reader.open(io.BytesIO(data), "utf-8", feed)
        assert isinstance(layout, Layout)
        tracemalloc.start()
        count = sum(1 for _ in reader.records(io.BytesIO(data), "utf-8", feed, layout))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (count, most < len(data)) == (200_000, True)
        assert most < 3_000_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252", "utf-32-le"])
def test_encodings(encoding: str) -> None:
    assert law('[{"a":"ü"}]'.encode(encoding), encoding) == [(1, '{"a":"ü"}', ("ü", None))]
    assert law('{"a":"ü"}\n{"a":"é"}'.encode(encoding), encoding)[1] == (2, '{"a":"é"}', ("é", None))


@pytest.mark.parametrize("form", ["[%s]", "[\n%s\n]", "%s"])
def test_the_window_over_a_file_changes_nothing(form: str) -> None:
    """Documents of all lengths around the size of a window, some broken."""
    documents = [f'{{"a":"{"x" * (7919 * n % 100_003)}\\n","b":{n}{"," if n % 7 == 3 else ""}}}' for n in range(60)]
    glue = "\n" if form == "%s" else ",\r\n"
    found = law((form % glue.join(documents)).encode())
    assert [raw for _, raw, _ in found] == documents
    assert [line for line, _, _ in found] == [n + 1 + form.startswith("[\n") for n in range(60)]
    assert [values == NO_JSON for _, _, values in found] == [n % 7 == 3 for n in range(60)]


@pytest.mark.parametrize("form", [b"%s\n%s\n%s\n", b"%s%s%s", b"[%s,%s,%s]"])
def test_a_document_that_is_too_long_is_malformed_alone(form: bytes) -> None:
    long = b'{"a":"' + b"x" * Limits().record + b'"}'
    found = law(form % (b'{"a":1}', long, b'{"a":3}'))
    assert [values for _, _, values in found] == [
        ("1", None),
        f"the record has {len(long)} characters; it may have {Limits().record} (limits.record)",
        ("3", None),
    ]
    assert len(found[1][1]) < 2000


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[\n',
        b'{"a":[{},\n',
        b'[{"a":"\\"",\n',
        b'{"a":1,\n',
        b'{"a":1,}',
        b"{",
        b'"',
        b'{"a":"x\n',
        b'[{"a":1,\n',
        b"1 ",
        b"}",
    ],
)
def test_broken_documents_cost_no_more_than_others(body: bytes) -> None:
    started = time.process_time()
    for number in (3000, 24_000 // len(body)):
        assert law(body * number)
    assert time.process_time() - started < 5

"""The law of JSON records: documents one after another, or one array of them."""

from __future__ import annotations

import io
import time

import pytest

from framework.feed import Archive, Column, Feed, Format, Quarantine, Source, Target
from framework.law.layout import Layout
from framework.law.records import READERS
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


def law(data: bytes, encoding: str = "utf-8") -> list[tuple[int, str, object]]:
    """Line, text, and the values of a and b or what is wrong, of every record."""
    reader = READERS[Format.JSON]
    layout, _ = reader.open(io.BytesIO(data), encoding, FEED)
    assert isinstance(layout, Layout)
    at = [layout.index(name) for name in ("a", "b")]
    found: list[tuple[int, str, object]] = []
    for record in reader.records(io.BytesIO(data), encoding, FEED, layout):
        fields = record.fields
        values = None if fields is None else tuple(None if index is None else fields[index] for index in at)
        found.append((record.line, record.raw, record.error if values is None else values))
    return found


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
            [(1, '{"a":"\\xff"}', "a byte is not valid in the file's encoding"), (2, '{"a":2}', ("2", None))],
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
    "body", [b'{"a":[\n', b'{"a":1,\n', b'{"a":1,}', b"{", b'"', b'{"a":"x\n', b'[{"a":1,\n', b"1 ", b"}"]
)
def test_broken_documents_cost_no_more_than_others(body: bytes) -> None:
    started = time.process_time()
    for number in (3000, 24_000 // len(body)):
        assert law(body * number)
    assert time.process_time() - started < 5

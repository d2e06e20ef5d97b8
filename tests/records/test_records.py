"""The law of CSV records, case by case."""

from __future__ import annotations

import io

import pytest

from framework.feed import CsvOptions
from framework.records import Record, read_records


def read(data: bytes, encoding: str = "utf-8", width: int | None = None, **options: str) -> list[Record]:
    csv = CsvOptions(comment=options.get("comment"))
    return list(read_records(io.BytesIO(data), encoding=encoding, options=csv, width=width))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends(end: bytes) -> None:
    assert [(r.line, r.fields) for r in read(end.join([b"a,b", b"", b'1,""', b"2,"]))] == [
        (1, ("a", "b")),
        (3, ("1", "")),
        (4, ("2", None)),
    ]


def test_quoted_line_breaks_and_quotes_belong_to_the_value() -> None:
    assert [(r.line, r.fields) for r in read(b'"x\ny ""z""",1\nq"r,2\n')] == [(1, ('x\ny "z"', "1")), (3, ('q"r', "2"))]


def test_an_open_quote_costs_one_line() -> None:
    found = read(b'a,b\n"open,1\n2,3\n', width=2)
    assert [(r.line, r.fields) for r in found] == [(1, ("a", "b")), (2, None), (3, ("2", "3"))]
    assert found[1].error == "a quote is not closed"


def test_other_malformed_records() -> None:
    found = read(b'"a"b,1\n1,2,3\n\xff,1\n', width=2)
    assert [r.fields for r in found] == [None, None, None]
    assert found[1].error == "3 fields instead of 2"
    assert found[2].raw == "\\xff,1"


def test_comments_are_no_records() -> None:
    assert [r.fields for r in read(b"# note\na\n", comment="#")] == [("a",)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    assert [r.fields for r in read("é,b\n".encode(encoding), encoding)] == [("é", "b")]

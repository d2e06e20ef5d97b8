"""Records of the quarantine as files of their own: each alone, whole, and as it stood in its file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from framework.feed import CsvOptions, Feed, Format
from framework.law.quarantined import (
    BadRecord,
    RecordId,
    as_file,
    bytes_again,
    head_of,
    is_sound,
    name_of,
    resubmitted,
    text_again,
)
from framework.law.records.record import NOT_VALID, too_long
from framework.names import Reason
from tests.feeds import column, made_feed

HEADER = ("id", "name")


def feed(format_: Format = Format.CSV, **options: Any) -> Feed:
    made = made_feed(column("id"), column("name"))
    csv = replace(CsvOptions(), **options)
    return resubmitted(replace(made, source=replace(made.source, format=format_, csv=csv)))


def bad(text: str, message: str = "no bigint", code: str = "bad_value") -> BadRecord:
    return BadRecord(RecordId("b", "f.csv", 2), text, (Reason(code, "id", 1, None, 2, message),))


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("1,a", True),
        ("x,", True),
        ('1,"a\nb"', True),
        ('1,"a""b"', True),
        ('1,"open', False),  # with another one it could make a record that stood in no file
        ("1", False),
        ("1,2,3", False),
        ("", False),
        ("1,a\n2,b", False),
        ("id,name", True),  # the header once more is no row
    ],
)
def test_what_makes_one_record_by_itself(text: str, sound: bool) -> None:
    assert is_sound(feed(), HEADER, text) is sound


@pytest.mark.parametrize(
    ("format_", "text", "sound"),
    [
        (Format.JSON, '{"id": 1, "name": "a"}', True),
        (Format.JSON, '{\n "id": 1\n}', True),
        (Format.JSON, '{"id": 1', False),
        (Format.JSON, "[1]", False),
        (Format.JSON, '[{"id": 1}]', False),
        (Format.XML, '{"id": "1"}', True),
        (Format.EXCEL, '{"id": "1"}', True),
    ],
)
def test_documents(format_: Format, text: str, sound: bool) -> None:
    assert is_sound(feed(format_), (), text) is sound


def test_a_file_of_records_and_their_lines() -> None:
    content, lines = as_file(feed(), HEADER, ['1,"a\nb"', "2,c", "id,name", "3,d"])
    assert content == b'id,name\n1,"a\nb"\n2,c\nid,name\n3,d\n'
    assert lines == (2, 4, 5, 6)


def test_without_a_header_and_when_it_is_not_known() -> None:
    assert as_file(feed(header=False), (), ["1,a"]) == (b"1,a\n", (1,))
    assert not is_sound(feed(), None, "1,a")


@pytest.mark.parametrize(
    ("options", "header", "written"),
    [
        ({}, ("id", "a,b"), 'id,"a,b"\n'),
        ({"sep": ";"}, ("id", "a,b"), "id;a,b\n"),
        ({}, ("id", 'a"b'), 'id,"a""b"\n'),
        ({"escape": "\\"}, ("id", 'a"b\\c'), 'id,"a\\"b\\\\c"\n'),
        ({"comment": "#"}, ("#id", "b"), '"#id",b\n'),
        ({"quote": None}, ("id", 'a"b'), 'id,a"b\n'),
    ],
)
def test_the_header_is_written_by_the_feed_s_options(
    options: dict[str, Any], header: tuple[str, ...], written: str
) -> None:
    assert head_of(feed(**options), header) == written


@pytest.mark.parametrize(
    ("now", "was", "text"),
    [
        (("utf-8", "windows-1252"), "utf-8", "1,é"),
        (("windows-1252",), "utf-8", "1,é"),
        (("utf-8",), "utf-8", None),
        (("latin-1",), "utf-16", None),
        (("latin-1",), "", None),
    ],
)
def test_bytes_that_were_not_valid_are_read_in_today_s_encodings(
    now: tuple[str, ...], was: str, text: str | None
) -> None:
    made = made_feed(column("id"))
    mended = replace(made, source=replace(made.source, encodings=now))
    assert text_again(mended, bad("1,\\xe9", NOT_VALID, "malformed_record"), was) == text


def test_a_text_that_looks_like_such_a_byte_is_one() -> None:
    assert text_again(feed(), bad("1,\\xe9"), "utf-8") == "1,\\xe9"
    assert bytes_again(bad("1,\\xe9"), "utf-8", "utf-8") == b"1,\\xe9"
    assert bytes_again(bad("1,\\xe9", NOT_VALID, "malformed_record"), "utf-8", "utf-8") == b"1,\xe9"


def test_a_record_of_which_only_the_beginning_was_kept_is_never_read() -> None:
    text, why = too_long("1," + "a" * 2000, 40_000, 30_000)
    assert text_again(feed(), bad(text, why, "malformed_record"), "utf-8") is None
    assert bytes_again(bad(text, why, "malformed_record"), "utf-8", "utf-8") is None


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("{landing}2026/a.csv", "2026/a.csv"),
        ("{archive}2026-01-31/0123456789abcdef/2026/a.csv", "2026/a.csv"),
        ("{archive}_quarantined/2026-01-31/0123456789abcdef/fedcba9876543210/2026/a.csv", "2026/a.csv"),
        ("/somewhere/else/a.csv", "a.csv"),
    ],
)
def test_the_name_by_which_a_file_landed(file: str, name: str) -> None:
    made = made_feed(column("id"))
    assert name_of(made, file.format(landing=made.source.path, archive=made.archive.path)) == name

"""Which encodings Spark's SQL decodes line by line."""

from __future__ import annotations

import pytest

from framework.engines.spark.encodings_sql import decoded_line, is_single_byte, is_undecodable, is_utf8


@pytest.mark.parametrize("encoding", ["cp1252", "windows-1252", "iso-8859-1", "iso-8859-15", "koi8-r", "cp437"])
def test_one_byte_a_letter(encoding: str) -> None:
    assert is_single_byte(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7", "ascii", "cp037", "gbk", "big5", "hz", "shift_jis"])
def test_others(encoding: str) -> None:
    """… with letters of several bytes, none beyond ASCII, or another half for it."""
    assert not is_single_byte(encoding)


def test_what_is_exchanged() -> None:
    assert decoded_line("utf8") == "value"
    assert decoded_line("latin-1") == "decode(CAST(value AS binary), 'ISO-8859-1')"
    assert "'\x80\x82" in decoded_line("cp1252")
    assert "'€" in decoded_line("cp1252")
    assert (is_utf8("UTF8"), is_undecodable("latin-1")) == (True, "false")
    assert is_undecodable("cp1252").endswith(r"RLIKE '[\\x81\\x8d\\x8f\\x90\\x9d]'")

"""Which encodings Spark's SQL decodes line by line."""

from __future__ import annotations

import encodings
import pkgutil
from typing import Any

import pytest

from framework.engines.spark.encodings_sql import decoded_line, is_single_byte, is_undecodable, is_utf8


@pytest.mark.parametrize("encoding", ["cp1252", "windows-1252", "iso-8859-1", "iso-8859-15", "koi8-r", "cp437"])
def test_one_byte_a_letter(encoding: str) -> None:
    assert is_single_byte(encoding)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-7", "ascii", "cp037", "gbk", "big5", "hz", "shift_jis", "unicode_escape"]
)
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


@pytest.mark.spark
@pytest.mark.torture
def test_every_byte_of_every_encoding(spark: Any) -> None:
    """All the encodings that Python has, as far as they are taken for such."""
    known = sorted(found.name for found in pkgutil.iter_modules(encodings.__path__) if is_single_byte(found.name))
    assert len(known) > 40
    lines = spark.createDataFrame([(byte, bytes([97, byte, 98])) for byte in range(128, 256)], "byte int, value binary")
    asked = [
        text
        for index, name in enumerate(known)
        for text in (f"{decoded_line(name)} AS t{index}", f"{is_undecodable(name)} AS u{index}")
    ]
    for row in lines.selectExpr("byte", *asked).collect():
        for index, name in enumerate(known):
            letter = bytes([row["byte"]]).decode(name, "ignore")
            assert row[f"u{index}"] == (not letter), (name, row["byte"])
            assert not letter or row[f"t{index}"] == f"a{letter}b", (name, row["byte"])

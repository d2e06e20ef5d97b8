"""What a file is that is no text: its beginning tells, whatever its name says."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["BEGINNING", "not_text"]

BEGINNING = 4096
"""Bytes of a file that are looked at."""
_KINDS = {
    rb"PK\x03\x04(?s:.)*(?:\[Content_Types\]\.xml|xl/)": "an Excel workbook (.xlsx)",
    rb"PK(?:\x03\x04|\x05\x06)": "a zip archive",
    rb"\x1f\x8b": "a gzip file; its name should end with .gz",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls)",
    rb"(?:\x28\xb5\x2f\xfd)": "a zstd file",
    rb"BZh[1-9]1AY&SY": "a bzip2 file",
    rb"\xfd7zXZ\x00": "an xz file",
    rb"PAR1": "a Parquet file",
    rb"Obj\x01": "an Avro file",
    rb"%PDF-": "a PDF document",
    rb"(?:\xef\xbb\xbf)?\s*<(?i:!doctype html|html[\s>])": "an HTML page",
}
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff")


def not_text(beginning: bytes, encodings: Sequence[str]) -> str | None:
    """What a file with this beginning is, when it is no text in one of these encodings; None for nearly all."""
    for pattern, kind in _KINDS.items():
        if re.match(pattern, beginning):
            return kind
    if _UTF_16.match(beginning) and not any("16" in encoding or "32" in encoding for encoding in encodings):
        return "UTF-16 text, whose header cannot be read as anything else (source.encoding: UTF-16)"
    return None

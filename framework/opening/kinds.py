"""What a file is that is no text: its beginning tells, whatever its name says."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["BEGINNING", "not_text", "other_kind"]

BEGINNING = 4096
"""Bytes of a file that are looked at."""
_KINDS = {
    rb"PK\x03\x04(?s:.)*(?:\[Content_Types\]\.xml|xl/)": "an Excel workbook (.xlsx)",
    rb"PK(?:\x03\x04|\x05\x06)": "a zip archive; its name should end with .zip",
    rb"\x1f\x8b": "a gzip file; its name should end with .gz",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls)",
    rb"(?:\x28\xb5\x2f\xfd)": "a zstd file; its name should end with .zst",
    rb"BZh[1-9]1AY&SY": "a bzip2 file; its name should end with .bz2",
    rb"\xfd7zXZ\x00": "an xz file",
    rb"PAR1": "a Parquet file",
    rb"Obj\x01": "an Avro file",
    rb"ORC(?s:.){0,64}[\x00-\x08\x0e-\x1f]": "an ORC file",
    rb"%PDF-": "a PDF document",
    rb"(?:\xef\xbb\xbf)?\s*<(?i:!doctype html|html[\s>])": "an HTML page",
}
_MARKS = {
    rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff": ("utf-32", "UTF-32"),
    rb"\xff\xfe": ("utf-16", "UTF-16-LE"),
    rb"\xfe\xff": ("utf-16", "UTF-16-BE"),
    rb"\xef\xbb\xbf": ("utf-8", "UTF-8"),
}
"""Byte-order marks: the encoding, and what it is exactly."""
_UNMARKED = {
    rb"(?:[\t\r\n\x20-\x7e]\x00){4}": "UTF-16-LE",
    rb"(?:\x00[\t\r\n\x20-\x7e]){4}": "UTF-16-BE",
}


def other_kind(beginning: bytes, signature: bytes | None, encodings: Sequence[str]) -> str | None:
    """What a file with this beginning is, when it is not one that begins as `signature` says (a regular expression;
    None for text in one of the encodings); None for nearly all."""
    if signature is None:
        return not_text(beginning, encodings)
    if re.match(signature, beginning):
        return None
    return not_text(beginning, ["utf-8"]) or ("text" if _is_text(beginning) else "something else, or a damaged one")


def _is_text(beginning: bytes) -> bool:
    return re.search(rb"[\x00-\x08\x0e-\x1f]", beginning) is None


def not_text(beginning: bytes, encodings: Sequence[str]) -> str | None:
    """What a file with this beginning is, when it is no text in one of these encodings; None for nearly all."""
    for pattern, kind in _KINDS.items():
        if re.match(pattern, beginning):
            return kind
    mark = next((found for pattern, found in _MARKS.items() if re.match(pattern, beginning)), None)
    if mark is not None:
        encoding, exactly = mark
        fits = {encoding, f"{encoding}-sig", exactly.lower()}
        return None if fits & set(encodings) else f"{exactly} text with a byte-order mark (source.encoding: {encoding})"
    wide = _wide(beginning)
    if {"utf-16", "utf-32"} >= set(encodings) and beginning and wide is None:
        wide = "text without a byte-order mark", "UTF-8"
    elif any("16" in encoding or "32" in encoding for encoding in encodings if encoding not in ("utf-16", "utf-32")):
        return None
    return f"{wide[0]} (source.encoding: {wide[1]})" if wide is not None else None


def _wide(beginning: bytes) -> tuple[str, str] | None:
    """What text of two bytes a letter is called, and its encoding; None for all other text."""
    name = next((name for pattern, name in _UNMARKED.items() if re.match(pattern, beginning)), None)
    return (f"{name} text without a byte-order mark", name) if name is not None else None

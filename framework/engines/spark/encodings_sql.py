"""The SQL with which Spark decodes lines that it has read as bytes.

Its text reader takes all lines for UTF-8 and leaves their bytes as they are, and of other encodings its SQL knows few.
So lines of one byte a letter, whose first half is ASCII, are read as ISO-8859-1, in which every byte is a letter, and
the letters that are others are exchanged.
"""

from __future__ import annotations

import codecs
from functools import cache

from framework.law.dialects import SPARK

__all__ = ["decoded_line", "is_single_byte", "is_undecodable", "is_utf8"]

_SECOND = (0x30, 0x40, 0x41, 0xA1)
"""Bytes that are the second ones of a letter in encodings that have some of two bytes."""
_ASCII = rb"\u0041 \x41 \n", bytes(range(128))
"""What some encodings take for escapes, and all letters."""
_AS_LATIN = "decode(CAST(value AS binary), 'ISO-8859-1')"


def is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


def is_single_byte(encoding: str) -> bool:
    """Whether each byte stands for one letter, and those below 128 for those of ASCII."""
    return _letters(encoding) is not None


def decoded_line(encoding: str) -> str:
    """The text of the line `value`; what is no letter is anything."""
    if is_utf8(encoding):
        return "value"
    pairs = [
        (chr(byte), letter) for byte, letter in (_letters(encoding) or {}).items() if letter not in ("", chr(byte))
    ]
    if not pairs:
        return _AS_LATIN
    before, after = ("".join(each) for each in zip(*pairs, strict=True))
    return f"translate({_AS_LATIN}, {SPARK.text(before)}, {SPARK.text(after)})"


def is_undecodable(encoding: str) -> str:
    """Whether a byte of the line `value` is not in the encoding."""
    if is_utf8(encoding):
        return "NOT is_valid_utf8(value)"
    none = "".join(f"\\x{byte:02x}" for byte, letter in (_letters(encoding) or {}).items() if not letter)
    return f"{_AS_LATIN} RLIKE {SPARK.text(f'[{none}]')}" if none else "false"


@cache
def _letters(encoding: str) -> dict[int, str] | None:
    """The letters of the bytes from 128 on, empty for what is none; None for encodings of another kind."""
    try:
        if any(text.decode(encoding) != text.decode("ascii") for text in _ASCII):
            return None
        found = {byte: bytes([byte]).decode(encoding, "ignore") for byte in range(128, 256)}
        letters = {**{byte: chr(byte) for byte in range(128)}, **found}
        pairs = [(byte, other) for byte in found for other in _SECOND]
        alone = all(bytes(pair).decode(encoding, "ignore") == letters[pair[0]] + letters[pair[1]] for pair in pairs)
    except (UnicodeError, LookupError):
        return None
    return found if alone and any(found.values()) else None

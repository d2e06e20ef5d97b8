"""Masks: what stands in the place of values that are to stand nowhere. NULL stays NULL."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import assert_never

from framework.feed import Column, Feed, Mask, MaskMethod
from framework.law.dialects import Dialect
from framework.types import Scalar

__all__ = ["HIDDEN", "NO_RECORD", "masked", "without_keys"]

HIDDEN = "***"
"""What stands for a value that is redacted."""
NO_RECORD = "not kept: the feed has masked columns"
"""What the quarantine holds for a record of which a part is masked."""
_BLOCK = 64
"""Bytes of a block of SHA-256, to which RFC 2104 fills up a key."""


def without_keys(feed: Feed) -> Feed:
    """The feed with no secret in it, for SQL that is shown."""
    columns = (replace(c, mask=replace(c.mask, key=HIDDEN)) if c.mask and c.mask.key else c for c in feed.columns)
    return replace(feed, columns=tuple(columns))


def masked(column: Column, value: str, dialect: Dialect) -> str:
    """SQL of what is stored of a column's value (SQL, evaluated more than once, so best a column)."""
    if column.mask is None:
        return value
    match column.mask.method:
        case MaskMethod.SHA256:
            return dialect.sha256(dialect.bytes_of(value))
        case MaskMethod.HMAC_SHA256:
            return _hmac(column.mask, value, dialect)
        case MaskMethod.REDACT:
            hidden = dialect.text(HIDDEN) if column.type == Scalar("string") else "NULL"
            return f"CAST(CASE WHEN {value} IS NOT NULL THEN {hidden} END AS {dialect.type(column.type)})"
        case MaskMethod.LAST:
            keep = column.mask.keep
            stars = f"repeat('*', CAST(greatest(length({value}) - {keep}, 0) AS int))"
            last = dialect.concat(stars, f"right({value}, {keep})")
            return f"CASE WHEN length({value}) > {keep} THEN {last} ELSE repeat('*', CAST(length({value}) AS int)) END"
        case _:
            assert_never(column.mask.method)


def _hmac(mask: Mask, value: str, dialect: Dialect) -> str:
    """HMAC by RFC 2104, in hexadecimal digits."""
    key = mask.key.encode()
    key = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
    first = dialect.sha256(dialect.joined_bytes(dialect.bytes_literal(inner), dialect.bytes_of(value)))
    return dialect.sha256(dialect.joined_bytes(dialect.bytes_literal(outer), f"unhex({first})"))

"""A guess, from its first record, whether a file has its values in the spellings that DuckDB itself writes.

A wrong guess costs a second look at the file and nothing else.
"""

from __future__ import annotations

import re

from framework.feed import Column, Feed
from framework.law.layout import Layout
from framework.opening import BROKEN_FILE, Piece
from framework.types import INTEGERS, Decimal, Scalar

__all__ = ["looks_usual"]

_INTEGER, _DAY = re.compile("-?[0-9]+"), re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9-]{10} [0-9:]{8}(?:\.[0-9]*[1-9])?")


def looks_usual(feed: Feed, piece: Piece, layout: Layout) -> bool:
    """Whether all values of the first record do."""
    try:
        record = next(piece.records(feed, layout), None)
    except BROKEN_FILE:
        return False
    if record is None or record.fields is None:
        return record is None
    columns = {column.name: column for column in feed.columns}
    texts = ((columns[name], record.fields[index]) for name, index in layout.fields)
    return all(not text or _looks_usual(text, column) for column, text in texts)


def _looks_usual(text: str, column: Column) -> bool:
    match column.type:
        case Scalar(name) if name in INTEGERS:
            return _INTEGER.fullmatch(text) is not None
        case Decimal(_, scale):
            whole, _, fraction = text.partition(".")
            return _INTEGER.fullmatch(whole) is not None and len(fraction) == scale
        case Scalar("date") if not column.formats:
            return _DAY.fullmatch(text) is not None
        case Scalar("timestamp") if not column.formats:
            return _MOMENT.fullmatch(text) is not None
        case _:
            return True

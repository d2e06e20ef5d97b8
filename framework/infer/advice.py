"""Advice: what a feed may lack, told from values that it takes for bad ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from framework.feed import Column, Feed, Format, Numbers
from framework.infer.columns import EPOCHS, NULL_WORDS
from framework.infer.digits import Written
from framework.infer.moments import Moments
from framework.infer.written import numbers_text
from framework.law.values import parse, plain_number
from framework.names import Reason
from framework.types import INTEGERS, Decimal, Scalar

__all__ = ["advice"]

_MOST = 2
"""Patterns that are named for a value."""
_MOMENTS = (Scalar("date"), Scalar("timestamp"), Scalar("timestamp_ntz"))
_NUMBERS = tuple(map(Scalar, (*INTEGERS, "float", "double")))
_WRITTEN_OTHERWISE = (Format.CSV, Format.FIXED_WIDTH, Format.XML)
"""Formats that `numbers` is for."""


def advice(feed: Feed, reasons: Iterable[Reason]) -> tuple[str, ...]:
    """What a person would ask about bad values, each with the key whose value would make them good ones; values
    themselves do not stand in it."""
    columns = {column.name: column for column in feed.columns if column.from_source and column.mask is None}
    bad = [reason for reason in reasons if reason.code == "bad_value" and reason.value is not None]
    asked = (_asked(feed, columns[each.column], str(each.value).strip()) for each in bad if each.column in columns)
    return tuple(dict.fromkeys(question for questions in asked for question in questions))


def _asked(feed: Feed, column: Column, value: str) -> Iterator[str]:
    """At most one question about a value of a column."""
    if column.type == Scalar("string") or not value:
        return
    if value in NULL_WORDS:
        yield f"does {value!r} stand for no value (source.null_values)?"
    elif column.type in _MOMENTS:
        formats = list(_formats(feed, column, value))[:_MOST]
        if formats:
            yield f"is {column.name} written {' or '.join(formats)} (schema.{column.name}.format)?"
    elif isinstance(column.type, Decimal) or column.type in _NUMBERS:
        numbers = _numbers(column, value) if feed.source.format in _WRITTEN_OTHERWISE else None
        if numbers is not None:
            yield f"is {column.name} written otherwise (schema.{column.name}.numbers: {numbers_text(numbers)})?"


def _formats(feed: Feed, column: Column, value: str) -> Iterator[str]:
    """Patterns by which a value would be one of a column, the likeliest first; of those that differ in leading zeros
    alone one."""
    moments, known = Moments(), set[str]()
    moments.take(value)
    epoch = EPOCHS.get(len(value)) if value.isascii() and value.isdecimal() else None
    for pattern in [*(way.format for way in moments.alone or ()), epoch]:
        try:
            if pattern is not None and (alike := re.sub("([dMHh])\\1?(?!M)", "\\1", pattern)) not in known:
                parse(value, column.type, formats=(pattern,), zone=feed.source.timezone)
                known.add(alike)
                yield pattern
        except ValueError:
            continue


def _numbers(column: Column, value: str) -> Numbers | None:
    """How a value is written if it is a number of a column; None where it is none, or where that is in doubt."""
    written = Written()
    written.take(value)
    found = written.found()
    plain = plain_number(value, found[0]) if found is not None else None
    if found is None or plain is None or found[0] in (column.numbers, Numbers()):
        return None
    try:
        parse(plain, column.type)
    except ValueError:
        return None
    return found[0]

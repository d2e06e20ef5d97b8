"""Values that come with a type of their own (Parquet, Avro, ORC) as the texts that the law of values reads.

This is the table of conversions between types, for every engine. A value has one text, and a column of any type
takes from it what it takes from that text elsewhere; so nothing is converted unless nothing is lost:

    from                        text                                    goes into
    integer, also unsigned      its digits                              integers and decimals in which it fits, floats
    decimal                     its digits, with its scale              the same
    float, double               the shortest that reads back the same;  floats; integers where it is whole; decimals in
                                of a whole one no exponent              which those digits fit
    float, for a double         that of the same number as a double     double
    boolean                     true, false                             boolean
    date                        yyyy-MM-dd                              date; timestamps, at midnight
    moment in time              yyyy-MM-dd HH:mm:ss[.S]+00              timestamp
    local time                  yyyy-MM-dd HH:mm:ss[.S]                 timestamp, in source.timezone; timestamp_ntz
    string, enum, uuid          as it is                                any type, by the law of texts
    bytes                       as UTF-8; others break the record       the same
    list, struct, map           JSON                                    nested types, member by member

Everything goes into a string, too. Of moments what is finer than microseconds is cut, as in texts. `format` is about
texts and not asked of dates and moments. A union is what each of its values is.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as Number
from json.encoder import encode_basestring
from typing import Any

from framework.types import DataType, Scalar

__all__ = ["MOMENTS", "NoText", "as_json", "as_text", "moment_text", "text_by"]

MOMENTS = (Scalar("date"), Scalar("timestamp"), Scalar("timestamp_ntz"))
"""Types whose values no `format` is asked of."""
_MICROS = 1_000_000
_FIRST, _LAST = -62135596800 * _MICROS, 253402300800 * _MICROS
"""The microseconds since 1970 that the years 0001 to 9999 have, without the last one."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (in UTC)
_PART = 1000
"""Items of a list of which the text is made at a time: there may be millions."""
_EXACT = 1 << 63
"""Whole numbers below are written without an exponent."""


class NoText(ValueError):
    """A value that is no text: bytes that are not in UTF-8."""


def text_by(source: DataType | None, wanted: frozenset[DataType]) -> Callable[[Any], str | None]:
    """How values of a type become texts for columns of the wanted types. What it gives raises NoText."""
    if source == Scalar("float") and Scalar("double") not in wanted:
        return _single
    return as_text


def as_text(value: Any) -> str | None:
    """The text of a value, None for NULL. Raises NoText."""
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _double(value)
        case Number():
            return f"{value:f}" if value.is_finite() else _double(float(value))
        case datetime() if value.tzinfo is not None:
            return f"{_local(value.astimezone(UTC).replace(tzinfo=None))}+00"
        case datetime():
            return _local(value)
        case date() | time():
            return value.isoformat()
        case bytes():
            return _decoded(value)
        case Mapping() | list() | tuple():
            return as_json(value)
        case _:
            return str(value)


def as_json(value: Any) -> str:
    """A value as JSON without blanks; numbers stay numbers, all else without a JSON type of its own is its text."""
    match value:
        case None:
            return "null"
        case bool() | int() | float() | Number():
            return as_text(value) or ""
        case Mapping():
            members = (f"{_quoted(as_text(name) or '')}:{as_json(item)}" for name, item in value.items())
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            parts = (",".join(map(as_json, value[at : at + _PART])) for at in range(0, len(value), _PART))
            return f"[{','.join(parts)}]"
        case _:
            return _quoted(as_text(value) or "")


def moment_text(micros: int, *, local: bool) -> str:
    """The text of a moment so many microseconds after 1970; what is outside the years 0001 to 9999 is no moment."""
    if not _FIRST <= micros < _LAST:
        return f"{micros} microseconds after 1970"
    seconds, fraction = divmod(micros, _MICROS)
    return _local(_EPOCH + timedelta(seconds=seconds, microseconds=fraction)) + ("" if local else "+00")


def _local(moment: datetime) -> str:
    text = moment.isoformat(sep=" ")
    return text.rstrip("0") if moment.microsecond else text


def _double(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    whole = value.is_integer() and abs(value) < _EXACT
    return f"{'-' if value < 0 or math.copysign(1, value) < 0 else ''}{abs(int(value))}.0" if whole else repr(value)


def _single(value: Any) -> str | None:
    """The shortest text that reads back as the same 32-bit float."""
    if not isinstance(value, float) or not math.isfinite(value) or (value.is_integer() and abs(value) < _EXACT):
        return as_text(value)
    packed = struct.pack("<f", value)
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("<f", float(text)) == packed:
            return repr(float(text))
    return repr(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NoText("bytes that are no text in UTF-8") from None


def _quoted(text: str) -> str:
    return encode_basestring(text)

"""The law in plain Python: `parse` gives a text's value or says why there is none."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Number
from decimal import InvalidOperation, localcontext
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from framework.law.values.nested import parse_nested
from framework.law.values.patterns import ABBREVIATIONS, EPOCH_NUMBER, EPOCHS, MONTHS, compile_pattern, regions
from framework.types import INTEGERS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["BLANKS", "FALSE", "PLAIN_TIMESTAMP", "TIMESTAMP", "TRUE", "parse"]

_T = TypeVar("_T")
BLANKS = " \t\r\n"
TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (in UTC)
_DIGITS = 19
"""More digits no integer has, and Python does not read them in any number."""
INTEGER = r"([+-]?[0-9]+)(?:\.0+)?"
NUMBER = r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]{1,3}))?"
TIMESTAMP = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?: ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
PLAIN_TIMESTAMP = r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?"


def parse(text: str, type: DataType, *, formats: Sequence[str] = (), zone: str = "UTC") -> Any:
    """The value of a text: str, int, Decimal, float, bool, date, or datetime, in UTC for a timestamp and without
    a zone for a timestamp_ntz; of a JSON text for nested types: list for an array, dict for a struct and a map.

    `zone` is the zone of timestamps that carry none. Raises ValueError for what the type does not
    accept, with a sentence that says why.
    """
    if type == Scalar("string"):
        return text
    if isinstance(type, Array | Map | Struct):
        return parse_nested(text, type, lambda member, type_: parse(member, type_, zone=zone))
    text = text.strip(BLANKS)
    match type:
        case Scalar(name) if name in INTEGERS:
            return _integer(text, INTEGERS[name])
        case Decimal(precision, scale):
            return _decimal(text, precision, scale)
        case Scalar("double"):
            return _double(text)
        case Scalar("float"):
            return _float(text)
        case Scalar("boolean"):
            return _boolean(text)
        case Scalar("date"):
            return _first(text, formats, lambda local, _: local.date()) if formats else _date(text)
        case Scalar("timestamp"):
            if formats:
                return _first(text, formats, lambda local, offset: _instant(local, offset, zone))
            return _instant(*_timestamp(text, TIMESTAMP), zone)
        case Scalar("timestamp_ntz"):
            return _first(text, formats, lambda local, _: local) if formats else _timestamp(text, PLAIN_TIMESTAMP)[0]
    raise ValueError(f"a text is not a {type}")


def _integer(text: str, bits: int) -> int:
    match = re.fullmatch(INTEGER, text)
    if match is None:
        raise ValueError("not a whole number")
    digits = match.group(1).lstrip("+-").lstrip("0") or "0"
    value = int(digits[:_DIGITS]) * (-1 if text[0] == "-" else 1)
    if len(digits) > _DIGITS or not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise ValueError(f"does not fit {bits} bits")
    return value


def _number(text: str) -> Number:
    if re.fullmatch(NUMBER, text) is None:
        raise ValueError("not a number")
    return Number(text)


def _decimal(text: str, precision: int, scale: int) -> Number:
    with localcontext(prec=10_000):
        value = _number(text)
        try:
            fitted = value.quantize(Number(1).scaleb(-scale))
        except InvalidOperation:
            raise ValueError(f"does not fit {precision} digits") from None
        if fitted != value:
            raise ValueError(f"has more than {scale} digits after the point")
        if abs(fitted) >= Number(10) ** (precision - scale):
            raise ValueError(f"does not fit {precision} digits")
        return fitted or abs(fitted)  # a decimal has no negative zero


def _special(text: str) -> float | None:
    return {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf}.get(text.lower())


def _double(text: str) -> float:
    special = _special(text)
    value = special if special is not None else float(_number(text))
    if special is None and math.isinf(value):
        raise ValueError("too large")
    return value


def _float(text: str) -> float:
    special = _special(text)
    if special is not None:
        return special
    exact = _number(text)
    if math.isinf(float(exact)):
        raise ValueError("too large")
    try:
        (near,) = struct.unpack("<f", struct.pack("<f", float(exact)))
    except OverflowError:
        raise ValueError("too large") from None
    # Rounding to double first may land on the wrong side of a tie: compare the neighbours exactly.
    (bits,) = struct.unpack("<i", struct.pack("<f", near))
    candidates = [struct.unpack("<f", struct.pack("<i", bits + step))[0] for step in (-1, 0, 1) if bits + step >= 0]
    finite = [value for value in candidates or [near] if math.isfinite(value)]
    with localcontext(prec=2000):
        nearest: float = min(finite or [near], key=lambda value: (abs(Number(value) - exact), _odd(value)))
        return nearest


def _odd(value: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0]) & 1


def _boolean(text: str) -> bool:
    lower = text.lower()
    if lower not in TRUE + FALSE:
        raise ValueError("neither true nor false")
    return lower in TRUE


def _date(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise ValueError("not a date like 2026-01-31")
    return date.fromisoformat(text)


def _timestamp(text: str, regex: str) -> tuple[datetime, str | None]:
    match = re.fullmatch(regex, text)
    if match is None:
        raise ValueError("not a timestamp like 2026-01-31 12:30:00")
    day, minutes, seconds, fraction, *offset = match.groups()
    hour, minute = map(int, (minutes or "00:00").split(":"))
    return _local(_date(day), hour, minute, int(seconds or 0), fraction or ""), next(iter(offset), None)


def _local(day: date, hour: int, minute: int, second: int, fraction: str) -> datetime:
    micros = int(fraction[:6].ljust(6, "0"))
    return datetime(day.year, day.month, day.day, hour, minute, second, micros)  # noqa: DTZ001 (zone comes later)


def _instant(local: datetime, offset: str | None, zone: str) -> datetime:
    """The moment of a local time with an offset, in a region, or in the zone when it has neither."""
    try:
        if offset is None or "/" in offset:
            return local.replace(tzinfo=ZoneInfo(offset or zone)).astimezone(UTC)
        return (local - _offset(offset)).replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("out of the range of years") from None


def _offset(text: str) -> timedelta:
    text = ABBREVIATIONS.get(text, text)
    hours, minutes = int(text[1:3]), int(text[-2:] if len(text) > 3 else 0)
    if minutes > 59 or hours * 60 + minutes > 18 * 60:
        raise ValueError(f"there is no zone {text}")
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def _first(text: str, formats: Sequence[str], value: Callable[[datetime, str | None], _T]) -> _T:
    """The value, of a local time and its zone, by the first format that matches the whole text and gives one."""
    for pattern in formats:
        try:
            if pattern in EPOCHS:
                return value(_since_epoch(text, EPOCHS[pattern]), "Z")
            compiled = compile_pattern(pattern)
            match = re.fullmatch(compiled.regex, text)
            if match is not None:
                found = zip(compiled.groups, match.groups(), strict=True)
                return value(*_by_pattern({name: part for name, part in found if part is not None}))
        except ValueError:
            continue
    raise ValueError(f"not in the format {' or '.join(formats)}")


def _since_epoch(text: str, shift: int) -> datetime:
    match = re.fullmatch(EPOCH_NUMBER, text)
    if match is None:
        raise ValueError("not a number")
    sign, whole, fraction = match.groups()
    digits = whole + (fraction or "")[:shift].ljust(shift, "0") if shift >= 0 else whole[:shift] or "0"
    try:
        return _EPOCH + timedelta(microseconds=int(sign + digits))
    except OverflowError:
        raise ValueError("out of the range of years") from None


def _by_pattern(found: dict[str, str]) -> tuple[datetime, str | None]:
    year = int(found["year"]) if "year" in found else 2000 + int(found["short_year"])
    month = int(found["month"]) if "month" in found else _month(found["month_name"])
    hour = int(found.get("hour", 0))
    if "hour12" in found:
        hour = int(found["hour12"])
        if not 1 <= hour <= 12:
            raise ValueError("there is no such hour")
        hour = hour % 12 + 12 * (found["half"].lower() == "pm")
    minute, second = int(found.get("minute", 0)), int(found.get("second", 0))
    offset = found.get("zone") or found.get("region") or found.get("abbreviation")
    if offset is not None and "/" not in offset:
        _offset(offset)
    elif offset is not None and offset not in regions():
        raise ValueError(f"there is no zone {offset}")
    return _local(date(year, month, int(found["day"])), hour, minute, second, found.get("fraction", "")), offset


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.lower().startswith(name.lower()))

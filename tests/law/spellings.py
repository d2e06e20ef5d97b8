"""Random texts of values: mostly as people write them, at the borders of what a type takes, and a little wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any

__all__ = ["PATTERNS", "ZONES", "differing", "moments_by", "spellings"]

ZONES = (
    *("UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"),
    *("Africa/Monrovia", "Pacific/Apia", "Europe/Dublin", "America/Caracas", "Asia/Tehran"),
)
PATTERNS = (
    *("dd.MM.yyyy", "d/M/yy", "MMM d, yyyy", "dd MMMM yyyy", "yyyyMMdd", "yyyy'T'MM''dd"),
    *("yyyy-MM-dd HH:mm:ss", "dd/MM/yyyy hh:mm a", "yyyy/MM/dd H:m:s", "yyyyMMddHHmmssZ"),
    *("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "M/d/yyyy h:m:s a"),
    *("yyyy-MM-dd HH:mm:ss[.SSS][XXX]", "dd-MMM-yy[ hh.mm.ss a]", "yyyy-MM-dd HH:mm[ X]", "yyyyMMddHHmmXX"),
    *("yyyy-MM-dd HH:mm x", "yyyy-MM-dd HH:mm:ss z", "yyyy-MM-dd HH:mm VV"),
    *("epoch_seconds", "epoch_millis", "epoch_micros", "epoch_nanos"),
)
_STRANGE = (*"0123456789+-.eE:TZ _,'\"x/\t\r\n\0", "\u00a0", "\u2009", "\u0661", "\uff11", "\u2212", "\ufeff", "\u0130")
_BORDERS = [0, 1, 9, 10, *(1 << bits - 1 for bits in (8, 16, 32, 64)), 10**18, 10**19, 10**20]
_MONTHS = ("Jan", "Feb", "March", "May", "December", "jan")


def spellings(seed: int, type_: str, number: int) -> list[str]:
    """Texts for a type; the same seed gives the same ones."""
    random = Random(seed)
    kind = {"boolean": _boolean, "date": _day, "timestamp": _moment}.get(type_)
    if kind is None and type_.startswith("decimal"):
        precision, scale = map(int, re.findall("[0-9]+", type_))
        return [_strange(random, _decimal(random, precision, scale)) for _ in range(number)]
    if kind is None:
        kind = _floating if type_ in ("float", "double") else _integer
    return [_strange(random, kind(random)) for _ in range(number)]


def moments_by(seed: int, pattern: str, number: int) -> list[str]:
    """Texts that follow a datetime pattern."""
    random = Random(seed)
    return [_strange(random, _written(random, pattern)) for _ in range(number)]


def _strange(random: Random, text: str) -> str:
    """The text, one time in three with a change or two."""
    for _ in range(random.choice((0, 0, 0, 0, 1, 2))):
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(("", random.choice(_STRANGE))) + text[at + random.choice((0, 1)) :]
    if random.random() < 0.1:
        text = random.choice((" ", "\t", "\r\n", "\u00a0", "\0")) + text + random.choice(("", " ", "\n"))
    if random.random() < 0.005:
        text = random.choice((text * 2000, "0" * 5000 + text, text + "0" * 5000))
    return text


def _digits(random: Random, most: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(random.randint(1, most)))


def _sign(random: Random) -> str:
    return random.choice(("", "", "", "-", "+"))


def _integer(random: Random) -> str:
    number = random.choice((random.choice(_BORDERS) + random.randint(-2, 2), random.randint(0, 1 << 64)))
    text = _sign(random) + random.choice(("", "", "0", "00000")) + str(abs(number))
    return text + random.choice(("", "", "", ".0", ".000", ".5", "."))


def _decimal(random: Random, precision: int, scale: int) -> str:
    whole = random.choice(("0", "9" * max(1, precision - scale), _digits(random, precision - scale + 2)))
    fraction = random.choice(("9" * scale, _digits(random, scale + 2), _digits(random, scale + 1) + "00"))
    number = _sign(random) + random.choice(("", "", "00")) + whole + (f".{fraction}" if fraction else "")
    return number + random.choice(("", "", "", "", "e1", "E-1", "e+2", f"e-{precision}", "e999"))


def _floating(random: Random) -> str:
    number = _sign(random) + _digits(random, random.choice((3, 15, 17, 40)))
    number += random.choice(("", "." + _digits(random, random.choice((3, 15, 17, 40)))))
    near = random.choice(("16777217", "16777219", "9007199254740993", "33554431.5", "0.1", "4.35", "NaN", "Infinity"))
    exponent = f"{random.choice('eE')}{_sign(random)}{random.choice((1, 20, 38, 45, 300, 308, 324, 999))}"
    return random.choice((number, number, near)) + random.choice(("", "", exponent))


def _boolean(random: Random) -> str:
    text = random.choice(
        ("true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "on", "off", "none", "-1", "01", "ye\u017f")
    )
    return "".join(random.choice((letter.lower(), letter.upper(), letter)) for letter in text)


def _day(random: Random) -> str:
    if random.random() < 0.1:
        return random.choice(("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"))
    year = random.choice((0, 1, 1582, 1890, 1900, 1904, 1967, 1970, 2000, 2024, 2026, 9999, random.randint(1, 9999)))
    return f"{year:04}-{_month(random):02}-{_of_month(random):02}"


def _month(random: Random) -> int:
    return random.choice((random.randint(1, 12), 2, random.randint(0, 13)))


def _of_month(random: Random) -> int:
    return random.choice((random.randint(1, 28), 28, 29, 30, 31, random.randint(0, 32)))


def _clock(random: Random) -> tuple[int, int, int]:
    hour = random.choice((random.randint(0, 23), 0, 1, 2, 3, 23, 24))
    return hour, random.choice((random.randint(0, 59), 0, 30, 59, 60)), random.choice((0, 7, 59, 60))


def _moment(random: Random) -> str:
    hour, minute, second = _clock(random)
    text = f"{_day(random)}{random.choice('T ')}{hour:02}:{minute:02}"
    text += random.choice(("", f":{second:02}", f":{second:02}", f":{second:02}.{_digits(random, 10)}"))
    zone = f"{random.choice('+-')}{random.choice((0, 1, 5, 14, 17, 18, 19)):02}:{random.choice((0, 30, 45, 59, 60)):02}"
    zone = random.choice((zone, zone, zone.replace(":", ""), zone[:3]))
    return text + random.choice(("", "", "", "", "Z", zone, zone, " " + zone, "z", " UTC", "UTC", " Z"))


def _since_epoch(random: Random) -> str:
    number = random.choice(
        (random.randint(-(10**20), 10**20), random.choice((0, 1, 253402300800, 62135596800)) * 10**6)
    )
    text = str((number + random.randint(-2, 2)) // 10 ** random.randint(0, 20))
    return text + random.choice(("", "", "." + _digits(random, 12), ".", "e3"))


def _written(random: Random, pattern: str) -> str:
    if pattern.startswith("epoch_"):
        return _since_epoch(random)
    pattern = re.sub(r"\[(.*?)\]", lambda part: random.choice((part.group(1), part.group(1), "")), pattern)
    hour, minute, second = _clock(random)
    year = random.choice((0, 1, 1890, 2000, 2024, 2026, 9999))
    offset = f"{random.choice('+-')}{random.choice((0, 1, 17, 18, 19)):02}:{random.choice((0, 30, 59, 60)):02}"
    parts = {
        "y": year,
        "M": _month(random),
        "d": _of_month(random),
        "H": hour,
        "h": hour % 14,
        "m": minute,
        "s": second,
    }

    def part(match: re.Match[str]) -> str:
        run = match.group()
        match run[0]:
            case "'":
                return run[1:-1] or "'"
            case "S":
                return "".join(random.choice("0123456789") for _ in run)
            case "a":
                return random.choice(("AM", "pm", "Pm"))
            case "X" | "x":
                written = offset if len(run) == 3 else offset.replace(":", "")
                return random.choice(("Z", written, written, written[:3] if len(run) == 1 else written))
            case "z":
                return random.choice(("UTC", "EST", "CEST", "Z", "JST", "IST"))
            case "V":
                return random.choice(("Z", "UTC", offset, *ZONES, "Europe/Nowhere"))
            case "Z":
                return offset.replace(":", "")
            case "M" if len(run) > 2:
                return random.choice(_MONTHS)
            case letter:
                return f"{parts[letter] % (100 if run == 'yy' else 10_000):0{len(run)}}"

    return re.sub(r"'[^']*'|([A-Za-z])\1*", part, pattern)


def differing(texts: Sequence[str], found: Sequence[Any], expected: Sequence[Any]) -> list[tuple[str, Any, Any]]:
    """The texts of which an engine says something else than the law; floats and zeros by how they are written."""
    rows = zip(texts, found, expected, strict=True)
    return [(text[:80], one, other) for text, one, other in rows if repr(one) != repr(other)]

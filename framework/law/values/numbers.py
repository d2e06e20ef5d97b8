"""Numbers as their sender writes them: as the plain text that the law of values reads, in Python and as SQL.

    decimals   behind the one decimal sign
    groups     all of three digits, the first of one to three; or as in India the last of three, the others of two.
               So a number in the spelling of another country is a bad value and not another number
    sign       where it may be: a minus (of two kinds) or a plus before the digits or behind them, or brackets
    strip      signs, and blanks of any kind if one is among them, around the number and beside its sign
    exponent   as ever; NaN and Infinity for float and double

Everything else is no number.
"""

from __future__ import annotations

import re
from functools import lru_cache

from framework.feed import Negative, Numbers
from framework.law.dialects import Dialect

__all__ = ["plain_number", "plain_number_sql"]

_BLANKS = " \t\u00a0\u2000-\u200a\u202f\u205f\u3000"
_ALL_BLANKS = " \t\u00a0" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_APOSTROPHES = "'\u2019"
_MINUS = "-\u2212"
_SPECIAL = ("nan", "infinity", "-infinity")
_TRIMMED = " \t\r\n"


@lru_cache(maxsize=256)
def _regexes(numbers: Numbers) -> tuple[str, str]:
    """What a number looks like; and for one that does: its bracket, sign, digits, and sign behind them, as groups."""
    point, rest = re.escape(numbers.decimal), f"[{_class(numbers.strip)}]*" if numbers.strip else ""
    whole = "[0-9]+"
    if numbers.group:
        sign = f"[{_class(numbers.group)}]"
        whole = f"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+|[0-9]{{1,2}}(?:{sign}[0-9]{{2}})*{sign}[0-9]{{3}}|[0-9]+)"
    digits = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?"
    minus, plus = f"[{_MINUS}+]?", r"\+?"
    leading = minus if Negative.LEADING in numbers.negative else plus
    ways = [f"{rest}{leading}{rest}{digits}{rest}"]
    if Negative.TRAILING in numbers.negative:
        ways.append(f"{rest}{digits}{rest}{minus}{rest}")
    if Negative.PARENTHESES in numbers.negative:
        ways.append(rf"{rest}\({rest}{digits}{rest}\){rest}")
    parts = rf"{rest}(\(?){rest}([{_MINUS}+]?){rest}({digits}){rest}([{_MINUS}+]?){rest}\)?{rest}"
    return "|".join(ways), parts


def _class(signs: str) -> str:
    """The signs as they stand in a class of a regular expression."""
    text = "".join(re.escape(sign) for sign in signs if sign not in _TRIMMED and sign not in _APOSTROPHES)
    text += _BLANKS if any(sign.isspace() for sign in signs) else ""
    return text + (_APOSTROPHES if any(sign in _APOSTROPHES for sign in signs) else "")


def _left_out(numbers: Numbers) -> str:
    """What stands between groups."""
    group = numbers.group
    if group.isspace():
        return _ALL_BLANKS
    return _APOSTROPHES if group in _APOSTROPHES else group


def plain_number(text: str, numbers: Numbers) -> str | None:
    """The number as the law of values reads it, None for what is none."""
    text = text.strip(_TRIMMED)
    looks, parts = _regexes(numbers)
    if re.fullmatch(looks, text) is None:
        return text if text.lower() in _SPECIAL else None
    match = re.fullmatch(parts, text)
    assert match is not None  # noqa: S101 (it is the same expression, but for where signs may be)
    bracket, before, digits, behind = match.groups()
    for sign in _left_out(numbers):
        digits = digits.replace(sign, "")
    negative = bracket or (before and before in _MINUS) or (behind and behind in _MINUS)
    return ("-" if negative else "") + digits.replace(numbers.decimal, ".")


def plain_number_sql(text: str, numbers: Numbers, dialect: Dialect) -> str:
    """SQL of the same, NULL for what is none."""
    text = dialect.trimmed(text)
    looks, parts = _regexes(numbers)
    minus = dialect.texts(_MINUS)
    negative = f"m.g1 = '(' OR m.g2 IN ({minus}) OR m.g4 IN ({minus})"
    digits = f"translate(m.g3, {dialect.text(numbers.decimal + _left_out(numbers))}, '.')"
    plain = dialect.concat(f"CASE WHEN {negative} THEN '-' ELSE '' END", digits)
    found = dialect.bind("m", dialect.groups(text, parts, 4), plain)
    special = f"WHEN lower({text}) IN ({dialect.texts(_SPECIAL)}) THEN {text}"
    return f"CASE WHEN {dialect.matches(text, looks)} THEN {found} {special} END"

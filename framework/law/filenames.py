"""File name patterns: what is wrong with them, what a name gives them, and whether two can meet.

`*` and `?` are as in a shell, `{name}` captures one or more characters, `{name:int}` digits, and
`{name:yyyyMMdd}` as many characters as the date pattern has, if they are such a date. Of several ways to take
a name apart, the one counts in which, from left to right, a `*` has as many characters as it can and a capture
as few as it can (digits: as many).

Names are written by strangers, so the time for one grows with the length of pattern times name and no more:
where the rest of a pattern can begin is found first, from its end, as the bits of a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from string import digits

from framework.law.values import parse
from framework.law.values.patterns import compile_pattern
from framework.types import Scalar

__all__ = ["Capture", "almost", "captures", "captures_in", "literal_prefix", "may_meet", "mistakes"]

_PIECE = re.compile(r"\*|\?|\{([^{}]*)\}|[{}]|[^*?{}]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIGITS = re.compile(r"[0-9]+")
_NUMBER = "int"


@dataclass(frozen=True, slots=True)
class Capture:
    """`{name}`, `{name:int}` (`number`) or `{name:date pattern}`."""

    name: str
    date_pattern: str | None = None
    number: bool = False


class _Kind(Enum):
    TEXT = auto()
    ONE = auto()
    MANY = auto()
    SOME = auto()
    """One or more characters."""
    DIGITS = auto()
    DATE = auto()


_CHECKED = (_Kind.DATE, _Kind.DIGITS)


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: _Kind
    text: str
    capture: Capture | None = None


@lru_cache(maxsize=4096)
def _pieces(pattern: str) -> tuple[_Piece, ...]:
    pieces: list[_Piece] = []
    for found in _PIECE.finditer(pattern):
        text = found.group()
        if found.group(1) is not None:
            pieces.append(_captured(text, found.group(1)))
        elif text == "*":
            if not pieces or pieces[-1].kind is not _Kind.MANY:
                pieces.append(_Piece(_Kind.MANY, text))
        else:
            pieces.append(_Piece(_Kind.ONE if text == "?" else _Kind.TEXT, text))
    return tuple(pieces)


def _captured(text: str, inner: str) -> _Piece:
    name, colon, how = inner.partition(":")
    if not colon:
        return _Piece(_Kind.SOME, text, Capture(name))
    if how == _NUMBER:
        return _Piece(_Kind.DIGITS, text, Capture(name, number=True))
    return _Piece(_Kind.DATE, text, Capture(name, how))


def captures_in(pattern: str) -> tuple[Capture, ...]:
    """The captures of a pattern, in order."""
    return tuple(piece.capture for piece in _pieces(pattern) if piece.capture is not None)


def mistakes(pattern: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a pattern: a message and a hint each. Date patterns are judged elsewhere."""
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", pattern)):
        yield "a { or } without its other half", "write {name} or {name:yyyyMMdd}"
    seen: set[str] = set()
    for capture in captures_in(pattern):
        if not _NAME.fullmatch(capture.name):
            yield (
                f"'{capture.name}' cannot name a capture",
                "use letters, digits and underscores, as in {business_date}",
            )
        elif capture.name in seen:
            yield f"the capture '{capture.name}' stands twice", "give the second one another name"
        elif capture.name in {"name", "modified"}:
            yield f"'{capture.name}' means something else in order_by", "give the capture another name"
        seen.add(capture.name)
        if capture.date_pattern == "":
            yield f"the capture '{capture.name}' has an empty date pattern", "write {name} or {name:yyyyMMdd}"


# Taking a name apart


def captures(pattern: str, name: str) -> dict[str, str] | None:
    """What the captures of a pattern get of a file name; dates as yyyy-MM-dd or yyyy-MM-dd HH:mm:ss, so that they
    sort. None when the name does not match."""
    return _captures(_pieces(pattern), name)


def almost(pattern: str, name: str) -> str | None:
    """What alone keeps a name from matching: its `case`, or a `date or number`; None for all other names."""
    pieces = _pieces(pattern)
    folded = tuple(replace(piece, text=piece.text.casefold()) for piece in pieces)
    if _captures(folded, name.casefold()) is not None:
        return "case"
    loose = tuple(replace(piece, kind=_Kind.SOME) if piece.kind in _CHECKED else piece for piece in pieces)
    return "date or number" if loose != pieces and _captures(loose, name) is not None else None


def _captures(pieces: tuple[_Piece, ...], name: str) -> dict[str, str] | None:
    rest = _rests(pieces, name)
    if not rest[0] & 1:
        return None
    found, at = {}, 0
    for piece, after in zip(pieces, rest[1:], strict=True):
        end = _end(piece, name, at, after)
        if piece.capture is not None:
            text = name[at:end]
            dated = _moment(text, _pattern(piece)) if piece.kind is _Kind.DATE else None
            found[piece.capture.name] = text if dated is None else dated
        at = end
    return found


def _rests(pieces: tuple[_Piece, ...], name: str) -> list[int]:
    """For each piece, and behind the last one: the positions (as bits) at which what follows can begin."""
    rests = [1 << len(name)]
    for piece in reversed(pieces):
        rests.append(_starts(piece, name, rests[-1]))
    rests.reverse()
    return rests


def _starts(piece: _Piece, name: str, after: int) -> int:
    """The positions from which a piece gets to one of those in `after`."""
    match piece.kind:
        case _Kind.TEXT:
            return sum(1 << at for at in _places(piece.text, name) if after >> (at + len(piece.text)) & 1)
        case _Kind.ONE:
            return after >> 1
        case _Kind.MANY:
            return (1 << after.bit_length()) - 1
        case _Kind.SOME:
            return (1 << after.bit_length() - 1) - 1 if after else 0
        case _Kind.DIGITS:
            return sum(_among(run.start(), run.end(), after) for run in _DIGITS.finditer(name))
        case _Kind.DATE:
            width = _width(piece)
            return sum(
                1 << at for at in _bits(after >> width) if _moment(name[at : at + width], _pattern(piece)) is not None
            )


def _end(piece: _Piece, name: str, at: int, after: int) -> int:
    """Where a piece that begins `at` a position ends."""
    match piece.kind:
        case _Kind.TEXT:
            return at + len(piece.text)
        case _Kind.ONE:
            return at + 1
        case _Kind.MANY:
            return after.bit_length() - 1
        case _Kind.SOME:
            return at + 1 + _lowest(after >> (at + 1))
        case _Kind.DIGITS:
            run = _DIGITS.match(name, at)
            last = run.end() if run else at
            return (after & ((1 << last + 1) - 1)).bit_length() - 1
        case _Kind.DATE:
            return at + _width(piece)


def _places(text: str, name: str) -> Iterator[int]:
    at = name.find(text)
    while at >= 0:
        yield at
        at = name.find(text, at + 1)


def _among(start: int, end: int, after: int) -> int:
    """The positions in a run of digits from which another position of it, in `after`, can be reached."""
    ends = (after & ((1 << end + 1) - 1)) >> (start + 1)
    return ((1 << ends.bit_length()) - 1) << start


def _bits(number: int) -> Iterator[int]:
    while number:
        at = _lowest(number)
        yield at
        number &= number - 1


def _lowest(number: int) -> int:
    return (number & -number).bit_length() - 1


def _pattern(piece: _Piece) -> str:
    return piece.capture.date_pattern or "" if piece.capture is not None else ""


def _width(piece: _Piece) -> int:
    return len(_pattern(piece).replace("'", ""))


@lru_cache(maxsize=4096)
def _moment(text: str, pattern: str) -> str | None:
    """A date or time by its pattern, in a form that sorts; None when it is none."""
    if re.fullmatch(compile_pattern(pattern).regex, text) is None:
        return None
    try:
        moment = parse(text, Scalar("timestamp"), formats=[pattern])
    except ValueError:
        return None
    timed = any(letter in pattern for letter in "Hhms")
    return f"{moment:%Y-%m-%d %H:%M:%S}" if timed else f"{moment:%Y-%m-%d}"


# Whether two patterns meet


@lru_cache(maxsize=20_000)
def _tokens(pattern: str | None) -> tuple[str, ...]:
    """Letters, and three tokens of two letters: any one, any number, a digit."""
    tokens: list[str] = []
    for piece in _pieces("*" if pattern is None else pattern):
        match piece.kind:
            case _Kind.TEXT:
                tokens += piece.text
            case _Kind.ONE:
                tokens.append(_ONE)
            case _Kind.MANY:
                tokens.append(_ANY)
            case _Kind.DATE if re.fullmatch(r"(?:yyyy|yy|MM|dd|HH|mm|ss|[^A-Za-z'])*", _pattern(piece)):
                tokens += [_DIGIT if letter.isalpha() else letter for letter in _pattern(piece)]
            case _:
                tokens += [_DIGIT if piece.kind is _Kind.DIGITS else _ONE, _ANY]
    return tuple(tokens)


_ONE, _ANY, _DIGIT = "{?", "{*", "{0"


def literal_prefix(pattern: str | None) -> str:
    """The letters that every matching name begins with."""
    prefix = ""
    for token in _tokens(pattern):
        if len(token) > 1:
            break
        prefix += token
    return prefix


@lru_cache(maxsize=20_000)
def may_meet(one: str | None, other: str | None) -> bool:
    """Whether some file name matches both patterns (None matches every name).

    `reached` are the numbers of tokens of the other pattern, as bits, that can be used up when some of the first
    one's are.
    """
    left, right = _tokens(one), _tokens(other)
    many = _mask(right, {_ANY})
    fitting = {token: _mask(right, _letters(token)) for token in set(left) if token != _ANY}
    reached = _passing(1, many)
    for token in left:
        if token == _ANY:
            reached = (1 << len(right) + 1) - (reached & -reached)
        else:
            reached = _passing((reached & fitting[token]) << 1 | reached & many, many)
        if not reached:
            return False
    return bool(reached >> len(right) & 1)


def _passing(reached: int, many: int) -> int:
    """A `*` may stand for nothing."""
    while further := (reached & many) << 1 & ~reached:
        reached |= further
    return reached


def _mask(tokens: tuple[str, ...], wanted: set[str] | None) -> int:
    """Which of the tokens are wanted, as bits; None for all that stand for one letter."""
    return sum(1 << at for at, token in enumerate(tokens) if (token != _ANY if wanted is None else token in wanted))


def _letters(token: str) -> set[str] | None:
    """The tokens that can stand for the same letter as this one; None for all that stand for one."""
    if token == _ONE:
        return None
    if token == _DIGIT:
        return {*digits, _DIGIT, _ONE}
    return {token, _ONE, *([_DIGIT] if token in digits else [])}

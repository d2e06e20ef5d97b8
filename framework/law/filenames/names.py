"""Names: whether they match a pattern, and what its captures get of them.

Names are written by strangers, so the time for one grows with the length of pattern times name and no more:
where the rest of a pattern can begin is found first, from its end, as the bits of a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from framework.law.filenames.patterns import Kind, Piece, pieces_of
from framework.law.values import parse
from framework.law.values.patterns import compile_pattern
from framework.types import Scalar

__all__ = ["almost", "captures"]

_DIGITS = re.compile(r"[0-9]+")
_CHECKED = (Kind.DATE, Kind.DIGITS)


def captures(pattern: str, name: str) -> dict[str, str] | None:
    """What the captures of a pattern get of a file name; dates as yyyy-MM-dd or yyyy-MM-dd HH:mm:ss, so that they
    sort. None when the name does not match."""
    return _captures(pieces_of(pattern), name)


def almost(pattern: str, name: str) -> str | None:
    """What alone keeps a name from matching: its `case`, or a `date or number`; None for all other names."""
    pieces = pieces_of(pattern)
    folded = tuple(replace(piece, text=piece.text.casefold()) for piece in pieces)
    if _captures(folded, name.casefold()) is not None:
        return "case"
    loose = tuple(replace(piece, kind=Kind.SOME) if piece.kind in _CHECKED else piece for piece in pieces)
    return "date or number" if loose != pieces and _captures(loose, name) is not None else None


def _captures(pieces: tuple[Piece, ...], name: str) -> dict[str, str] | None:
    rest = _rests(pieces, name)
    if not rest[0] & 1:
        return None
    found, at = {}, 0
    for piece, after in zip(pieces, rest[1:], strict=True):
        end = _end(piece, name, at, after)
        if piece.capture is not None:
            text = name[at:end]
            dated = _moment(text, piece.date_pattern) if piece.kind is Kind.DATE else None
            found[piece.capture.name] = text if dated is None else dated
        at = end
    return found


def _rests(pieces: tuple[Piece, ...], name: str) -> list[int]:
    """For each piece, and behind the last one: the positions (as bits) at which what follows can begin."""
    rests = [1 << len(name)]
    for piece in reversed(pieces):
        rests.append(_starts(piece, name, rests[-1]))
    rests.reverse()
    return rests


def _starts(piece: Piece, name: str, after: int) -> int:
    """The positions from which a piece gets to one of those in `after`."""
    match piece.kind:
        case Kind.TEXT:
            return sum(1 << at for at in _places(piece.text, name) if after >> (at + len(piece.text)) & 1)
        case Kind.ONE:
            return after >> 1
        case Kind.MANY:
            return (1 << after.bit_length()) - 1
        case Kind.SOME:
            return (1 << after.bit_length() - 1) - 1 if after else 0
        case Kind.DIGITS:
            return sum(_among(run.start(), run.end(), after) for run in _DIGITS.finditer(name))
        case Kind.DATE:
            width, pattern = _width(piece), piece.date_pattern
            return sum(1 << at for at in _bits(after >> width) if _moment(name[at : at + width], pattern) is not None)


def _end(piece: Piece, name: str, at: int, after: int) -> int:
    """Where a piece that begins `at` a position ends."""
    match piece.kind:
        case Kind.TEXT:
            return at + len(piece.text)
        case Kind.ONE:
            return at + 1
        case Kind.MANY:
            return after.bit_length() - 1
        case Kind.SOME:
            return at + 1 + _lowest(after >> (at + 1))
        case Kind.DIGITS:
            run = _DIGITS.match(name, at)
            last = run.end() if run else at
            return (after & ((1 << last + 1) - 1)).bit_length() - 1
        case Kind.DATE:
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


def _width(piece: Piece) -> int:
    return len(piece.date_pattern.replace("'", ""))


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

"""Two patterns: whether some file name matches both."""

from __future__ import annotations

import re
from functools import lru_cache
from string import digits

from framework.law.filenames.patterns import Kind, pieces_of

__all__ = ["literal_prefix", "may_meet"]

_ONE, _ANY, _DIGIT = "{?", "{*", "{0"


@lru_cache(maxsize=20_000)
def _tokens(pattern: str | None) -> tuple[str, ...]:
    """Letters, and three tokens of two letters: any one, any number, a digit."""
    tokens: list[str] = []
    for piece in pieces_of("*" if pattern is None else pattern):
        match piece.kind:
            case Kind.TEXT:
                tokens += piece.text
            case Kind.ONE:
                tokens.append(_ONE)
            case Kind.MANY:
                tokens.append(_ANY)
            case Kind.DATE if re.fullmatch(r"(?:yyyy|yy|MM|dd|HH|mm|ss|[^A-Za-z'])*", piece.date_pattern):
                tokens += [_DIGIT if letter.isalpha() else letter for letter in piece.date_pattern]
            case _:
                tokens += [_DIGIT if piece.kind is Kind.DIGITS else _ONE, _ANY]
    return tuple(tokens)


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

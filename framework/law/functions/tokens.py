"""Tokens: the words, literals and signs that the text of an expression consists of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from framework.law.functions.nodes import Refused

__all__ = ["Token", "tokens"]


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


_FORMS = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?:BD|[LSYDF])?(?![A-Za-z0-9_]))"
    r"|(?P<raw>[rR](?:'[^']*'|\"[^\"]*\"))"
    r"|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<name>`(?:[^`]|``)+`)"
    r"|(?P<word>[^\W0-9]\w*)"
    r"|(?P<mark><=>|\|\||<>|!=|<=|>=|==|::|[-+*/%<>=!~&|^(),.:\[\]])",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL)


def tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _FORMS.match(text, at)
        if match is None:
            raise Refused(f"'{text[at]}' has no place in an expression", "check operators and quotes", at + 1)
        kind = match.lastgroup or ""
        if kind in ("text", "raw"):
            yield Token("text", _unquoted(match.group(), at + 1), at + 1)
        elif kind == "name":
            yield Token(kind, match.group()[1:-1].replace("``", "`"), at + 1)
        elif kind != "blank":
            yield Token(kind, match.group(), at + 1)
        at = match.end()
    yield Token("end", "", len(text) + 1)


def _unquoted(text: str, at: int) -> str:
    if text[0] in "rR":
        return text[2:-1]
    quote = text[0]

    def one(match: re.Match[str]) -> str:
        code, long, octal, char = match.groups()
        if code or long or octal:
            return chr(int(octal, 8)) if octal else chr(int(code or long, 16))
        if char in "%_":
            return "\\" + char
        if char.isalnum() and char not in _ESCAPES:
            hint = f"write \\\\{char}, or r'…', which takes every backslash as it is"
            raise Refused(f"Spark SQL reads '\\{char}' in a text as '{char}'", hint, at)
        return _ESCAPES.get(char, char)

    return _ESCAPE.sub(one, text[1:-1].replace(quote * 2, quote))

"""Parts: what the grammar makes of the text of an expression."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Part", "depth", "literal"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an expression: a `call` of `name`, a `field`, or a literal of the kind `name` (number, text, true,
    false, null, date, timestamp, timestamp_ntz, type) with its `text`, which starts at a character (from 1)."""

    kind: str
    name: str
    at: int
    args: tuple[Part, ...] = ()
    text: str = ""


def literal(kind: str, text: str, at: int) -> Part:
    """A literal of a kind."""
    return Part("literal", kind, at, text=text)


def depth(part: Part) -> int:
    """How many calls stand inside of each other."""
    inside, found = [part], 0
    while inside:
        inside, found = [arg for each in inside for arg in each.args], found + 1
    return found

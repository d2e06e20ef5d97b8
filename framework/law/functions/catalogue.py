"""The closed list of functions and operators. What is not in it is refused, on every engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from framework.law.functions import (
    aggregates,
    arithmetic,
    casts,
    collections,
    epochs,
    formats,
    logic,
    matching,
    moments,
    numbers,
    texts,
)
from framework.law.functions.function import Function

__all__ = ["BY_NAME", "GROUPS"]

GROUPS: Mapping[str, tuple[Function, ...]] = {
    "Comparison and logic": logic.FUNCTIONS,
    "Arithmetic": arithmetic.FUNCTIONS,
    "Numbers": numbers.FUNCTIONS,
    "Texts": texts.FUNCTIONS,
    "Regular expressions": matching.FUNCTIONS,
    "Dates and moments": moments.FUNCTIONS + epochs.FUNCTIONS,
    "Texts of dates and moments": formats.FUNCTIONS,
    "Types": casts.FUNCTIONS,
    "Arrays, maps and structs": collections.FUNCTIONS,
    "Aggregates": aggregates.FUNCTIONS,
}
"""The functions by group, as the documentation lists them."""


def _named() -> Iterator[tuple[str, Function]]:
    for group, functions in GROUPS.items():
        for each in functions:
            known = replace(each, group=group)
            for name in (each.name, *each.aliases):
                yield name, known


BY_NAME: Mapping[str, Function] = dict(_named())
"""Every function by its names, in lower case."""

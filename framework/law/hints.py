"""Hints: what a person would see at a glance in a file that lacks a column, asked as a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from framework.feed import Column, Feed, Format
from framework.law.values import parse
from framework.types import Scalar

__all__ = ["lacking"]

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def lacking(feed: Feed, needed: Sequence[Column], names: Sequence[str]) -> str:
    """What may be wrong with a file with these names that lacks needed columns: a question behind a semicolon, or
    nothing."""
    found = next(_questions(feed, needed, names), None)
    return f"; {found}?" if found is not None else ""


def _questions(feed: Feed, needed: Sequence[Column], names: Sequence[str]) -> Iterator[str]:
    if feed.source.format is Format.CSV:
        yield from _of_text(feed, names)
    for column in needed:
        wanted = {_bare(name) for name in column.source_names}
        alike = [name for name in names if _bare(name) and _bare(name) in wanted]
        if len(alike) == 1:
            yield f"is {alike[0]!r} the column {column.name} (schema.{column.name}.source_name)"
    if feed.source.format is Format.CSV and _is_a_row(feed, needed, names):
        yield "is this a row, and the file has no header (source.options.header: false)"
    if feed.source.format in (Format.CSV, Format.EXCEL) and _is_a_title(feed, names):
        yield "is the header further down (source.until_header: true)"


def _of_text(feed: Feed, names: Sequence[str]) -> Iterator[str]:
    sep, first = feed.source.csv.sep, names[0] if names else ""
    if any(map(_CONTROLS.search, names)):
        yield "is it a text file"
    if first.startswith(("{", "[")):
        yield "is it a JSON file (source.format: json)"
    if first.startswith("<"):
        yield "is it an XML file (source.format: xml)"
    other = next((mark for mark in (";", ",", "\t", "|") if mark != sep and len(names) == 1 and mark in first), None)
    if other is not None:
        yield f"is the separator {other!r} and not {sep!r} (source.options.sep)"


def _bare(name: str) -> str:
    """The letters and digits of a name, in lower case."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _is_a_title(feed: Feed, names: Sequence[str]) -> bool:
    """Whether the names are a text that stands alone and is the name of no column, in a file of several columns."""
    wanted = {_bare(name) for column in feed.columns for name in column.source_names}
    return len(names) == 1 < len(wanted) and _bare(names[0]) not in wanted


def _is_a_row(feed: Feed, needed: Sequence[Column], names: Sequence[str]) -> bool:
    """Whether the names could be the fields of a row: as many as there are columns, with values where columns have
    another type than string, at least one of them needed."""
    columns = [column for column in feed.columns if column.from_source]
    if len(names) != len(columns) or all(column.type == Scalar("string") for column in needed):
        return False
    for name, column in zip(names, columns, strict=True):
        try:
            parse(name, column.type, formats=column.formats, zone=feed.source.timezone)
        except ValueError:
            if name or column in needed:
                return False
    return True

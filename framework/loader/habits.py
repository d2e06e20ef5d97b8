"""Habits of senders: the problems of their keys, and what they are made into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from framework.errors import Problem
from framework.feed import Control, Negative, Numbers, Span, Trailer
from framework.loader.column_types import type_of
from framework.loader.nodes import Node
from framework.loader.suggest import did_you_mean
from framework.loader.values import mapping, text, texts, whole
from framework.types import INTEGERS, DataType, Decimal, Scalar

__all__ = ["control", "is_number", "numbers", "numbers_problems", "problems", "span", "trailer"]

_OF = {
    "skip_lines": ("csv", "fixed_width", "excel", "text"),
    "until_header": ("csv", "excel"),
    "trailer": ("csv", "fixed_width", "text"),
    "short_rows": ("csv", "fixed_width"),
    "numbers": ("csv", "fixed_width", "xml"),
    "text_formulas": ("csv",),
    "sheet": ("excel",),
}
"""The formats that each key is for."""


def is_number(type_: DataType | None) -> bool:
    """Whether values of a type are numbers."""
    match type_:
        case Scalar(name):
            return name in INTEGERS or name in ("float", "double")
        case _:
            return isinstance(type_, Decimal)


def problems(source: Node, columns: Mapping[str, Node]) -> Iterator[Problem]:
    """What is wrong with the keys of a source."""
    format_ = text(source, "format")
    for key, formats in _OF.items():
        node = source.get(key)
        if node is not None and format_ and format_ not in formats:
            hint = f"it is for format {', '.join(formats)}"
            yield node.problem(f"source.{key}", f"{key} is not for format {format_}", hint, at_key=True)
    yield from _header(source)
    yield from _places(source, columns, format_)
    given = source.get("numbers")
    if given is not None:
        yield from numbers_problems(given, "source.numbers")
    for key in ("trailer", "control"):
        for name, node in mapping(source, key, "sums").items():
            yield from _sum(name, node, f"source.{key}.sums", columns)
    found = source.get("control")
    if found is not None:
        yield from _control(found)


def _header(source: Node) -> Iterator[Problem]:
    until, header = source.get("until_header"), source.get("options", "header")
    if until is None or until.value is not True:
        return
    if source.get("skip_lines") is not None:
        message = "skip_lines says where the header is, and until_header looks for it"
        yield until.problem("source.until_header", message, "remove one of them", at_key=True)
    if header is not None and header.value is False:
        yield until.problem("source.until_header", "without a header none can be found", "remove it", at_key=True)


def _places(source: Node, columns: Mapping[str, Node], format_: str | None) -> Iterator[Problem]:
    """Fields have places in lines of fixed width, and nowhere else."""
    by_place = format_ == "fixed_width"
    for name, column in columns.items():
        given = [key for key in ("start", "width") if column.get(key) is not None]
        of_records = column.get("from_file") is None and column.get("expr") is None
        if by_place and of_records and len(given) < 2:
            message = f"the column '{name[:60]}' has no place in the line"
            yield column.problem(
                f"schema.{name}", message, f"{{type: {_type(column)}, start: 1, width: 8}}", at_key=True
            )
        elif given and not (by_place and of_records):
            node, hint = column.map[given[0]], "remove it; it is for columns of format fixed_width"
            yield node.problem(f"schema.{name}.{given[0]}", "a column that is found by its name", hint, at_key=True)
    trailer = source.get("trailer")
    fields: dict[str, Node | None] = {"count": trailer.get("count")} if trailer is not None else {}
    fields |= {f"sums.{name}": node for name, node in mapping(source, "trailer", "sums").items()}
    for key, each in fields.items():
        if each is None or not format_ or (format_ == "csv") == isinstance(each.value, int):
            continue
        hint = "write its number, from 1" if format_ == "csv" else "write {start: 4, width: 6}"
        yield each.problem(f"source.trailer.{key}", f"a field of format {format_} is not told by that", hint)


def _type(column: Node) -> str:
    found = column.get("type") or column
    return found.shown if isinstance(found.value, str) else "string"


def _sum(name: str, node: Node, path: str, columns: Mapping[str, Node]) -> Iterator[Problem]:
    if name not in columns:
        hint = did_you_mean(name, columns) or "name a column of the schema"
        yield node.problem(f"{path}.{name}", f"there is no column '{name[:60]}'", hint, at_key=True)
        return
    column = columns[name]
    found = type_of(column)
    if found is not None and not is_number(found):
        yield node.problem(f"{path}.{name}", f"'{name}' is {found}, which has no sum", "name a number", at_key=True)
    if any(column.get(key) is not None for key in ("from_file", "expr")):
        message = f"'{name}' is not read from the records, so they have no sum of it"
        yield node.problem(f"{path}.{name}", message, "name a column of the files", at_key=True)


def _control(node: Node) -> Iterator[Problem]:
    patterns = {"count": node.get("count"), "sha256": node.get("sha256")}
    patterns |= {f"sums.{name}": each for name, each in mapping(node, "sums").items()}
    for key, pattern in patterns.items():
        if pattern is None or pattern.broken:
            continue
        try:
            groups = re.compile(pattern.text).groups
        except (re.error, RecursionError, OverflowError) as error:
            message = "it is no regular expression" + ("" if pattern.secret else f": {error}")
            yield pattern.problem(f"source.control.{key}", message, r"for example '^rows=(\d+)$'")
            continue
        if groups != 1:
            message = f"it has {groups} groups, and one says what is looked for"
            yield pattern.problem(f"source.control.{key}", message, r"for example '^rows=(\d+)$'; others are (?:…)")


def numbers_problems(node: Node, path: str) -> Iterator[Problem]:
    """What is wrong with the signs of numbers."""
    signs = {key: each for key in ("decimal", "group", "strip") if (each := node.get(key)) is not None}
    for key, each in signs.items():
        wrong = next((sign for sign in each.text if sign in "0123456789+-()eE\u2212" or sign in "\r\n"), None)
        if wrong is not None and not each.broken:
            yield each.problem(f"{path}.{key}", f"'{wrong}' has a meaning of its own in numbers", "leave it out")
    taken = {"." if "decimal" not in signs else signs["decimal"].text: "the decimal sign"}
    for key, what in (("group", "the sign between groups"), ("strip", "one that means nothing")):
        for sign in signs[key].text if key in signs else "":
            if sign in taken and not (sign.isspace() and key == "strip"):
                message = f"'{sign}' is {taken[sign]} and {what}"
                yield signs[key].problem(f"{path}.{key}", message, "choose different ones")
            taken.setdefault(sign, what)


def numbers(node: Node | None) -> Numbers | None:
    """How numbers are written."""
    if node is None:
        return None
    default = Numbers()
    negative = tuple(dict.fromkeys(map(Negative, texts(node, "negative"))))
    return Numbers(
        text(node, "decimal") or default.decimal,
        text(node, "group") or default.group,
        negative or default.negative,
        text(node, "strip") or default.strip,
    )


def trailer(node: Node | None) -> Trailer | None:
    """The trailers of a feed's files."""
    if node is None:
        return None
    sums = tuple((name, _field(each)) for name, each in mapping(node, "sums").items())
    count = node.get("count")
    return Trailer(text(node, "starts_with") or "", None if count is None else _field(count), sums)


def _field(node: Node) -> int | Span:
    return span(node) or int(node.text)


def span(node: Node) -> Span | None:
    """A place in a line."""
    start, width = whole(node, "start"), whole(node, "width")
    return None if start is None or width is None else Span(start, width)


def control(node: Node | None) -> Control | None:
    """The file beside each file."""
    if node is None:
        return None
    sums = tuple((name, each.text) for name, each in mapping(node, "sums").items())
    return Control(text(node, "file") or "", text(node, "count"), text(node, "sha256"), sums)

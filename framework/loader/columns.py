"""What a schema's columns must fulfil beyond their JSON Schema: types, formats, values, patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from framework.errors import Problem
from framework.law.naming import refused
from framework.law.values import check_pattern, parse
from framework.loader import habits, ready
from framework.loader.column_types import type_of, type_problems
from framework.loader.nodes import Node
from framework.loader.suggest import did_you_mean, one_of
from framework.names import AUDIT_COLUMNS
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["problems"]


def problems(columns: Mapping[str, Node], captures: frozenset[str], header: bool) -> Iterator[Problem]:
    """What is wrong with each column. `captures` are those of source.files."""
    seen: dict[str, str] = {}
    for name, node in columns.items():
        path = f"schema.{name}"
        yield from _name(name, path, node, seen)
        seen.setdefault(name.lower(), name)
        if isinstance(node.value, dict):
            yield from _object(node, path, captures, header)
        else:
            yield from type_problems(node, path)


def _name(name: str, path: str, node: Node, seen: Mapping[str, str]) -> Iterator[Problem]:
    if name.lower() in seen:
        message = f"the columns '{seen[name.lower()]}' and '{name}' differ only in upper and lower case"
        yield node.problem(path, message, "table columns ignore case: give one of them another name", at_key=True)
    if name.lower() in AUDIT_COLUMNS:
        hint = "take another name; target.audit_columns: true writes the file, batch and time of each row"
        yield node.problem(path, f"the name '{name}' is Landfeed's own", hint, at_key=True)
    if re.search(r"[\x00-\x1f\x7f]", name) or name != name.strip():
        message = "a column name with a control character or blanks around it"
        yield node.problem(path, message, "use source_name for the header as it stands in the file", at_key=True)
    elif marks := refused(name):
        message = f"a Delta table has no column with {marks} in its name"
        hint = f'take another name for it: {{type: …, source_name: ["{name}"]}}'
        yield node.problem(path, message, hint, at_key=True)


def _object(node: Node, path: str, captures: frozenset[str], header: bool) -> Iterator[Problem]:
    type_node = node.get("type")
    if type_node is not None:
        yield from type_problems(type_node, f"{path}.type")
    found = type_of(node)
    if found is not None:
        yield from _formats(node, path, found)
        yield from _numbers(node, path, found)
        yield from _pattern(node, path, found)
        yield from _values(node, path, found)
    yield from _origin(node, path, captures, header)
    yield from ready.problems(node, path, found)


def _origin(node: Node, path: str, captures: frozenset[str], header: bool) -> Iterator[Problem]:
    capture, expr, source_name = node.get("from_file"), node.get("expr"), node.get("source_name")
    if capture is not None and capture.text not in captures:
        message = f"there is no capture '{capture.shown}' in source.files"
        hint = did_you_mean(capture.text, captures) or f"write {{{capture.shown}}} where it stands in the file name"
        yield capture.problem(f"{path}.from_file", message, hint)
    if capture is not None and expr is not None:
        yield expr.problem(f"{path}.expr", "a column has either from_file or expr", "remove one of them", at_key=True)
    other = "from_file" if capture is not None else "expr" if expr is not None else None
    if source_name is not None and other is not None:
        message = f"a column with {other} is not read from the records, so it has no source_name"
        yield source_name.problem(f"{path}.source_name", message, "remove one of them", at_key=True)
    if source_name is not None and not header:
        message = "without a header, columns are mapped by position and source_name means nothing"
        yield source_name.problem(f"{path}.source_name", message, "remove it", at_key=True)


def _formats(node: Node, path: str, found: DataType) -> Iterator[Problem]:
    formats = node.get("format")
    if formats is None:
        return
    if found not in (Scalar("date"), Scalar("timestamp"), Scalar("timestamp_ntz")):
        message = f"a format is for date and timestamp, not for {found}"
        yield formats.problem(f"{path}.format", message, "remove it, or change the type", at_key=True)
        return
    for index, item in enumerate(formats.items):
        below = f"{path}.format[{index}]" if isinstance(formats.value, list) else f"{path}.format"
        mistake = _pattern_mistake(item.text)
        if mistake is not None and not item.broken:
            yield item.problem(below, "it is no datetime pattern" if item.secret else mistake, _pattern_hint(item.text))


def _numbers(node: Node, path: str, found: DataType) -> Iterator[Problem]:
    numbers = node.get("numbers")
    if numbers is None or numbers.broken:
        return
    if not habits.is_number(found):
        message = f"numbers are not for {found}"
        yield numbers.problem(f"{path}.numbers", message, "remove it, or change the type", at_key=True)
    elif other := next((key for key in ("from_file", "expr") if node.get(key) is not None), None):
        message = f"a column with {other} is not read from the records"
        yield numbers.problem(f"{path}.numbers", message, "remove it", at_key=True)
    else:
        yield from habits.numbers_problems(numbers, f"{path}.numbers")


@lru_cache(maxsize=4096)
def _pattern_mistake(text: str) -> str | None:
    try:
        check_pattern(text)
    except ValueError as error:
        return str(error)
    return None


def _pattern_hint(text: str) -> str:
    if "%" in text:
        return "patterns are Spark's: yyyy-MM-dd HH:mm:ss, not %Y-%m-%d"
    if "YYYY" in text or "DD" in text:
        return "the year is yyyy and the day dd: yyyy-MM-dd"
    return "for example yyyy-MM-dd, dd.MM.yyyy HH:mm:ss"


_NOT_EVERYWHERE = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?(?:[=!]|<[=!]|>|\()|\\[1-9])")


def _pattern(node: Node, path: str, found: DataType) -> Iterator[Problem]:
    pattern = node.get("pattern")
    if pattern is None or pattern.broken:
        return
    path = f"{path}.pattern"
    if found != Scalar("string"):
        yield pattern.problem(path, f"a pattern is for string, not for {found}", "use min, max or accepted_values")
        return
    mistake = _regex_mistake(pattern.text)
    if mistake is not None:
        message = "it is no regular expression" + ("" if pattern.secret else f": {mistake}")
        yield pattern.problem(path, message, r"a special character stands for itself after a \: \( \. \+")
    elif _NOT_EVERYWHERE.search(pattern.text):
        message = "look-around, atomic groups and back references do not work on every engine"
        yield pattern.problem(path, message, "write the pattern without them")


@lru_cache(maxsize=4096)
def _regex_mistake(text: str) -> str | None:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def _values(node: Node, path: str, found: DataType) -> Iterator[Problem]:
    nested = isinstance(found, Array | Map | Struct)
    for key in ("min", "max", "accepted_values", "default"):
        given = node.get(key)
        if given is None:
            continue
        if nested or (key in ("min", "max") and found == Scalar("boolean")):
            yield given.problem(f"{path}.{key}", f"{key} does not work for {found}", "remove it", at_key=True)
            continue
        for index, item in enumerate(given.items):
            below = f"{path}.{key}[{index}]" if key == "accepted_values" else f"{path}.{key}"
            yield from _value(item, below, found, node)
    if not nested:
        yield from _together(node, path, found)


def _value(item: Node, path: str, found: DataType, column: Node) -> Iterator[Problem]:
    if item.broken or _parsed(item, found, column) is not None:
        return
    formats = column.get("format")
    wanted = f" in the format {formats.items[0].shown}" if formats is not None and formats.items else ""
    yield item.problem(path, f"'{item.shown}' is no {found}{wanted}", _value_hint(found))


def _value_hint(found: DataType) -> str:
    match found:
        case Scalar("date"):
            return "write it as in the files, for example 2024-12-31"
        case Scalar("timestamp" | "timestamp_ntz"):
            return "write it as in the files, for example 2024-12-31 23:59:59"
        case Scalar("boolean"):
            return one_of("", ("true", "false", "t", "f", "yes", "no", "y", "n", "1", "0"))
        case Decimal(precision, scale):
            return f"at most {precision - scale} digits before and {scale} after the point"
        case _:
            return f"it follows the same rules as {found} values in the files"


def _parsed(item: Node, found: DataType, column: Node) -> Any:
    formats = column.get("format")
    try:
        patterns = tuple(node.text for node in formats.items) if formats is not None else ()
        return parse(item.text, found, formats=patterns)
    except ValueError:
        return None


def _together(node: Node, path: str, found: DataType) -> Iterator[Problem]:
    low, high, default = (node.get(key) for key in ("min", "max", "default"))
    lowest, highest, given = (_parsed(n, found, node) if n is not None else None for n in (low, high, default))
    if high is not None and _less(highest, lowest):
        message = "max is smaller than min, so every value would be out of range"
        yield high.problem(f"{path}.max", message, "exchange them")
    if default is None or given is None:
        return
    if _less(given, lowest) or _less(highest, given):
        message = f"the default '{default.shown}' is itself out of range"
        yield default.problem(f"{path}.default", message, "choose one between min and max")
    accepted = node.get("accepted_values")
    if accepted is not None and given not in [_parsed(item, found, node) for item in accepted.items]:
        message = f"the default '{default.shown}' is not among accepted_values"
        yield default.problem(f"{path}.default", message, "add it there, or choose another")


def _less(one: object | None, other: object | None) -> bool:
    if one is None or other is None:
        return False
    try:
        return bool(one < other)  # type: ignore[operator]  # both are parsed as the same type
    except TypeError:
        return False

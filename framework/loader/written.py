"""Feed files as text: the merged feed with the origin of each value, and a new feed to begin with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from framework.law.layout import same_name
from framework.law.naming import accepted
from framework.loader.nodes import Node, scalar

__all__ = ["annotated", "column_line", "new_feed", "origins", "yaml_text"]

_WIDTH = 48
"""Comments begin in this column where the value leaves room."""
_PLAIN = re.compile(r"[A-Za-z0-9_./$]([A-Za-z0-9_./${}<>()+ -]*[A-Za-z0-9_./})>+-])?")


def origins(tree: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every value of a tree that is no mapping, with its path."""
    if isinstance(tree.value, dict) and tree.value:
        for key, node in tree.value.items():
            yield from origins(node, f"{path}.{key}" if path else key)
    else:
        yield path, tree


def annotated(tree: Node) -> Iterator[str]:
    """The tree as YAML lines, each value with `# file:line` of where it was written. References stay as written."""
    yield from _mapping(tree, 0)


def _mapping(tree: Node, depth: int) -> Iterator[str]:
    for key, node in tree.map.items():
        yield from _entry("  " * depth + f"{_key(key)}:", node, depth + 1)


def _entry(start: str, node: Node, depth: int) -> Iterator[str]:
    if isinstance(node.value, dict) and node.value:
        yield start
        yield from _mapping(node, depth)
    elif isinstance(node.value, list) and any(isinstance(item.value, dict | list) for item in node.value):
        yield start
        for item in node.value:
            lines = list(_mapping(item, depth + 1)) if item.map else [_line("  " * (depth + 1) + _flow(item), item)]
            yield "  " * depth + "- " + lines[0].lstrip()
            yield from lines[1:]
    else:
        yield _line(f"{start} {_flow(node)}", node)


def _line(text: str, node: Node) -> str:
    return f"{text.ljust(_WIDTH)}  # {node.file}:{node.line}"


def _flow(node: Node) -> str:
    """A value in one line."""
    if isinstance(node.value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(item)}" for key, item in node.value.items()) + "}"
    if isinstance(node.value, list):
        return "[" + ", ".join(map(_flow, node.value)) + "]"
    if isinstance(node.value, str):
        return yaml_text(node.value)
    return node.raw or "null"


def _key(text: str) -> str:
    return yaml_text(text)


def yaml_text(text: str) -> str:
    """A text as a YAML scalar, in quotes where it needs them."""
    plain = _PLAIN.fullmatch(text) and isinstance(scalar(text), str) and ": " not in text and "{" not in text[:1]
    return text if plain and "${" not in text else json.dumps(text, ensure_ascii=False)


def _column(name: str, type_: str) -> str:
    if accepted(name) == name:
        return yaml_text(type_)
    return f"{{type: {json.dumps(type_)}, source_name: [{json.dumps(name, ensure_ascii=False)}]}}"


def column_line(name: str, type_: str, source_name: str) -> str:
    """A column of a schema as a line of YAML; `source_name` is what files call it."""
    if same_name(source_name) == same_name(name):
        return f"{_key(name)}: {yaml_text(type_)}"
    return f"{_key(name)}: {{type: {json.dumps(type_)}, source_name: [{json.dumps(source_name, ensure_ascii=False)}]}}"


def new_feed(
    name: str,
    *,
    path: str,
    format: str,
    columns: Mapping[str, str],
    table: str,
    keys: Sequence[str],
    sequence_by: str | None,
    schema: str | None,
) -> str:
    """The text of a feed file with comments. `schema` is the JSON Schema's path from the file, for editors. Columns
    are given as files name them; where Delta refuses a name, the column gets another one with this `source_name`."""
    lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
    width = max(len(_key(accepted(column))) for column in columns) + 1
    listed = [
        f"  {(_key(accepted(column)) + ':').ljust(width)} {_column(column, type_)}" for column, type_ in columns.items()
    ]
    order = f"  sequence_by: {_key(accepted(sequence_by))}" if sequence_by else "  # sequence_by: updated_at"
    return "\n".join(
        [
            *lines,
            f"feed: {name}",
            "source:",
            f"  path: {yaml_text(path)}",
            f"  format: {format}",
            '  # files: "*.csv"             # only names like this; {day:yyyyMMdd} captures a part',
            '  # null_values: ["", "NULL"]  # texts that mean: no value',
            "schema:                        # name: type, or name: {type: …, required: true, pattern: …}",
            *listed,
            "target:",
            f"  table: {table}",
            f"  keys: [{', '.join(_key(accepted(key)) for key in keys)}]   # the columns that identify a row",
            f"{order}    # an older row never replaces a newer one",
            "",
        ]
    )

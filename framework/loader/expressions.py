"""Where a feed holds expressions, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.errors import Problem
from framework.loader.column_types import type_of
from framework.loader.nodes import Node
from framework.loader.suggest import one_of

__all__ = ["problems"]


def problems(tree: Node, columns: Mapping[str, Node]) -> Iterator[Problem]:
    """Problems of `filter`, `checks[].expr`, `schema.<column>.expr`, and the conditions of `target`."""
    yield from _one(tree.get("filter"), "filter", columns)
    for key in ("apply_as_deletes", "apply_as_truncates"):
        found = list(_one(tree.get("target", key), f"target.{key}", columns))
        yield from found or _condition(tree.get("target", key), f"target.{key}", columns)
    derived = {name: node.map["expr"] for name, node in columns.items() if "expr" in node.map}
    read = {name: node for name, node in columns.items() if name not in derived}
    for name, node in derived.items():
        yield from _one(node, f"schema.{name}.expr", read)
    checks = tree.get("checks")
    for index, check in enumerate(checks.items if checks is not None else []):
        scope = check.get("scope")
        batch = scope is not None and scope.text == "batch"
        yield from _one(check.get("expr"), f"checks[{index}].expr", columns, batch=batch)


def _condition(node: Node | None, path: str, columns: Mapping[str, Node]) -> Iterator[Problem]:
    """What keeps an expression without mistakes from being a condition that engines are asked."""
    types = {name: type_of(column) for name, column in columns.items()}
    known = {name: type_ for name, type_ in types.items() if type_ is not None}
    if node is None or node.broken or not isinstance(node.value, str) or len(known) < len(types):
        return
    from framework.law.conditions import refusals
    from framework.law.dialects import DUCKDB

    for message in refusals(node.text, known, DUCKDB):
        said = "it is no condition over the feed's columns" if node.secret else message
        hint = "columns compared with values: op = 'D', op IN ('D', 'X'), at IS NULL, joined by AND, OR, NOT"
        yield node.problem(path, said, hint)


def _one(node: Node | None, path: str, columns: Mapping[str, Node], *, batch: bool = False) -> Iterator[Problem]:
    if node is None or node.broken or not isinstance(node.value, str):
        return
    from framework.law.expressions import mistakes  # the parser takes 0.1 s to import, and few feeds need it

    spelt = {name.lower(): name for name in columns}
    for mistake in mistakes(node.text, spelt, aggregates=batch):
        if node.secret:
            yield node.problem(path, "it is no expression over the feed's columns", "check the environment variable")
            return
        where = f" (character {mistake.at})" if mistake.at is not None else ""
        hint = one_of(mistake.unknown, columns) if mistake.unknown is not None else mistake.hint
        yield node.problem(path, mistake.message + where, hint)

"""Where a feed holds expressions, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.errors import Problem
from framework.loader.column_types import type_of
from framework.loader.nodes import Node
from framework.loader.suggest import one_of
from framework.names import AUDIT_COLUMNS
from framework.types import DataType, Scalar

__all__ = ["problems"]

_BOOLEAN = Scalar("boolean")
_SOURCE, _BATCH, _LOADED = AUDIT_COLUMNS
_AUDIT: dict[str, DataType] = {_SOURCE: Scalar("string"), _BATCH: Scalar("string"), _LOADED: Scalar("timestamp")}


def problems(tree: Node, columns: Mapping[str, Node]) -> Iterator[Problem]:
    """Problems of `filter`, `checks[].expr`, `schema.<column>.expr`, and the conditions of `target`."""
    types = {name: type_of(node) for name, node in columns.items()}
    yield from _one(tree.get("filter"), "filter", types)
    for key in ("apply_as_deletes", "apply_as_truncates"):
        yield from _one(tree.get("target", key), f"target.{key}", types, audit={})
    derived = {name: node.map["expr"] for name, node in columns.items() if "expr" in node.map}
    read = {name: type_ for name, type_ in types.items() if name not in derived}
    for name, node in derived.items():
        yield from _one(node, f"schema.{name}.expr", read, types[name])
    yield from _checks(tree, types)


def _checks(tree: Node, types: Mapping[str, DataType | None]) -> Iterator[Problem]:
    checks, seen = tree.get("checks"), set[str]()
    for index, check in enumerate(checks.items if checks is not None else []):
        scope, name, action = check.get("scope"), check.get("name"), check.get("action")
        batch = scope is not None and scope.text == "batch"
        yield from _one(check.get("expr"), f"checks[{index}].expr", types, batch=batch)
        if batch and action is not None and action.text in ("drop", "quarantine"):
            message = f"a check of the whole batch cannot {action.text} rows"
            yield action.problem(f"checks[{index}].action", message, "use warn or fail, or scope: row")
        if name is not None and not name.broken and name.text in seen:
            yield name.problem(f"checks[{index}].name", f"there are two checks '{name.shown}'", "rename one of them")
        seen.add(name.text if name is not None else "")


def _one(
    node: Node | None,
    path: str,
    types: Mapping[str, DataType | None],
    type_: DataType | None = _BOOLEAN,
    *,
    audit: Mapping[str, DataType] = _AUDIT,
    batch: bool = False,
) -> Iterator[Problem]:
    """Problems of an expression over columns of these types (None: not understood), which is to give a `type_`;
    `audit` are the audit columns that it may name."""
    if node is None or node.broken or not isinstance(node.value, str):
        return
    from framework.law.expressions import mistakes  # the parser takes 0.1 s to import, and few feeds need it

    for mistake in mistakes(node.text, {**audit, **types}, type_, aggregates=batch):
        if node.secret:
            yield node.problem(path, "it is no expression over the feed's columns", "check the environment variable")
            return
        where = f" (character {mistake.at})" if mistake.at is not None else ""
        hint = one_of(mistake.unknown, types) if mistake.unknown is not None else mistake.hint
        yield node.problem(path, mistake.message + where, hint)

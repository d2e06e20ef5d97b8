"""Values of a checked tree, by the keys that lead to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from framework.loader.nodes import Node

__all__ = ["flag", "items", "mapping", "number", "span", "text", "texts", "whole", "whole_or", "word"]

_Word = TypeVar("_Word", bound=StrEnum)


def text(tree: Node, *keys: str) -> str | None:
    """The text of a value, None when it is not given."""
    node = tree.get(*keys)
    return node.text if node is not None else None


def flag(tree: Node, default: bool, *keys: str) -> bool:
    """Whether a value is true; the default when it is not given."""
    node = tree.get(*keys)
    return default if node is None else node.value is True


def number(tree: Node, *keys: str) -> float | None:
    """A number, None when it is not given."""
    node = tree.get(*keys)
    return float(node.value) if node is not None and isinstance(node.value, int | float) else None


def span(tree: Node, *keys: str) -> timedelta | None:
    """A number of days or weeks, None when it is not given."""
    written = text(tree, *keys)
    if written is None:
        return None
    unit = written.lstrip("0123456789").strip()
    return timedelta(days=int(written.removesuffix(unit)) * (7 if unit.startswith("week") else 1))


def whole(tree: Node, *keys: str) -> int | None:
    """A whole number, None when it is not given."""
    found = number(tree, *keys)
    return None if found is None else int(found)


def whole_or(tree: Node, default: int, key: str) -> int:
    """A whole number, the default when it is not given."""
    found = whole(tree, key)
    return default if found is None else found


def mapping(tree: Node, *keys: str) -> Mapping[str, Node]:
    """What stands below a key, by name."""
    node = tree.get(*keys)
    return node.map if node is not None else {}


def items(tree: Node, *keys: str) -> list[Node]:
    """The items of a list, or one value as a list of one."""
    node = tree.get(*keys)
    return node.items if node is not None else []


def texts(tree: Node, *keys: str) -> tuple[str, ...]:
    """The texts of such items."""
    return tuple(node.text for node in items(tree, *keys))


def word(tree: Node, default: _Word, *keys: str) -> _Word:
    """A word of a closed set, the default when it is not given."""
    node = tree.get(*keys)
    return default if node is None else type(default)(node.text)

"""Expressions as values: a tree whose every node has a type. What it means is told by its functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal as Number
from typing import TYPE_CHECKING, TypeAlias

from framework.types import DataType, Scalar

if TYPE_CHECKING:
    from framework.law.functions.function import Function

__all__ = ["NULL", "Call", "Field", "Literal", "Node", "Refused", "Value", "is_null"]

NULL = Scalar("null")
"""The type of NULL where nothing else says one."""
Value: TypeAlias = str | int | Number | float | bool | None


class Refused(ValueError):
    """An expression that has no meaning here: why, what to do, and at which character (from 1)."""

    def __init__(
        self, message: str, hint: str | None = None, at: int | None = None, unknown: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.at, self.unknown = message, hint, at, unknown


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Dates and moments stay texts as the value law reads them."""

    value: Value
    type: DataType
    at: int = 1


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the row, by its name in the feed."""

    name: str
    type: DataType
    at: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator over arguments, each of which already has the type that the function takes."""

    function: Function
    args: tuple[Node, ...]
    type: DataType
    at: int = 1


Node: TypeAlias = Literal | Field | Call
Check: TypeAlias = Callable[[Sequence[Node]], tuple[Sequence[DataType], DataType]]
"""What a function says of its arguments: the types that it takes them as, and its own. Raises Refused."""


def is_null(node: Node) -> bool:
    """Whether it is the word NULL."""
    return node.type == NULL

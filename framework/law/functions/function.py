"""Function: what is known of one function or operator, once for all engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from framework.law.dialects import Dialect
from framework.law.functions.nodes import Check, Node
from framework.types import DataType

__all__ = ["Errors", "Function", "Given", "Say", "function"]


class Errors(StrEnum):
    """What becomes of errors in arguments.

    SPREAD: a NULL argument makes NULL, so an error in one is an error; CASE, AND, OR, COALESCE: as SPREAD for what
    is looked at,
    and the rest is not looked at; ROWS: an error in any row of a batch; ANY: every argument is looked at,
    and the value may be there although
    one is NULL.
    """

    SPREAD = "spread"
    ANY = "any"
    CASE = "case"
    AND = "and"
    OR = "or"
    COALESCE = "coalesce"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Given:
    """What a function is said with: the SQL of its arguments, the arguments themselves, its own type, and where."""

    args: tuple[str, ...]
    nodes: tuple[Node, ...]
    type: DataType
    dialect: Dialect
    zone: str

    def __getitem__(self, index: int) -> str:
        return self.args[index]

    @property
    def result(self) -> str:
        """The SQL of the type."""
        return self.dialect.type(self.type)


Say: TypeAlias = str | Callable[[Given], str]
"""SQL with {0}, {1}, … for the arguments, {args} for all of them, {type} for its own type; or what makes it."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or an operator.

    `form` is how it is written, `what` what it gives, `says` how an engine says it, by the name of its SQL; `fails`
    says that NULL out of arguments that are not NULL is an error,
    or is the SQL of when it is one; `examples` are expressions with the value that every
    engine gives them ('error' for none). An aggregate looks at all rows of a batch.
    """

    name: str
    group: str
    form: str
    what: str
    check: Check
    says: Mapping[str, Say]
    fails: bool | Callable[[Given], str]
    errors: Errors
    aggregate: bool
    aliases: tuple[str, ...]
    examples: Mapping[str, str]


def function(
    name: str,
    form: str,
    what: str,
    check: Check,
    everywhere: Say = "",
    *,
    duckdb: Say = "",
    spark: Say = "",
    fails: bool | Callable[[Given], str] = False,
    errors: Errors = Errors.SPREAD,
    aggregate: bool = False,
    aliases: tuple[str, ...] = (),
    examples: Mapping[str, str],
) -> Function:
    """A function that engines say `everywhere` alike, or each in its own way."""
    says = {"duckdb": duckdb or everywhere, "spark": spark or everywhere}
    return Function(name, "", form, what, check, says, fails, errors, aggregate, aliases, examples)

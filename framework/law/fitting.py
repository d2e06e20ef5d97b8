"""Fitting: whether rows of one type may be written where another one is.

Writers convert without a word: one of them stores 2.7 as 2 and cuts a moment to its day. So what is about to be
written is held against what is there, by the names of types, whoever writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from framework.errors import LandfeedError
from framework.names import Table

__all__ = ["refuse_other_types", "type_differs"]


def type_differs(table: Table, column: str, there: str, wanted: str, *, widens: bool) -> LandfeedError:
    """What is said of a column whose type in the table is not that of the feed, which may be a wider one."""
    hint = "give the column the table's type, or load into another table"
    if widens:
        hint = "say schema_contract.type_changes: widen, and the table gets the wider type; or " + hint
    return LandfeedError(f"column {column} of {table} is {there} and the feed says {wanted}", hint, code="schema")


def refuse_other_types(
    table: Table, columns: Iterable[str], staged: Iterable[tuple[str, str]], there: Iterable[tuple[str, str]]
) -> None:
    """Raises LandfeedError when one of these columns is staged with another type (as in `framework.types`) than the
    table has. Names of columns ignore case; what is not staged, or not in the table, is no matter of types."""
    wanted = {name.lower() for name in columns}
    types = {name.lower(): type_ for name, type_ in there}
    for name, type_ in staged:
        found = types.get(name.lower())
        if name.lower() in wanted and found is not None and found != type_:
            raise LandfeedError(
                f"column {name} of {table} is {found}, and the staged rows have {type_}: nothing was written",
                "another program has changed the table: run again; if it stays so, give the column the table's type",
                code="schema",
            )

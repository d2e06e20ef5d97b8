"""References: columns whose values are to be among those of a column of another table.

What that means is said here: NULL refers to nothing, every row of the other table counts, and values are compared as
values of one type. Engines only say where the values are to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.errors import LandfeedError
from framework.feed import Check, Feed, Reference
from framework.law.dialects import Words
from framework.types import INTEGERS

__all__ = ["allowed", "holds", "references", "refuse_unknown"]

Columns = tuple[tuple[str, str], ...]
"""A table's columns: name, type."""


def references(feed: Feed) -> Iterator[tuple[Check, Reference]]:
    """The checks that look into other tables, each with where it looks."""
    return ((check, check.exists_in) for check in feed.checks if check.exists_in is not None)


def allowed(reference: Reference, table: str, dialect: Words) -> str:
    """A query of the values that a reference allows, as `value`; `table` is SQL."""
    name = dialect.name(reference.among)
    return f"SELECT {name} AS value FROM {table} WHERE {name} IS NOT NULL"


def holds(value: str, relation: str) -> str:
    """SQL: whether a value may stand; `relation` has the allowed ones, as `value`."""
    return f"({value} IS NULL OR {value} IN (SELECT value FROM {relation}))"


def refuse_unknown(feed: Feed, there: Mapping[str, Columns]) -> None:
    """Raises LandfeedError when a reference of the feed leads nowhere; `there` are the columns of the tables, by the
    names of those that exist."""
    types = {column.name: column.type for column in feed.columns}
    for check, reference in references(feed):
        table, key = reference.table, f"schema.{reference.column}.exists_in"
        columns = there.get(table.name)
        if columns is None:
            message = f"the check {check.name} needs the table {table}, which is not there"
            raise _refused(feed, message, f"load that table first, or correct {key}")
        found = dict(columns).get(reference.among)
        if found is None:
            message = f"the check {check.name} needs the column {reference.among}, and {table} has none"
            listed = ", ".join(name for name, _ in columns[:_LISTED])
            raise _refused(feed, message, f"it has: {listed}; correct {key}")
        if not _comparable(own := str(types[reference.column]), found):
            message = f"the check {check.name} compares {own} with {reference.among} of {table}, which is {found}"
            raise _refused(feed, message, f"give the column {reference.column} the type {found}")


_LISTED = 15


def _comparable(one: str, other: str) -> bool:
    return one == other or {one, other} <= INTEGERS.keys()


def _refused(feed: Feed, message: str, hint: str) -> LandfeedError:
    return LandfeedError(f"feed {feed.name}: {message}", hint, code="reference")

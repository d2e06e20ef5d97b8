"""SCD type 1: which of a key's rows counts, and what a source row does to the target. Pure SQL builders.

`s` is the staged source and `t` the target in every expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from framework.feed import Feed, NullKeys
from framework.law.dialects import Dialect, Words
from framework.names import AUDIT_COLUMNS

__all__ = [
    "Outcome",
    "compared_columns",
    "is_older",
    "is_update",
    "key_match",
    "outcome",
    "survivor_order",
    "written_columns",
]


class Outcome(StrEnum):
    """What merging one staged row does."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"


def written_columns(feed: Feed) -> tuple[str, ...]:
    """The target columns that a merge writes, in table order."""
    audit: Sequence[str] = AUDIT_COLUMNS if feed.target.audit_columns else ()
    return (*(column.name for column in feed.target_columns), *audit)


def compared_columns(feed: Feed) -> tuple[str, ...]:
    """The columns in which a source row can differ from its target row: neither keys nor audit columns."""
    return tuple(column.name for column in feed.target_columns if column.name not in feed.target.keys)


def key_match(feed: Feed, words: Words) -> str:
    """The join condition between source and target."""
    equal = words.identical if feed.target.null_keys is NullKeys.MATCH else words.same
    return " AND ".join(f"({equal(words.column('t', key), words.column('s', key))})" for key in feed.target.keys)


def is_older(feed: Feed, dialect: Dialect) -> str:
    """True when the source row is older than the target row; a target without a sequence is older than any."""
    columns = [dialect.name(column) for column in feed.target.sequence_by]
    tests = []
    for index, column in enumerate(columns):
        same = [f"s.{before} = t.{before}" for before in columns[:index]]
        tests.append(" AND ".join([*same, f"s.{column} < t.{column}"]))
    return " OR ".join(f"({test})" for test in tests)


def outcome(feed: Feed, present: str, dialect: Dialect) -> str:
    """SQL for the Outcome of a source row left-joined to the target; `present` is NULL for no match."""
    differs = _differs(feed, dialect)
    cases = [f"WHEN {present} IS NULL THEN '{Outcome.INSERTED}'"]
    if feed.target.sequence_by:
        cases.append(f"WHEN {is_older(feed, dialect)} THEN '{Outcome.STALE}'")
    if differs:
        cases.append(f"WHEN {' OR '.join(differs)} THEN '{Outcome.UPDATED}'")
    return f"CASE {' '.join(cases)} ELSE '{Outcome.UNCHANGED}' END"


def is_update(feed: Feed, dialect: Dialect) -> str:
    """SQL condition for a source row to change the target row that it matches."""
    differs = f"({' OR '.join(_differs(feed, dialect)) or 'false'})"
    return f"NOT coalesce({is_older(feed, dialect)}, false) AND {differs}" if feed.target.sequence_by else differs


def _differs(feed: Feed, dialect: Dialect) -> list[str]:
    compared = compared_columns(feed)
    types = {column.name: column.type for column in feed.target_columns}
    return [dialect.differs(dialect.column("s", name), dialect.column("t", name), types[name]) for name in compared]


def survivor_order(feed: Feed, position: Sequence[str], dialect: Dialect) -> str:
    """ORDER BY terms that put the row of a key that counts first: the highest sequence, then the last
    file, then the last row; `position` is the SQL of file and row numbers."""
    by_sequence = [f"{dialect.name(column)} DESC NULLS LAST" for column in feed.target.sequence_by]
    return ", ".join([*by_sequence, *(f"{term} DESC" for term in position)])

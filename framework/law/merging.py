"""A Change in an engine's SQL. `s` is the staged row and `t` its partner in the target, in every expression."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from framework.law.change import (
    Change,
    Delete,
    Differs,
    Insert,
    Is,
    Marked,
    Match,
    Missing,
    NoPartner,
    Nothing,
    Older,
    Outdated,
    Repeated,
    Swept,
    Test,
    Update,
)
from framework.law.dialects import Dialect, Words
from framework.law.survivors import OneRow, Pick
from framework.names import AUDIT_COLUMNS, CHANGE, DELETED_AT

__all__ = [
    "AT",
    "CASE",
    "FLOOR",
    "PRESENT",
    "Clause",
    "case_of",
    "classify",
    "clauses",
    "counts_by_case",
    "merge_statement",
    "partners",
    "several_partners",
    "survivor_order",
    "writing",
]

CASE = "_case"
"""The column that tells a row's case, by its position in `Change.cases`."""
PRESENT = "_present"
"""A column of the target's rows that is true."""
AT, FLOOR = "_lf_at", "_lf_floor"
"""Columns of staged rows: their sequence as one value, and that of the newest of what is remembered."""
_, _BATCH, _ = AUDIT_COLUMNS


# Which rows take part, and which meet


def survivor_order(survivor: OneRow, position: Sequence[str], words: Words) -> str:
    """ORDER BY terms that put the row of a key that counts first; `position` is the SQL of file and row numbers."""
    direction = "ASC" if survivor.pick is Pick.FIRST else "DESC"
    by_sequence = [f"{words.name(column)} {direction} NULLS LAST" for column in survivor.sequence]
    return ", ".join([*by_sequence, *(f"{term} {direction}" for term in position)])


def partners(match: Match, words: Words) -> str:
    """The join condition between source and target."""
    equal = words.identical if match.nulls_match else words.same
    return " AND ".join(f"({equal(words.column('t', key), words.column('s', key))})" for key in match.keys)


# Which case a row is


def _holds(test: Test, change: Change, words: Words) -> str:
    """SQL for a test; what is NULL does not hold."""
    match test:
        case NoPartner():
            return f"t.{PRESENT} IS NULL"
        case Older(sequence):
            return _is_older(sequence, change, words)
        case Differs(columns):
            pairs = ((words.column("s", each.name), words.column("t", each.name), each.type) for each in columns)
            return " OR ".join(words.differs(*pair) for pair in pairs)
        case Is(kind):
            return f"s.{CHANGE} = {words.text(kind)}"
        case Outdated():
            return f"s.{AT} < s.{FLOOR}"
        case Repeated():
            return f"s.{AT} = {f't.{DELETED_AT}' if change.mark else f's.{FLOOR}'}"
        case Marked():
            return f"t.{DELETED_AT} IS NOT NULL"
        case Missing() | Swept():
            raise ValueError("no staged row is missing")
        case _:
            assert_never(test)


def _is_older(columns: Sequence[str], change: Change, words: Words) -> str:
    """Whether the staged row is older. A partner that is marked is as old as the delete that marked it."""
    mine = [words.column("s", column) for column in columns]
    theirs = [words.column("t", column) for column in columns]
    if change.mark is not None:
        at = [f"t.{DELETED_AT}"] if len(columns) == 1 else [f"t.{DELETED_AT}.{words.name(each)}" for each in columns]
        theirs = [
            f"CASE WHEN t.{DELETED_AT} IS NULL THEN {row} ELSE {at} END" for row, at in zip(theirs, at, strict=True)
        ]
    tests = []
    for index, (left, right) in enumerate(zip(mine, theirs, strict=True)):
        same = [f"{mine[before]} = {theirs[before]}" for before in range(index)]
        tests.append(" AND ".join([*same, f"{left} < {right}"]))
    return " OR ".join(f"({test})" for test in tests)


def _all_hold(tests: Iterable[Test], change: Change, words: Words) -> str:
    found = [_holds(test, change, words) for test in tests]
    return found[0] if len(found) == 1 else " AND ".join(f"({test})" for test in found)


def case_of(change: Change, words: Words) -> str:
    """SQL of the case of a staged row, by its position."""
    staged = [index for index, case in enumerate(change.cases) if case.outcome is not None]
    whens = [f"WHEN {_all_hold(change.cases[index].when, change, words)} THEN {index}" for index in staged[:-1]]
    return f"CASE {' '.join(whens)} ELSE {staged[-1]} END"


def classify(
    change: Change, source: str, target: str, columns: Sequence[str], words: Words, beside: Sequence[str] = ()
) -> str:
    """A query of columns of every staged row and its case, in the column `CASE`, for a plain change; `beside` is more
    SQL to select."""
    listed = [*(words.column("s", column) for column in columns), *beside]
    if change.match is None:
        return f"SELECT {', '.join([*listed, f'0 AS {CASE}'])} FROM {source} AS s"
    return (
        f"SELECT {', '.join([*listed, f'{case_of(change, words)} AS {CASE}'])} FROM {source} AS s "
        f"LEFT JOIN (SELECT *, true AS {PRESENT} FROM {target}) AS t ON {partners(change.match, words)}"
    )


def counts_by_case(relation: str) -> str:
    """A query of cases and the number of rows in each, of a relation with cases."""
    return f"SELECT {CASE}, count(*) FROM {relation} GROUP BY {CASE}"


def several_partners(match: Match, source: str, target: str, dialect: Dialect) -> str:
    """A query of the first key that several rows of the target have, and a row of the source, which has each key
    once: the key's values as texts, and how many rows. No row where there is none."""
    keys = [dialect.column("t", key) for key in match.keys]
    listed = ", ".join(keys)
    return (
        f"SELECT {', '.join(map(dialect.as_text, keys))}, count(*) FROM {source} AS s JOIN {target} AS t "
        f"ON {partners(match, dialect)} GROUP BY {listed} HAVING count(*) > 1 ORDER BY {listed} LIMIT 1"
    )


def writing(change: Change) -> str:
    """The condition for a row with a case to write something."""
    return f"{CASE} IN ({', '.join(map(str, change.writing))})"


# What is written


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a MERGE: for rows with or without a partner, under a condition (SQL, None for all)."""

    without_partner: bool
    condition: str | None
    write: Insert | Update | Delete


def clauses(change: Change, words: Words, *, classified: bool) -> list[Clause]:
    """The clauses of a MERGE that does what the cases say. The source has the column `CASE` when it is `classified`;
    otherwise each condition tells for itself what the cases before it leave."""
    found = []
    for index, case in enumerate(change.cases):
        if isinstance(case.write, Nothing):
            continue
        condition = f"s.{CASE} = {index}" if classified else _condition(change, index, words)
        found.append(Clause(isinstance(case.write, Insert), condition, case.write))
    return found


def _condition(change: Change, index: int, words: Words) -> str | None:
    case = change.cases[index]
    before = [each.when for each in change.cases[:index] if each.without_partner is case.without_partner]
    terms = [f"NOT coalesce({_all_hold(_asked(when), change, words)}, false)" for when in before]
    own = _asked(case.when)
    return " AND ".join([*terms, *([f"({_all_hold(own, change, words)})"] if own else [])]) or None


def _asked(when: Sequence[Test]) -> list[Test]:
    """What is left to ask when it is known whether there is a partner."""
    return [test for test in when if not isinstance(test, NoPartner)]


def merge_statement(
    change: Change, target: str, source: str, batch_id: str, words: Words, *, classified: bool, of: str = _BATCH
) -> str:
    """The MERGE of a query. Every clause is about rows of the batch, and names it (the column `of`): by that a MERGE
    is found in the table's history, whatever it writes."""
    if change.match is None:
        raise ValueError("a change without a match appends")
    of_batch = f"{words.column('s', of)} = {words.text(batch_id)}"
    said = [f"MERGE INTO {target} t USING ({source}) s ON {partners(change.match, words)}"]
    # Spark takes clauses for rows with a partner before the others; no row has to do with both.
    for clause in sorted(clauses(change, words, classified=classified), key=lambda clause: clause.without_partner):
        matched = "NOT MATCHED" if clause.without_partner else "MATCHED"
        condition = " AND ".join(filter(None, [of_batch, clause.condition]))
        said.append(f"WHEN {matched} AND {condition} THEN {_written(clause.write, words)}")
    return " ".join(said)


def _written(write: Insert | Update | Delete, words: Words) -> str:
    match write:
        case Insert(columns):
            return f"INSERT ({words.names(columns)}) VALUES ({', '.join(words.column('s', each) for each in columns)})"
        case Update(columns):
            pairs = ((words.column("t", each), words.column("s", each)) for each in columns)
            return f"UPDATE SET {', '.join(f'{left} = {right}' for left, right in pairs)}"
        case Delete():
            return "DELETE"
        case _:
            assert_never(write)

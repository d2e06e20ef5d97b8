"""What the counts of a change's cases mean, and whether what was written is what they imply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from framework.errors import LandfeedError
from framework.law.change import Change, Delete, Insert, Match, Nothing, Outcome, Update
from framework.names import Rows

__all__ = [
    "Counts",
    "Written",
    "check_written",
    "counted",
    "counts_from_writes",
    "expected_writes",
    "key_twice",
    "too_many",
]

Counts: TypeAlias = Mapping[int, int]
"""How many rows fall under the case at each position of `Change.cases`; none where it is left out."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows of the target a writer says that it inserted, updated and deleted."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def expected_writes(change: Change, counts: Counts) -> Written:
    """What a writer has to write when so many rows fall under each case."""
    inserted = updated = deleted = 0
    for index, case in enumerate(change.cases):
        rows = counts.get(index, 0)
        match case.write:
            case Insert():
                inserted += rows
            case Update():
                updated += rows
            case Delete():
                deleted += rows
            case Nothing():
                pass
            case _:
                assert_never(case.write)
    return Written(inserted, updated, deleted)


def key_twice(table: object, match: Match, found: Sequence[object]) -> LandfeedError:
    """What is said of a key that several rows of the target have: its values, and how many rows."""
    *values, rows = found
    key = ", ".join(f"{name} = {value}" for name, value in zip(match.keys, values, strict=True))
    return LandfeedError(
        f"{table} has {rows} rows with the key {key}, and this batch has a row for it: which one is it about?",
        "remove all rows of such keys but one, then run again; the files stay in landing until then",
        code="key_twice",
    )


def too_many(change: Change, counts: Counts, staged: Rows) -> bool:
    """Whether there are more cases of staged rows than staged rows, as where a key is in the target twice."""
    of_staged = (number for index, number in counts.items() if change.cases[index].outcome is not None)
    return sum(of_staged) > staged.staged


def counted(change: Change, counts: Counts, staged: Rows) -> Rows:
    """A batch's figures with the outcomes of its merge. Raises LandfeedError when not every staged row has one."""
    outcomes = dict.fromkeys(Outcome, 0)
    for index, case in enumerate(change.cases):
        if case.outcome is not None:
            outcomes[case.outcome] += counts.get(index, 0)
    rows = replace(staged, **{outcome.value: number for outcome, number in outcomes.items()})
    if not rows.merge_balances:
        raise LandfeedError(
            f"{staged.staged} rows were staged and their merge does not add up: {rows}",
            "this is a defect in Landfeed: the files stay in landing, please report it",
            code="conservation",
        )
    return rows


def check_written(change: Change, counts: Counts, written: Written, table: object) -> None:
    """Compare what a writer says that it wrote with what the cases of the rows imply."""
    expected = expected_writes(change, counts)
    if written != expected:
        raise LandfeedError(
            f"{written.inserted} rows were inserted, {written.updated} updated and {written.deleted} deleted in "
            f"{table}; {expected.inserted}, {expected.updated} and {expected.deleted} were to be",
            "this is a defect in Landfeed: the files stay in landing, please report it",
            code="conservation",
        )


def counts_from_writes(change: Change, written: Written, staged: int) -> Counts | None:
    """How many rows fall under each case, told by what was written; None where that does not tell.

    It does where each kind of write belongs to one case, and one case at most to the rows that are left."""
    kinds = [type(change.cases[index].write) for index in change.writing]
    if len(kinds) != len(set(kinds)):
        return None
    by_kind = {Insert: written.inserted, Update: written.updated, Delete: written.deleted}
    counts = {index: by_kind[type(change.cases[index].write)] for index in change.writing}
    left = staged - sum(counts.values())
    idle = [index for index in range(len(change.cases)) if index not in counts]
    if left < 0 or (left and len(idle) != 1):
        return None
    return counts | dict.fromkeys(idle[:1], left)

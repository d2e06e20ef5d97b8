"""What merging a batch does to a target, as a value: which rows meet, and what each staged row comes to.

`change_of` makes the value from a feed. Engines carry it out without a rule of their own: they say for every staged
row which of the cases it is (`framework.law.merging`), count the rows of each case, and write what those cases say.
What the counts mean, and whether what was written is what they imply, is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from framework.errors import LandfeedError
from framework.feed import Column, Feed, NullKeys
from framework.names import AUDIT_COLUMNS, Rows

__all__ = [
    "AllRows",
    "Case",
    "Change",
    "Counts",
    "Delete",
    "Differs",
    "Flag",
    "Insert",
    "Match",
    "NoPartner",
    "Nothing",
    "Older",
    "OneRow",
    "Outcome",
    "Pick",
    "Survivor",
    "Test",
    "Update",
    "Write",
    "Written",
    "change_of",
    "check_written",
    "counted",
    "counts_from_writes",
    "expected_writes",
    "keeping",
    "key_twice",
]


class Outcome(StrEnum):
    """What merging one staged row comes to; every staged row counts as exactly one."""

    INSERTED = "inserted"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Match:
    """Which target rows are partners of a staged row: those with the same keys; NULL equals NULL, or nothing."""

    keys: tuple[str, ...]
    nulls_match: bool = False


# Which rows of a batch take part


class Pick(StrEnum):
    """Which row of a key counts: the last or the first by sequence, then by its place in the files."""

    LAST = "last"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class OneRow:
    """One row of each key takes part; a row without a sequence does only where no row of its key has one."""

    keys: tuple[str, ...]
    sequence: tuple[str, ...] = ()
    pick: Pick = Pick.LAST


@dataclass(frozen=True, slots=True)
class AllRows:
    """Every row takes part."""


Survivor: TypeAlias = OneRow | AllRows

# What a staged row is asked


@dataclass(frozen=True, slots=True)
class NoPartner:
    """The row has no partner in the target."""


@dataclass(frozen=True, slots=True)
class Older:
    """The row's sequence is lower than its partner's; a partner without a sequence is older than every row."""

    sequence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differs:
    """The row differs from its partner in one of these columns; NULL differs from every value."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """This boolean column of staging is true."""

    name: str


Test: TypeAlias = NoPartner | Older | Differs | Flag

# What is written for it


@dataclass(frozen=True, slots=True)
class Insert:
    """These columns of the row become a new row."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """The partner takes these columns from the row."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """The partner goes."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """The target stays as it is."""


Write: TypeAlias = Insert | Update | Delete | Nothing


@dataclass(frozen=True, slots=True)
class Case:
    """A row of which all of `when` holds counts as `outcome`, and `write` is done for it."""

    when: tuple[Test, ...]
    outcome: Outcome
    write: Write

    @property
    def without_partner(self) -> bool:
        return NoPartner() in self.when


Counts: TypeAlias = Mapping[int, int]
"""How many rows fall under the case at each position of `Change.cases`; none where it is left out."""


@dataclass(frozen=True, slots=True)
class Change:
    """What merging a batch does: the first case that holds for a row is its case.

    The cases of rows without a partner stand first, and the last of them asks nothing else; the last of the others
    asks nothing. Without a `match` no row has a partner, and there is one case.
    """

    match: Match | None
    survivor: Survivor
    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        alone = [case.when for case in self.cases if case.without_partner]
        others = [case.when for case in self.cases if not case.without_partner]
        if [case.when for case in self.cases] != alone + others or alone[-1:] != [(NoPartner(),)]:
            raise ValueError("the cases of rows without a partner stand first, and the last of them asks nothing else")
        if others[-1:] != [()] if self.match is not None else len(self.cases) != 1:
            raise ValueError("the last case asks nothing; without a match there is only one")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of staging that are written, in the order of the table."""
        written = [case.write.columns for case in self.cases if isinstance(case.write, Insert | Update)]
        return tuple(dict.fromkeys(column for columns in written for column in columns))

    @property
    def writing(self) -> tuple[int, ...]:
        """The positions of the cases in which something is written."""
        return tuple(index for index, case in enumerate(self.cases) if not isinstance(case.write, Nothing))

    @property
    def into_nothing(self) -> int | None:
        """The position of the case of every row, whatever it holds, where no row has a partner, as in an empty
        target; None where that depends on the row."""
        alone = [index for index, case in enumerate(self.cases) if case.without_partner]
        return alone[0] if len(alone) == 1 else None


def change_of(feed: Feed) -> Change:
    """What a merge of this feed's batches does: insert what is new, update what differs, leave what is newer."""
    target = feed.target
    audit = AUDIT_COLUMNS if target.audit_columns else ()
    columns = (*(column.name for column in feed.target_columns), *audit)
    compared = tuple(column for column in feed.target_columns if column.name not in target.keys)
    cases = [Case((NoPartner(),), Outcome.INSERTED, Insert(columns))]
    if target.sequence_by:
        cases.append(Case((Older(target.sequence_by),), Outcome.STALE, Nothing()))
    if compared:
        cases.append(Case((Differs(compared),), Outcome.UPDATED, Update(columns)))
    cases.append(Case((), Outcome.UNCHANGED, Nothing()))
    match = Match(target.keys, target.null_keys is NullKeys.MATCH)
    return Change(match, OneRow(target.keys, target.sequence_by), tuple(cases))


def keeping(change: Change, columns: Collection[str]) -> Change:
    """The change for rows that lack these columns: their partners keep what they have in them, and are not compared
    by them."""
    cases = []
    for case in change.cases:
        when = tuple(
            Differs(tuple(column for column in test.columns if column.name not in columns))
            if isinstance(test, Differs)
            else test
            for test in case.when
        )
        write = case.write
        if isinstance(write, Update):
            write = Update(tuple(column for column in write.columns if column not in columns))
        if Differs(()) not in when:  # what no column tells apart does not differ
            cases.append(replace(case, when=when, write=write))
    return replace(change, cases=tuple(cases))


# What counts mean


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


def counted(change: Change, counts: Counts, staged: Rows) -> Rows:
    """A batch's figures with the outcomes of its merge. Raises LandfeedError when not every staged row has one."""
    outcomes = dict.fromkeys(Outcome, 0)
    for index, case in enumerate(change.cases):
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

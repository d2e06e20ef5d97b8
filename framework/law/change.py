"""What merging a batch does to a target, as a value: which rows meet, and what each staged row comes to.

`framework.law.modes` makes the value from a feed. Engines carry it out without a rule of their own: they say for
every staged row which of the cases it is (`framework.law.merging`, for histories `framework.law.history`), count the
rows of each case, and write what those cases say. What the counts mean is decided in `framework.law.counts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from framework.feed import Column
from framework.law.survivors import Survivor
from framework.types import DataType

__all__ = [
    "Case",
    "Change",
    "Delete",
    "Differs",
    "History",
    "Insert",
    "Is",
    "Kind",
    "Mark",
    "Marked",
    "Match",
    "Memory",
    "Missing",
    "NoPartner",
    "Nothing",
    "Older",
    "Outcome",
    "Outdated",
    "Repeated",
    "Replace",
    "Swept",
    "Test",
    "Update",
    "Write",
]


class Outcome(StrEnum):
    """What merging one staged row comes to; every staged row counts as exactly one."""

    INSERTED = "inserted"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    STALE = "stale"


class Kind(StrEnum):
    """What a staged row does, in the column `CHANGE` of feeds whose rows may delete. A replace is an upsert that
    inherits nothing, because its key was deleted earlier in the batch."""

    UPSERT = "upsert"
    DELETE = "delete"
    TRUNCATE = "truncate"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Match:
    """Which target rows are partners of a staged row: those with the same keys; NULL equals NULL, or nothing."""

    keys: tuple[str, ...]
    nulls_match: bool = False


# What a staged row is asked


@dataclass(frozen=True, slots=True)
class NoPartner:
    """The row has no partner in the target."""


@dataclass(frozen=True, slots=True)
class Older:
    """The row's sequence is lower than its partner's, or than that of the delete that marks it; a partner without a
    sequence is older than every row."""

    sequence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differs:
    """The row differs from its partner in one of these columns; NULL differs from every value."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Is:
    """The row does this."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Outdated:
    """The row is older than what is remembered: a delete of its key, or a truncate."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The row is as old as what is remembered."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The partner is marked as deleted."""


@dataclass(frozen=True, slots=True)
class Missing:
    """No staged row but a row of the target, whose key the batch does not have (and which is not marked yet)."""


@dataclass(frozen=True, slots=True)
class Swept:
    """No staged row but a row of the target, older than the newest truncate, and that no staged row writes."""


Test: TypeAlias = NoPartner | Older | Differs | Is | Outdated | Repeated | Marked | Missing | Swept

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
    """A row of which all of `when` holds counts as `outcome`, and `write` is done for it. What is no staged row
    counts as nothing (None). `remembered` says that the row is kept beside the target."""

    when: tuple[Test, ...]
    outcome: Outcome | None
    write: Write
    remembered: bool = False

    @property
    def without_partner(self) -> bool:
        return NoPartner() in self.when


# What more there may be to a change


@dataclass(frozen=True, slots=True)
class Memory:
    """Later events may need what the target does not show: deletes by key and sequence, and truncates."""

    keys: tuple[str, ...]
    sequence: tuple[str, ...]
    truncates: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Deleted rows stay, marked with the sequence of the delete, with `at` (the moment that a snapshot is of, as
    written), or else with the time of the load."""

    sequence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Rows are versions. Those of a key follow from its events in the order of `sequence`; equal `tracked` columns
    make one version of events that follow each other. `values` are the columns but keys, START_AT and END_AT."""

    keys: tuple[str, ...]
    sequence: tuple[str, ...]
    tracked: tuple[Column, ...]
    values: tuple[Column, ...]
    audit: tuple[str, ...] = ()
    deletes: bool = False


@dataclass(frozen=True, slots=True)
class Replace:
    """The batch takes the place of the target's rows: all of them, or those with its values in `columns`."""

    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What merging a batch does: the first case that holds for a row is its case.

    The cases of rows without a partner stand first, and the last of them asks nothing else; the last of the others
    asks nothing; then come those of rows that are not staged. Without a `match` no row has a partner, and there is
    one case. The cases of a history are told by `framework.law.history`. `inherits` are columns in which a NULL
    takes the partner's value, `at` is the sequence of a snapshot: its type, and the value as written.
    """

    match: Match | None
    survivor: Survivor
    cases: tuple[Case, ...]
    inherits: tuple[str, ...] = ()
    memory: Memory | None = None
    mark: Mark | None = None
    history: History | None = None
    replace: Replace | None = None
    at: tuple[DataType, str] | None = None

    def __post_init__(self) -> None:
        if self.history is not None:
            return
        staged = [case for case in self.cases if case.outcome is not None]
        alone = [case.when for case in staged if case.without_partner]
        others = [case.when for case in staged if not case.without_partner]
        if [case.when for case in staged] != alone + others or alone[-1:] != [(NoPartner(),)]:
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
    def remembering(self) -> tuple[int, ...]:
        """The positions of the cases whose rows are kept beside the target."""
        return tuple(index for index, case in enumerate(self.cases) if case.remembered)

    @property
    def plain(self) -> bool:
        """Whether a row and its partner tell everything: there is no memory, no mark, and no row that is not staged."""
        more = (self.memory, self.mark, self.history, self.replace, self.at)
        return not self.inherits and all(each is None for each in more)

    @property
    def into_nothing(self) -> int | None:
        """The position of the case of every row, whatever it holds, where no row has a partner, as in an empty
        target; None where that depends on the row."""
        alone = [index for index, case in enumerate(self.cases) if case.without_partner]
        told = self.memory is None and self.mark is None and self.history is None
        return alone[0] if len(alone) == 1 and told else None

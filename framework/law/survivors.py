"""Which rows of a batch take part in its merge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = ["AllRows", "Fold", "OneRow", "Pick", "Survivor"]


class Pick(StrEnum):
    """Which row of a key counts: the last or the first by sequence, then by its place in the files."""

    LAST = "last"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class OneRow:
    """One row of each key takes part; a row without a sequence does only where no row of its key has one. With
    `truncates` the rows that truncate are as of one key, whatever theirs."""

    keys: tuple[str, ...]
    sequence: tuple[str, ...] = ()
    pick: Pick = Pick.LAST
    truncates: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """One row of each key takes part, the last, with the last value that is not NULL in each of `columns`. Nothing
    older than a delete is inherited."""

    keys: tuple[str, ...]
    sequence: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllRows:
    """Every row takes part."""


Survivor: TypeAlias = OneRow | Fold | AllRows

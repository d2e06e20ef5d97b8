"""Which columns identify a row, and which one tells the newer of two: by what is unique and never NULL in the samples,
and of several by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

from framework.infer.columns import Column
from framework.infer.names import about_keys, about_sequence
from framework.types import Scalar

__all__ = ["Keys", "Unique", "candidates", "choose_keys", "choose_sequence"]

_SINGLES = 64
_TOGETHER = 8
"""Columns that are tried in twos and threes."""
_LIKELY = 3
"""The rank of columns that are named as other keys."""
_NO_KEYS = {Scalar("double"), Scalar("float")}
_UNLIKELY = {Scalar("date"), Scalar("timestamp"), Scalar("boolean")}
_MOMENTS = {Scalar("date"), Scalar("timestamp"), Scalar("timestamp_ntz")}


@dataclass(slots=True)
class Unique:
    """Which combinations of columns, by index, have no values twice: in any sample, and in all of them together."""

    combinations: Sequence[tuple[int, ...]]
    _here: dict[tuple[int, ...], set[int]] = field(default_factory=dict)
    _everywhere: dict[tuple[int, ...], set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._here = {each: set() for each in self.combinations}
        self._everywhere = {each: set() for each in self.combinations}

    def begin(self) -> None:
        """The next sample begins."""
        for seen in self._here.values():
            seen.clear()

    def take(self, values: Sequence[Any]) -> None:
        """A row's values, by column."""
        for seen in (self._here, self._everywhere):
            for each in list(seen):
                value = hash(tuple(values[index] for index in each))
                if value in seen[each]:
                    del seen[each]
                else:
                    seen[each].add(value)

    @property
    def found(self) -> Iterator[tuple[tuple[int, ...], bool]]:
        """The combinations that are unique in each sample, and whether they are in all together."""
        return ((each, each in self._everywhere) for each in self._here)


def candidates(columns: Sequence[Column], samples: int, size: int) -> list[tuple[int, ...]]:
    """Combinations of so many columns that may be keys: each has a value in every row of every sample."""
    able = [
        index
        for index, column in enumerate(columns)
        if not column.has_nulls and len(column.files) == samples and column.values.count == column.rows
        and not _no_key(column)
    ]  # fmt: skip
    able.sort(key=lambda index: (_rank(columns[index]), index))
    return list(combinations(sorted(able[: _SINGLES if size == 1 else _TOGETHER]), size))


def _no_key(column: Column) -> bool:
    """Whether values of its type identify nothing."""
    return column.is_nested or column.type()[0] in _NO_KEYS


def _rank(column: Column) -> int:
    """Lower for what is more likely to be a key."""
    type_, _ = column.type()
    likely = 2 if type_ == Scalar("bigint") else 3 if type_ == Scalar("string") else 5 if type_ in _UNLIKELY else 4
    return likely - 4 * about_keys(column.name)


@dataclass(frozen=True, slots=True)
class Keys:
    """Indexes of the key columns, none where nothing is unique; `also` are others that would do."""

    columns: tuple[int, ...]
    also: tuple[tuple[int, ...], ...] = ()


def choose_keys(columns: Sequence[Column], found: Iterable[tuple[tuple[int, ...], bool]]) -> Keys | None:
    """The likeliest of the combinations that are unique; None when there is none."""
    ranked = sorted(
        found, key=lambda each: (sum(_rank(columns[index]) for index in each[0]), not each[1], each[0])
    )  # fmt: skip
    if not ranked:
        return None
    likely = (each for each, _ in ranked[1:] if all(_rank(columns[index]) <= _LIKELY for index in each))
    return Keys(ranked[0][0], tuple(islice(likely, 3)))


def choose_sequence(columns: Sequence[Column], samples: int, keys: Sequence[int]) -> int | None:
    """The column that tells the newer of two rows, by its type and name; None when none is called so."""
    able = [
        (index, column)
        for index, column in enumerate(columns)
        if index not in keys and not column.has_nulls and len(column.files) == samples
        and column.values.count == column.rows and not column.is_nested
    ]  # fmt: skip
    for moment, types in ((True, _MOMENTS), (False, {Scalar("bigint")})):
        named = [i for i, c in able if c.type()[0] in types and about_sequence(c.name, moment=moment)]
        if named:
            return min(named, key=lambda index: ("updat" not in columns[index].name.lower(), index))
    return None

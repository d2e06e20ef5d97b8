"""Samples to a feed file: every row is read to learn the columns, and once more to be sure of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from framework.errors import LandfeedError
from framework.feed import Format
from framework.infer.columns import Column
from framework.infer.keys import Keys, Unique, candidates, choose_keys, choose_sequence
from framework.infer.names import feed_name, file_pattern
from framework.infer.reading import Reading, read_how, rows
from framework.infer.sample import Sample, taken_apart
from framework.infer.written import Findings, written
from framework.law.layout import same_name
from framework.law.naming import column_name
from framework.law.values import parse, plain_number
from framework.names import Limits
from framework.opening import BROKEN_FILE, unreadable
from framework.types import Scalar

__all__ = ["Inferred", "infer"]

_BLANKS = " \t\r\n"
_STRING = Scalar("string")


@dataclass(frozen=True, slots=True)
class Inferred:
    """A feed's name, its file as text, and sentences about what cannot be loaded of the samples."""

    name: str
    text: str
    notes: tuple[str, ...]


def infer(
    samples: Sequence[Sample],
    *,
    name: str | None = None,
    path: str | None = None,
    schema: str | None = None,
    header: bool | None = None,
) -> Inferred:
    """A feed for the samples, and for files like them. `path` is its source.path, `schema` the JSON Schema's path from
    the feed file, `header` whether CSV files have one (None: it is told by looking). Raises LandfeedError for samples
    that no feed can be made of."""
    try:
        return _inferred(samples, name or feed_name(samples[0].name), path, schema, header)
    except BROKEN_FILE as error:
        raise LandfeedError(f"a file cannot be read: {unreadable(error)}", "give whole files", code="infer") from error


def _inferred(
    samples: Sequence[Sample], name: str, path: str | None, schema: str | None, header: bool | None
) -> Inferred:
    named = [sample.name for sample in samples]
    samples, members = taken_apart(samples)
    reading = replace(read_how(samples, header=header), members=members)
    learnt = _Learnt(reading)
    for number, sample in enumerate(samples):
        learnt.take(number, sample)
    columns = learnt.columns
    if not columns:
        what = "every name stands in the header more than once" if learnt.left_out else "the files have no columns"
        raise LandfeedError(what, "give files with a header, or with rows and --no-header", code="infer")
    most = Limits().columns
    if len(columns) > most:
        raise LandfeedError(f"the files have {len(columns)} columns", f"a file may have {most}", code="infer")
    keys = learnt.keys(samples)
    findings = Findings(
        name=name,
        path=path or f"${{landing}}/{name}/",
        reading=reading,
        columns=tuple(columns),
        keys=keys,
        sequence=choose_sequence(columns, len(samples), keys.columns) if keys.columns else None,
        null_words=tuple(sorted(learnt.null_words)),
        files=file_pattern(named),
        left_out=tuple(learnt.left_out),
        schema=schema,
    )
    broken = [f"{file}: {count} record(s) are broken and would be quarantined" for file, count in reading.broken]
    return Inferred(name, written(findings), tuple(broken))


class _Learnt:
    """The columns of the samples so far."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._taken = reading, set[str]()
        self._by_name: dict[str, Column] = {}
        self._of_sample: dict[int, list[Column | None]] = {}
        self.left_out: dict[str, None] = {}

    @property
    def columns(self) -> list[Column]:
        return [column for key, column in self._by_name.items() if key not in self.left_out]

    @property
    def null_words(self) -> set[str]:
        """Words that stand for NULL in columns whose type does not take them."""
        typed = (column for column in self.columns if column.type()[0] != _STRING)
        return {word for column in typed for word in column.values.words}

    def take(self, number: int, sample: Sample) -> None:
        """Learn from a sample."""
        names, found = rows(sample, number, self._reading)
        columns: list[Column | None] | None = self._named(names, number) if names else None
        for row in found:
            if columns is None:
                columns = self._named([f"c{index}" for index in range(1, len(row.texts) + 1)], number)
            for column, text, value in zip(columns, row.texts, row.values or (None,) * len(row.texts), strict=True):
                if column is not None:
                    column.take(text, value)
        self._of_sample[number] = columns or []

    def _named(self, names: Sequence[str], number: int) -> list[Column | None]:
        """The columns of these headers; None for one without a name. Names that stand there twice are left out."""
        keys = [same_name(name) for name in names]
        self.left_out |= dict.fromkeys(key for key in keys if key and keys.count(key) > 1)
        columns: list[Column | None] = []
        for key, name in zip(keys, names, strict=True):
            if key and key not in self._by_name:
                as_text, plainly = self._reading.format is Format.XML, not self._reading.has_numbers
                self._by_name[key] = Column(column_name(name, self._taken), name, as_text, plainly)
            columns.append(self._by_name.get(key))
            if key:
                self._by_name[key].files.add(number)
        return columns

    def keys(self, samples: Sequence[Sample]) -> Keys:
        """Read the samples again: columns whose type does not take every value become text, and what is unique is a
        key. Without columns where nothing is."""
        columns = self.columns
        found: Keys | None = None
        for size in (1, 2, 3):
            unique = Unique(candidates(columns, len(samples), size))
            if size > 1 and not unique.combinations:
                break
            self._check(samples, columns, unique)
            found = choose_keys(columns, unique.found)
            if found is not None:
                return found
        return Keys(())

    def _check(self, samples: Sequence[Sample], columns: Sequence[Column], unique: Unique) -> None:
        for number, sample in enumerate(samples):
            fields = {id(column): index for index, column in enumerate(self._of_sample[number]) if column is not None}
            at = [fields.get(id(column)) for column in columns]
            unique.begin()
            for row in rows(sample, number, self._reading)[1]:
                own = zip(columns, at, strict=True)
                unique.take([_value(column, row.texts[i]) if i is not None else None for column, i in own])


def _value(column: Column, text: str | None) -> Any:
    """A value by the law; where its type does not take it, the column becomes text."""
    if text is None:
        return None
    type_, formats = column.type()
    bare = text.strip(_BLANKS)
    if type_ == _STRING:
        return text
    if not bare or bare in column.values.words:
        return None
    plain = text if column.numbers is None else plain_number(text, column.numbers)
    try:
        value = parse(plain or "", type_, formats=formats)
    except ValueError:
        column.forced = True
        return text
    return None if isinstance(value, list | dict) else value

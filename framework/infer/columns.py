"""A column's type, from all its values: one that the law parses each of them as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from framework.infer.moments import Moments
from framework.infer.names import about_time
from framework.infer.nested import Nested
from framework.law.values import parse
from framework.types import DataType, Decimal, Scalar

__all__ = ["NULL_WORDS", "Column", "Values"]

NULL_WORDS = ("NULL", "null", "N/A", "n/a", "#N/A", "NA", r"\N", "None", "none", "-", "NaT")
"""Words that stand for no value in columns of numbers and dates."""
STRING = Scalar("string")
_REMEMBERED = 4096
_SCALE = 2
"""Digits behind the point that decimals have at least, where there is room."""
_BLANKS = " \t\r\n"
_PLAIN = re.compile(r"[+-]?(?:0*)([0-9]*)(?:\.([0-9]*))?")
_COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]+),[0-9]+")
_WORDS = {"true": True, "false": False, "yes": True, "no": False, "y": True, "n": False, "t": True, "f": False}
_EPOCHS = {10: "epoch_seconds", 13: "epoch_millis", 16: "epoch_micros", 19: "epoch_nanos"}


@dataclass(slots=True)
class Values:
    """What the plain values so far have in common."""

    count: int = 0
    nulls: int = 0
    words: set[str] = field(default_factory=set)
    leading_zeros: bool = False
    numbers: bool = True
    quoted: bool = False
    exact: bool = True
    left: int = 0
    scale: int = 0
    truths: set[str] | None = field(default_factory=set)
    lengths: set[int] = field(default_factory=set)
    commas: bool = True
    moments: Moments = field(default_factory=Moments)
    nested: bool = False
    _known: set[str] = field(default_factory=set)

    def take(self, text: str | None, *, quoted: bool = False) -> None:
        """A further value; `quoted` says that it stands for text in its file."""
        bare = (text or "").strip(_BLANKS)
        if not bare:
            self.nulls += 1
        elif bare in NULL_WORDS and not self.nested:
            self.words.add(bare)
        else:
            self.count += 1
            self.quoted = self.quoted or quoted
            if bare not in self._known:
                if len(self._known) < _REMEMBERED:
                    self._known.add(bare)
                self._learn(bare)

    def _learn(self, text: str) -> None:
        self.moments.take(text)
        if self.truths is not None:
            self.truths = self.truths | {text.lower()} if text.lower() in _WORDS else None
        self.commas = self.commas and bool(_COMMA.fullmatch(text))
        if self.numbers:
            self._number(text)

    def _number(self, text: str) -> None:
        plain = _PLAIN.fullmatch(text)
        if not _fits(text, Scalar("double")):
            self.numbers = False
        elif plain is None:
            self.exact = False
        else:
            self.leading_zeros = self.leading_zeros or bool(re.match(r"\+|-?0[0-9]", text))
            self.left, self.scale = max(self.left, len(plain[1])), max(self.scale, len(plain[2] or ""))
            self.lengths.add(len(text))

    def type(self) -> tuple[DataType, tuple[str, ...]]:
        """The type and its date patterns."""
        if not self.count:
            return STRING, ()
        if self.truths and not self.quoted and (len(self.truths) > 1 or min(map(len, self.truths)) > 1):
            return Scalar("boolean"), ()
        if self.numbers and not self.leading_zeros and not self.quoted:
            return self._number_type(), ()
        found = self.moments.found() if not self.leading_zeros and not (self.numbers and not self.quoted) else None
        return (Scalar(found[0]), found[1]) if found else (STRING, ())

    def _number_type(self) -> DataType:
        if not self.exact or self.left + self.scale > 38:
            return Scalar("double") if not self.exact else STRING
        if not self.scale and self.left <= 18:
            return Scalar("bigint")
        scale = max(self.scale, min(_SCALE, 38 - self.left))
        return Decimal(18 if self.left + scale <= 18 else 38, scale)

    def plain_type(self) -> DataType:
        """The type where no patterns can be given: inside JSON values."""
        type_, formats = self.type()
        return STRING if formats else type_

    @property
    def epoch(self) -> str | None:
        """The word for numbers that count from 1970, where they are long enough for it."""
        length = next(iter(self.lengths)) if len(self.lengths) == 1 else 0
        return _EPOCHS.get(length) if self.numbers and not self.scale else None


def _fits(text: str, type_: DataType) -> bool:
    try:
        parse(text, type_)
    except ValueError:
        return False
    return True


def _nested_values() -> Values:
    return Values(nested=True)


@dataclass(slots=True)
class Column:
    """A column of the samples. `files` are the samples that have it; `forced` says that only text takes all values."""

    name: str
    header: str
    files: set[int] = field(default_factory=set)
    values: Values = field(default_factory=Values)
    json: Nested = field(default_factory=lambda: Nested(_nested_values))
    rows: int = 0
    forced: bool = False

    def take(self, text: str | None, value: Any) -> None:
        """A further value; `value` is that of a JSON document, None in other formats."""
        self.rows += 1
        if isinstance(value, list | dict):
            self.json.take(value, str)
        else:
            self.values.take(text, quoted=type(value) is str)

    @property
    def is_nested(self) -> bool:
        return self.json.element is not None or bool(self.json.objects)

    def type(self) -> tuple[DataType, tuple[str, ...]]:
        """The type and its date patterns."""
        if self.forced:
            return STRING, ()
        if self.is_nested:
            return (STRING if self.values.count or self.values.words else self.json.type()), ()
        return self._in_digits() or self.values.type()

    def _in_digits(self) -> tuple[DataType, tuple[str, ...]] | None:
        """Days and moments as in 20260131: digits that can be read so, under a name that says that they may be; None
        for all other values."""
        alone = self.values.moments.alone or []
        if not alone or not self.values.numbers or self.values.leading_zeros:
            return None
        if not about_time(self.name):
            return (STRING, ()) if self.values.quoted else None
        return Scalar(alone[0].type), (alone[0].format or "",)

    @property
    def has_nulls(self) -> bool:
        """Whether some row has no value, or one that may be taken for none."""
        return bool(self.values.nulls or self.values.words)

    def doubts(self) -> Iterator[str]:
        """What its values do not tell."""
        type_, formats = self.type()
        plain = type_ == STRING
        if not self.values.count and not self.is_nested:
            yield "no value in any sample: which type is it?"
        elif self.forced:
            yield "text, because no other type takes every value"
        elif self.is_nested and plain:
            yield "JSON of different shapes, kept as text"
        elif plain and self.values.numbers and self.values.leading_zeros:
            yield "digits with leading zeros or a +, kept as text"
        elif plain and self.values.commas:
            yield "numbers with a decimal comma, kept as text"
        elif formats and self.values.moments.ambiguous:
            yield "day first or month first? the samples fit both"
        elif len(formats) > 1:
            yield "written in several ways"
        if type_ == Scalar("bigint") and about_time(self.name) and (word := self.values.epoch):
            yield f"a moment? then {{type: timestamp, format: {word}}}"

"""A column's type, from all its values: one that the law parses each of them as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from framework.feed import Numbers
from framework.infer.digits import Digits, Written
from framework.infer.moments import Moments
from framework.infer.names import about_time
from framework.infer.nested import Nested
from framework.types import DataType, Scalar

__all__ = ["EPOCHS", "NULL_WORDS", "Column", "Values"]

NULL_WORDS = ("NULL", "null", "N/A", "n/a", "#N/A", "NA", r"\N", "None", "none", "-", "NaT")
"""Words that stand for no value in columns of numbers and dates."""
STRING = Scalar("string")
_REMEMBERED = 4096
_BLANKS = " \t\r\n"
_WORDS = {"true": True, "false": False, "yes": True, "no": False, "y": True, "n": False, "t": True, "f": False}
EPOCHS = {10: "epoch_seconds", 13: "epoch_millis", 16: "epoch_micros", 19: "epoch_nanos"}


@dataclass(slots=True)
class Values:
    """What the plain values so far have in common; `written` is how numbers are, once one is not plain, unless
    they can only be `plainly`. Those of formats that know nothing but text are `as_text`."""

    count: int = 0
    nulls: int = 0
    words: set[str] = field(default_factory=set)
    quoted: bool = False
    digits: Digits = field(default_factory=Digits)
    written: Written | None = None
    truths: set[str] | None = field(default_factory=set)
    moments: Moments = field(default_factory=Moments)
    nested: bool = False
    as_text: bool = False
    plainly: bool = False
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
            self.quoted = self.quoted or (quoted and not self.as_text)
            if bare not in self._known:
                self._learn(bare)
                if len(self._known) < _REMEMBERED:
                    self._known.add(bare)

    def _learn(self, text: str) -> None:
        self.moments.take(text)
        if self.truths is not None:
            self.truths = self.truths | {text.lower()} if text.lower() in _WORDS else None
        self.digits.take(text)
        if not (self.digits.numbers or self.nested or self.plainly):
            if self.written is None:
                self.written = Written()
                for known in self._known:
                    self.written.take(known)
            self.written.take(text)

    def type(self) -> tuple[DataType, tuple[str, ...]]:
        """The type and its date patterns."""
        if not self.count:
            return STRING, ()
        if self.truths and not self.quoted and (len(self.truths) > 1 or min(map(len, self.truths)) > 1):
            return Scalar("boolean"), ()
        digits = self.digits
        if digits.numbers and not digits.leading_zeros and not self.quoted:
            return digits.type() or STRING, ()
        found = self.moments.found() if not (digits.numbers and (digits.leading_zeros or not self.quoted)) else None
        if found is None and (habit := self.habit) is not None:
            return habit[1].type() or STRING, ()
        return (Scalar(found[0]), found[1]) if found else (STRING, ())

    @property
    def habit(self) -> tuple[Numbers, Digits] | None:
        """How the values are written, if they are numbers and not plain ones; and what they have in common then."""
        found = self.written.found() if self.written is not None and not self.quoted else None
        return found if found is not None and not found[1].leading_zeros else None

    def plain_type(self) -> DataType:
        """The type where no patterns can be given: inside JSON values."""
        type_, formats = self.type()
        return STRING if formats else type_

    @property
    def epoch(self) -> str | None:
        """The word for numbers that count from 1970, where they are long enough for it."""
        digits = self.digits
        length = next(iter(digits.lengths)) if len(digits.lengths) == 1 else 0
        return EPOCHS.get(length) if digits.numbers and not digits.scale else None


@dataclass(slots=True)
class Column:
    """A column of the samples. `files` are the samples that have it; `forced` says that only text takes all values;
    `as_text` values of XML are, and what occurs once there may occur often; `plainly` numbers are in formats that have
    no other ones."""

    name: str
    header: str
    as_text: bool = False
    plainly: bool = False
    files: set[int] = field(default_factory=set)
    values: Values = field(init=False)
    rows: int = 0
    forced: bool = False
    json: Nested = field(init=False)

    def __post_init__(self) -> None:
        self.values = Values(as_text=self.as_text, plainly=self.plainly)
        self.json = Nested(partial(Values, nested=True, as_text=self.as_text), may_repeat=self.as_text)

    def take(self, text: str | None, value: Any) -> None:
        """A further value; `value` is that of a document, None in other formats."""
        self.rows += 1
        nested = isinstance(value, list | dict)
        if nested or (self.as_text and value is not None):
            self.json.take(value, str)
        if not nested:
            self.values.take(text, quoted=type(value) is str and not self.as_text)

    @property
    def is_nested(self) -> bool:
        return self.json.element is not None or bool(self.json.objects)

    def type(self) -> tuple[DataType, tuple[str, ...]]:
        """The type and its date patterns."""
        if self.forced:
            return STRING, ()
        if self.is_nested:
            repeated = self.as_text and self.json.element is not None
            mixed = bool(self.values.count or self.values.words) and not repeated
            return (STRING if mixed else self.json.type()), ()
        return self._in_digits() or self.values.type()

    def _in_digits(self) -> tuple[DataType, tuple[str, ...]] | None:
        """Days and moments as in 20260131: digits that can be read so, under a name that says that they may be; None
        for all other values."""
        alone = self.values.moments.alone or []
        if not alone or not self.values.digits.numbers or self.values.digits.leading_zeros:
            return None
        if not about_time(self.name):
            return (STRING, ()) if self.values.quoted else None
        return Scalar(alone[0].type), (alone[0].format or "",)

    @property
    def numbers(self) -> Numbers | None:
        """How its numbers are written; None for plain ones, and for what is none."""
        habit = None if self.forced or self.is_nested or self._in_digits() else self.values.habit
        return habit[0] if habit is not None and self.values.type()[0] == habit[1].type() else None

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
        elif plain and self.values.digits.numbers and self.values.digits.leading_zeros:
            yield "digits with leading zeros or a +, kept as text"
        elif plain and self.values.written is not None and self.values.written.in_doubt:
            yield "are the signs in its numbers decimal ones, or do they stand between groups? kept as text"
        elif formats and self.values.moments.ambiguous:
            yield "day first or month first? the samples fit both"
        elif len(formats) > 1:
            yield "written in several ways"
        if type_ == Scalar("bigint") and about_time(self.name) and (word := self.values.epoch):
            yield f"a moment? then {{type: timestamp, format: {word}}}"

"""What a dialect has to say. Arguments and results are SQL texts, but for names, literals and regular expressions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from framework.types import DataType

__all__ = ["Dialect", "Words"]


class Words:
    """Names, literals and comparisons: what predicates and assignments need."""

    sqlglot: str
    """The name by which sqlglot knows this SQL."""
    mark = '"'
    """What stands around names."""

    def name(self, name: str) -> str:
        """An identifier, quoted."""
        return self.mark + name.replace(self.mark, self.mark * 2) + self.mark

    def names(self, names: Iterable[str]) -> str:
        """Identifiers, quoted, as a list."""
        return ", ".join(map(self.name, names))

    def column(self, relation: str, name: str) -> str:
        """A column of a relation."""
        return f"{relation}.{self.name(name)}"

    def text(self, text: str) -> str:
        """A string literal."""
        return "'" + text.replace("'", "''") + "'"

    def texts(self, texts: Iterable[str]) -> str:
        """String literals as a list."""
        return ", ".join(map(self.text, texts))

    def value(self, text: str, type_: DataType) -> str:
        """A value of a type from the text as which the engine writes it."""
        del type_
        return self.text(text)

    def same(self, left: str, right: str) -> str:
        """Whether two values are equal; NULL is equal to nothing."""
        return f"{left} = {right}"

    def identical(self, left: str, right: str) -> str:
        """Whether two values are equal, or both NULL."""
        return f"{left} IS NOT DISTINCT FROM {right}"

    def differs(self, left: str, right: str, type_: DataType) -> str:
        """Whether two values of a type are different; NULL differs from every value and not from NULL."""
        del type_
        return f"{left} IS DISTINCT FROM {right}"


class Dialect(Words, ABC):
    """One engine's SQL."""

    plain_timestamp = "TIMESTAMP_NTZ"
    """The type of a moment without a zone."""
    reads_json = False
    """Whether nested values are read from JSON texts by its SQL; elsewhere the law's reader does it."""
    once: str | None = None
    """An expression that keeps a relation of a WITH whole, where the engine would put in its place what it is made of,
    and compute that as often as it is named."""

    # Types

    @abstractmethod
    def type(self, type_: DataType) -> str:
        """A column type as DDL and casts name it."""

    def null(self, type_: DataType) -> str:
        """A NULL of a type."""
        return f"CAST(NULL AS {self.type(type_)})"

    def try_cast(self, value: str, type_: str) -> str:
        """The value as another type, NULL where it has none."""
        return f"try_cast({value} AS {type_})"

    @abstractmethod
    def cut(self, number: str) -> str:
        """A number without what is behind its point."""

    @abstractmethod
    def as_text(self, value: str) -> str:
        """A value as the engine writes it."""

    # Texts

    @abstractmethod
    def trimmed(self, text: str) -> str:
        """The text without blanks, tabs and line ends around it."""

    @abstractmethod
    def starts_with(self, text: str, beginning: str) -> str:
        """Whether a text begins with another."""

    @abstractmethod
    def without_zeros(self, digits: str, *, leading: bool) -> str:
        """Digits without the zeros before, or behind, the others."""

    @abstractmethod
    def matches(self, text: str, regex: str) -> str:
        """Whether all of a text matches."""

    @abstractmethod
    def contains_match(self, text: str, regex: str) -> str:
        """Whether a part of a text matches."""

    @abstractmethod
    def group(self, text: str, regex: str, number: int) -> str:
        """A group of a text that matches as a whole; an empty text when the group took no part."""

    @abstractmethod
    def groups(self, text: str, regex: str, count: int) -> str:
        """All groups as a struct with the members g1, g2, …"""

    def concat(self, *texts: str) -> str:
        """Texts one after another; NULL when one of them is."""
        return f"concat({', '.join(texts)})"

    # Bound values, structs, arrays

    @abstractmethod
    def bind(self, name: str, value: str, inner: str) -> str:
        """`inner`, in which `name` is the value, computed once."""

    @abstractmethod
    def struct(self, members: Mapping[str, str]) -> str:
        """A struct with these members."""

    @abstractmethod
    def array(self, items: Sequence[str]) -> str:
        """An array of these items."""

    @abstractmethod
    def present(self, array: str) -> str:
        """The items of an array that are not NULL."""

    @abstractmethod
    def item(self, array: str, index: str) -> str:
        """The item of an array at an index from 0."""

    @abstractmethod
    def nth(self, array: str, index: str) -> str:
        """The item of an array at an index from 0, NULL beyond its end."""

    @abstractmethod
    def size(self, value: str) -> str:
        """How many items an array or a map has, an int."""

    @abstractmethod
    def of_key(self, map_: str, key: str) -> str:
        """The value of a key of a map, NULL where there is none."""

    @abstractmethod
    def contains_item(self, array: str, item: str) -> str:
        """Whether an array holds a value; NULL where it does not and one of its items is NULL."""

    @abstractmethod
    def unnest(self, array: str) -> str:
        """A row for each item of an array, as an item of a SELECT."""

    def last_value(self, value: str) -> str:
        """The last value that is not NULL, for an OVER behind it."""
        return f"last_value({value}) IGNORE NULLS"

    @abstractmethod
    def json(self, value: str) -> str:
        """A nested value as JSON, NULL members included."""

    @abstractmethod
    def json_object(self, members: Mapping[str, str]) -> str:
        """An object of texts as JSON, without those that are NULL."""

    # Bytes

    @abstractmethod
    def bytes_of(self, text: str) -> str:
        """The bytes of a text in UTF-8."""

    @abstractmethod
    def bytes_literal(self, data: bytes) -> str:
        """A literal of bytes."""

    @abstractmethod
    def joined_bytes(self, one: str, other: str) -> str:
        """Bytes one after another."""

    @abstractmethod
    def sha256(self, data: str) -> str:
        """The SHA-256 of bytes, in hexadecimal digits."""

    # Moments

    @abstractmethod
    def instant(self, local: str, zone: str | None) -> str:
        """An instant from a local time in a zone, which is SQL; None stands for UTC. In a gap the clock counts on,
        an hour that is twice is the first one."""

    @abstractmethod
    def local(self, instant: str, zone: str | None) -> str:
        """The local time of an instant in a zone, which is SQL; None stands for UTC."""

    @abstractmethod
    def micros(self, moment: str, *, plain: bool) -> str:
        """Microseconds since 1970-01-01 in UTC of an instant, or of a moment without a zone read as UTC."""

    @abstractmethod
    def weekday(self, moment: str) -> str:
        """The day of the week of a date or a local time; Sunday is 0."""

    @abstractmethod
    def days_later(self, day: str, days: str) -> str:
        """A date so many days (an int) after another."""

    @abstractmethod
    def since_epoch(self, micros: str, *, plain: bool) -> str:
        """The instant, or the moment without a zone in UTC, so many microseconds after 1970-01-01 in UTC."""

    @abstractmethod
    def instant_literal(self, utc: str) -> str:
        """An instant from yyyy-MM-dd HH:mm:ss[.ffffff] in UTC."""

    @abstractmethod
    def minutes_before(self, local: str, minutes: str) -> str:
        """The instant that is so many minutes before a local time, read as UTC."""

    # The usual spelling

    @abstractmethod
    def usual(self, text: str, type_: DataType, zone: str) -> tuple[str, str] | None:
        """A cheap test for a type's usual spelling, and the value of a text that passes it; None where no test is
        cheaper than the grammar."""

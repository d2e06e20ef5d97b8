"""Totals: what the trailers of a file say of it, held against its records."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal, InvalidOperation, localcontext

from framework.feed import Column, Feed, Span, Trailer
from framework.law.layout import Layout
from framework.law.records.record import BrokenFile, Record
from framework.law.values import plain_number

__all__ = ["Sums", "amount_of", "totalled"]

_DIGITS = re.compile(r"[0-9]{1,18}")
_PRECISION = 1000


def amount_of(text: str | None, column: Column, feed: Feed) -> Decimal | None:
    """The number that a field of a column holds: 0 for none at all, None for what is no number."""
    if text is None or not text.strip() or text in feed.source.null_values or text.strip() in feed.source.null_values:
        return Decimal(0)
    plain = plain_number(text, column.numbers) if column.numbers is not None else text.strip()
    try:
        number = Decimal(plain or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _PRECISION else None


class Sums:
    """The sums of some columns over records; what is no number is not in them."""

    def __init__(self, feed: Feed, layout: Layout, columns: tuple[str, ...]) -> None:
        by_name = {column.name: column for column in feed.columns}
        self._feed, self.columns = feed, {name: by_name[name] for name in columns}
        self._fields = {name: layout.index(name) for name in columns}
        self.found = dict.fromkeys(columns, Decimal(0))

    def add(self, fields: tuple[str | None, ...]) -> None:
        with localcontext(prec=_PRECISION):
            for name, column in self.columns.items():
                index = self._fields[name]
                if index is not None:
                    self.found[name] += amount_of(fields[index], column, self._feed) or 0

    def reset(self) -> None:
        self.found = dict.fromkeys(self.found, Decimal(0))


def totalled(records: Generator[Record, None, None], feed: Feed, layout: Layout) -> Iterator[Record]:
    """The records of a file, of which those that are no rows have no fields any more. Raises BrokenFile where a trailer
    says something else than they do, and where the last record is no trailer."""
    totals = _Totals(feed, layout)
    with closing(records):  # the stream that they read is the caller's
        for record in records:
            if record.no_row:
                totals.end(record)
                yield replace(record, fields=None)
            else:
                totals.add(record)
                yield record
    totals.finish()


class _Totals:
    """The records of a file up to the next trailer. Raises BrokenFile where one says something else than they do, and
    where the last record is no trailer; nothing is checked in a feed without."""

    def __init__(self, feed: Feed, layout: Layout) -> None:
        self._feed, self._trailer = feed, feed.source.trailer
        self._sums = Sums(feed, layout, tuple(name for name, _ in self._trailer.sums) if self._trailer else ())
        self._count, self._seen = 0, False

    def add(self, record: Record) -> None:
        """A record, sound or malformed."""
        if self._trailer is None:
            return
        self._count += 1
        if record.fields is not None:
            self._sums.add(record.fields)

    def end(self, record: Record) -> None:
        """A record that is no row; one with fields is a trailer."""
        trailer = self._trailer
        if trailer is None or record.fields is None:
            return
        if trailer.count is not None:
            said = (self._said(record, trailer.count) or "").strip()
            if _DIGITS.fullmatch(said) is None:
                raise BrokenFile(f"line {record.line}: the trailer tells no number of records, but {said!r}")
            if int(said) != self._count:
                raise BrokenFile(
                    f"line {record.line}: the trailer says {int(said)} records, and there are {self._count}"
                )
        self._compare_sums(record, trailer)
        self._sums.reset()
        self._count, self._seen = 0, True

    def _compare_sums(self, record: Record, trailer: Trailer) -> None:
        for name, at in trailer.sums:
            text = self._said(record, at)
            said, found = amount_of(text, self._sums.columns[name], self._feed), self._sums.found[name]
            if said is None:
                raise BrokenFile(f"line {record.line}: the trailer tells no sum of {name}, but {text!r}")
            if said != found:
                raise BrokenFile(
                    f"line {record.line}: the trailer says {said:f} as the sum of {name}, and it is {found:f}"
                )

    def _said(self, record: Record, at: int | Span) -> str | None:
        if isinstance(at, Span):
            return at.of(record.raw)
        fields = record.fields or ()
        return fields[at - 1] if at <= len(fields) else None

    def finish(self) -> None:
        """The file ends here."""
        trailer = self._trailer
        if trailer is None:
            return
        if not self._seen:
            raise BrokenFile(
                f"no record starts with {trailer.starts_with!r}, so the trailer is missing: is it all there?"
            )
        if self._count:
            raise BrokenFile(f"there are {self._count} records behind the last trailer: is it all there?")

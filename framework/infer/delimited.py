"""How CSV files are written: separator, quotes, comments, lines before the header, trailers, records to be filled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice, product

from framework.feed import CsvOptions, Trailer
from framework.infer.names import looks_like_names
from framework.infer.sample import Sample
from framework.law.records import Record
from framework.law.records.csv import read_records

__all__ = ["Delimited", "delimited", "records_of", "width_of"]

_SEPARATORS = (",", ";", "\t", "|", "^", "~", "||", "|~|", "\x01")
_QUOTING = (('"', '"'), ('"', "\\"), ("'", "'"), (None, None))
_COMMENTS = (None, "#")
_LOOKED_AT = 300
"""Records by which the separator is told."""
_ROWS = 10_000
"""Records in which no name of a header stands below itself."""
_MOST_BEFORE = 50
"""Lines that may stand before a header."""
_NO_NAME = re.compile(r"[,;|\t\x01]|[0-9]{4}|[0-9][.:/-][0-9]")
"""What stands in no name of a header that is found behind other lines."""
_MARK = re.compile(r"[#*@$]?[A-Za-z_]{1,20}[:#*]?")
_ENDS = frozenset(
    ("trailer", "trl", "trail", "eof", "end", "footer", "ftr", "total", "totals", "totale", "sum", "summe", "gesamt")
)
"""Words of trailers that tell no number of records."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """How samples are read; `skips` are the lines before the header of each, `broken` counts the records that are none
    by sample, `width` is the least number of fields."""

    csv: CsvOptions
    skips: tuple[int, ...]
    trailer: Trailer | None = None
    fill: bool = False
    broken: tuple[tuple[str, int], ...] = ()
    width: int = 0


@dataclass(frozen=True, slots=True)
class _Counted:
    """Of records: how many are broken or have another width than the first one, how many there are, and that width."""

    bad: int
    all: int
    width: int


class _Samples:
    """The samples with their encodings, counted by each way to read them."""

    def __init__(self, samples: Sequence[Sample], encodings: Sequence[str]) -> None:
        self.pairs = list(zip(samples, encodings, strict=True))

    def counted(self, how: Delimited, most: int | None = None) -> list[_Counted]:
        every = enumerate(self.pairs)
        return [_count(sample, encoding, how, number, most) for number, (sample, encoding) in every]

    def score(self, how: Delimited, most: int | None = None) -> tuple[float, int]:
        """Lower for what fits better: the share of broken records, the number of fields."""
        found = self.counted(how, most)
        width, bad, count = min(each.width for each in found), sum(e.bad for e in found), sum(e.all for e in found)
        return (bad / count if count else 1.0) + (width < 2), -width

    def plain(self, csv: CsvOptions) -> Delimited:
        return Delimited(csv, (0,) * len(self.pairs))


def delimited(samples: Sequence[Sample], encodings: Sequence[str], header: bool | None) -> Delimited:
    """The ways with which the fewest records are broken; of those alike the commonest ones."""
    files = _Samples(samples, encodings)
    separator = min(_SEPARATORS, key=lambda sep: files.score(files.plain(CsvOptions(sep=sep)), _LOOKED_AT))
    found = files.plain(CsvOptions(sep=separator))
    if files.score(found)[0]:
        ways = product(_COMMENTS, _QUOTING, dict.fromkeys((separator, *_SEPARATORS)))
        tried = (files.plain(CsvOptions(sep=sep, quote=q, escape=e, comment=comment)) for comment, (q, e), sep in ways)
        found = _best(files, tried)
    if files.score(found)[0]:
        found = _best(files, [found, *_with_trailer(files, [found]), *_behind_lines(files, header)], widest=True)
    if found.trailer is None:
        found = next(_with_trailer(files, [found], as_wide=True), found)
    if header is None:
        every = enumerate(files.pairs)
        header = all(_has_header(sample, encoding, found, number) for number, (sample, encoding) in every)
    found = replace(found, csv=replace(found.csv, header=header))
    if not header and found.trailer is not None:  # which counted one record too few
        found = replace(found, trailer=replace(found.trailer, count=None))
    counted = files.counted(found)
    if any(each.bad for each in counted) and _only_short(files, filled := replace(found, fill=True)):
        found, counted = filled, files.counted(filled)
    broken = [(sample.shown, each.bad) for (sample, _), each in zip(files.pairs, counted, strict=True)]
    width = min(each.width for each in counted)
    return replace(found, width=width, broken=tuple(each for each in broken if each[1]))


def _best(files: _Samples, tried: Iterator[Delimited] | Sequence[Delimited], *, widest: bool = False) -> Delimited:
    def score(how: Delimited) -> tuple[float, int]:
        share, width = files.score(how)
        return round(share, 6), width if widest else 0

    return min(tried, key=score)


# Lines before the header


def _behind_lines(files: _Samples, header: bool | None) -> Iterator[Delimited]:
    """Ways that pass over lines before the header, with and without a trailer."""
    ways = product(_QUOTING[:2], _SEPARATORS)
    for (quote, escape), sep in ways:
        plain = files.plain(CsvOptions(sep=sep, quote=quote, escape=escape))
        skips = [_lines_before(sample, encoding, plain, header) for sample, encoding in files.pairs]
        if any(each is None for each in skips) or not any(skips):
            continue
        found = replace(plain, skips=tuple(each or 0 for each in skips))
        yield found
        if files.score(found)[0]:
            yield from _with_trailer(files, [found])


def _lines_before(sample: Sample, encoding: str, how: Delimited, header: bool | None) -> int | None:
    """The lines before the first record that is as wide as most are; None where that one names nothing."""
    with records_of(sample, encoding, how, 0) as records:
        first = list(islice(records, _LOOKED_AT))
    widths = Counter(len(each.fields) for each in first if each.fields is not None)
    widths.pop(1, None)
    if not widths:
        return None
    (usual, _), *_ = widths.most_common(1)
    ends = all(not each.fields[-1] for each in first if each.fields is not None and len(each.fields) == usual)
    wide = (usual - 1, usual) if ends else (usual,)  # a separator at the end, which the header has not
    record = next(each for each in first if each.fields is not None and len(each.fields) in wide)
    if record.line > _MOST_BEFORE or (header is not False and not _surely_names(record.fields or ())):
        return None
    return record.line - 1


def _surely_names(fields: Sequence[str | None]) -> bool:
    """Whether fields behind other lines are names: different words in which no separator and no long number stands."""
    names = [(field or "").strip() for field in fields]
    while names and not names[-1]:
        names.pop()
    plain = all(name and not _NO_NAME.search(name) for name in names)
    return plain and len({*names}) == len(names) and looks_like_names(names)


# Trailers, and records that are filled


def _with_trailer(files: _Samples, ways: Sequence[Delimited], *, as_wide: bool = False) -> Iterator[Delimited]:
    """The same ways with a trailer, where the last record of each sample begins with a word that no other begins with
    and says how many records there are, or has another number of fields; and with records filled, where fields that are
    too many are empty. One that is `as_wide` as the records must begin with a word for trailers, and have that number
    or more empty fields than any record."""
    for how in ways:
        if not as_wide and _only_empty(files, how):
            yield replace(how, fill=True)
        every = enumerate(files.pairs)
        marks = {_mark(sample, encoding, how, number, as_wide=as_wide) for number, (sample, encoding) in every}
        if len(marks) == 1 and (mark := marks.pop()) is not None:
            told = replace(how, trailer=Trailer(*mark))
            yield told
            if not as_wide and _only_empty(files, told):
                yield replace(told, fill=True)


def _only_empty(files: _Samples, how: Delimited) -> bool:
    """Whether every record that is as wide as none should be has too many fields, and those empty."""
    for number, (sample, encoding) in enumerate(files.pairs):
        with records_of(sample, encoding, how, number) as records:
            first = next(records, None)
            width = len(first.fields) if first is not None and first.fields is not None else 0
            for record in records:
                fields = record.fields
                if not record.no_row and (fields is None or len(fields) < width or any(fields[width:])):
                    return False
    return True


def _only_short(files: _Samples, how: Delimited) -> bool:
    """Whether records are narrower than others because they end early: none is wider, and each has half the fields."""
    for number, (sample, encoding) in enumerate(files.pairs):
        width = width_of(sample, encoding, how, number)
        with records_of(sample, encoding, how, number) as records:
            for record in records:
                if not record.no_row and not max(2, -(-width // 2)) <= len(record.fields or ()) <= width:
                    return False
    return True


def _mark(
    sample: Sample, encoding: str, how: Delimited, number: int, *, as_wide: bool
) -> tuple[str, int | None] | None:
    """The word with which the last record begins and no other, and the field of it (from 1) that says how many records
    are before it, behind the header. None where it is a record like others."""
    count, last, words, width, empty = 0, None, set[str](), 0, 0
    with records_of(sample, encoding, how, number) as records:
        for record in records:
            if last is not None:
                words.add(_word(last))
                empty = max(empty, _empty(last))
            width = width or len(record.fields or ())
            last, count = record, count + 1
    if last is None or not last.fields or count < 3 or (len(last.fields) == width) is not as_wide:
        return None
    word, before = _word(last), count - 2
    if not _MARK.fullmatch(word) or any(other.startswith(word) for other in words):
        return None
    told = [
        at for at, field in enumerate(last.fields, 1) if at > 1 and (field or "").strip().lstrip("0") == str(before)
    ]
    is_word = word.strip("#*@$:").lower() in _ENDS
    if not (is_word or told) or (as_wide and not (is_word and (told or _empty(last) > empty))):
        return None
    return word, told[0] if told else None


def _word(record: Record) -> str:
    return (record.fields or ("",))[0] or record.raw[:1]


def _empty(record: Record) -> int:
    return sum(not field for field in record.fields or ())


# Reading


@contextmanager
def records_of(
    sample: Sample,
    encoding: str,
    how: Delimited,
    number: int,
    *,
    width: int | None = None,
    most: int | None = None,
) -> Iterator[Iterator[Record]]:
    """The first records of a sample at a position, the header among them, whether they are all read or not."""
    with sample.stream() as stream:
        found = read_records(
            stream,
            encoding=encoding,
            options=how.csv,
            width=width,
            skip_lines=how.skips[number],
            fill=how.fill and width is not None,
            trailer=how.trailer.starts_with if how.trailer is not None else None,
        )
        try:
            yield islice(found, most)
        finally:
            if isinstance(found, Generator):  # before the stream is closed
                found.close()


def width_of(sample: Sample, encoding: str, how: Delimited, number: int) -> int:
    """The fields of a record: as many as the first one has, or of those that are filled and have no header the widest;
    0 where the first one is broken."""
    with records_of(sample, encoding, how, number) as records:
        width = next((len(first.fields or ()) for first in records), 0)
        if not how.fill or how.csv.header or not width:
            return width
        return max(width, *(len(each.fields or ()) for each in records if not each.no_row), 0)


def _count(sample: Sample, encoding: str, how: Delimited, number: int, most: int | None) -> _Counted:
    width = width_of(sample, encoding, how, number)
    if not width:
        return _Counted(1, 1, 0)
    with records_of(sample, encoding, how, number, width=width, most=most) as records:
        bad = count = 0
        for record in records:
            bad += record.fields is None and not record.no_row
            count += 1
    return _Counted(bad, count, width)


def _has_header(sample: Sample, encoding: str, how: Delimited, number: int) -> bool:
    with records_of(sample, encoding, how, number) as records:
        first = next(records, None)
        if first is None or first.fields is None or not looks_like_names(first.fields):
            return False
        others = (e.fields for e in records if e.fields is not None and e.raw != first.raw and not e.no_row)
        return not any(
            name and name == value
            for fields in islice(others, _ROWS)
            for name, value in zip(first.fields, fields, strict=False)
        )

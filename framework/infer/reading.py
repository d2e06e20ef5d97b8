"""How samples are written: their format, encoding and options, told by trying the law's readers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from framework.errors import LandfeedError
from framework.feed import Archive, CsvOptions, Feed, Format, Quarantine, Source, Target
from framework.infer.names import looks_like_names
from framework.infer.sample import Sample
from framework.law.layout import Field, Kind, Layout, Rejected
from framework.law.records import READERS, Record
from framework.law.records.csv import read_records
from framework.law.values import json_document
from framework.names import Table
from framework.opening import BROKEN_FILE, not_text, unreadable

__all__ = ["Reading", "Row", "read_how", "rows"]

_CHUNK = 1 << 20
_BEGINNING = 4096
_SEPARATORS = (",", ";", "\t", "|", "^", "~")
_QUOTING = (('"', '"'), ('"', "\\"), ("'", "'"), (None, None))
_COMMENTS = (None, "#")
_LOOKED_AT = 300
_ROWS = 10_000
"""Records in which no name of a header stands below itself."""
"""Records by which the separator is told."""
_NARROW = ("utf-8", "windows-1252", "iso-8859-1")
_WIDE = ("utf-16", "utf-16-le", "utf-16-be")
_KNOWN = "CSV, JSON, Parquet, Avro and ORC"
_ENCODINGS = (*_NARROW, *_WIDE)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the samples are read. `broken` counts the records that are none however they are read, by sample."""

    format: Format
    encodings: tuple[str, ...]
    csv: CsvOptions = CsvOptions()
    broken: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A record's fields: the text of each as the law gives it and, in JSON, its value."""

    texts: tuple[str | None, ...]
    values: tuple[Any, ...] | None = None


def read_how(samples: Sequence[Sample], *, header: bool | None = None) -> Reading:
    """How to read the samples; `header` is whether CSV files have one, where that is known. Raises LandfeedError for
    samples that cannot be read."""
    encodings = [_encoding(sample) for sample in samples]
    formats = {_format(sample, encoding) for sample, encoding in zip(samples, encodings, strict=True)}
    if len(formats) > 1:
        hint = "a feed is for files of one format: infer one for each"
        kinds = " and ".join(f"some are {format_}" for format_ in sorted(formats))
        raise LandfeedError(f"the files are of several formats: {kinds}", hint, code="infer")
    distinct = sorted(set(encodings), key=_ENCODINGS.index)
    if "windows-1252" in distinct or "iso-8859-1" in distinct:
        distinct = [*dict.fromkeys(["utf-8", *distinct])]
    reading = Reading(formats.pop(), tuple(distinct))
    if reading.format is Format.CSV:
        return _csv(samples, encodings, reading, header)
    broken = [
        (sample.name, _broken_records(sample, encoding, reading.format))
        for sample, encoding in zip(samples, encodings, strict=True)
    ]
    return replace(reading, broken=tuple(each for each in broken if each[1]))


def _encoding(sample: Sample) -> str:
    """The first encoding in which all of a file is text."""
    try:
        with sample.stream() as stream:
            beginning = stream.read(_BEGINNING)
        if not beginning:
            raise LandfeedError(f"{sample.name}: the file is empty", "give a file with data", code="infer")
        if _signed(beginning) is not None:
            return "utf-8"
        for encoding in _NARROW if not_text(beginning, ["utf-8"]) is None else _WIDE:
            if not_text(beginning, [encoding]) is None and _decodes(sample, encoding):
                return encoding
    except BROKEN_FILE as error:
        raise LandfeedError(f"{sample.name}: {unreadable(error)}", "give a whole file", code="infer") from error
    kind = not_text(beginning, ["utf-8"]) or "of an unknown kind"
    raise LandfeedError(f"{sample.name} is {kind}", f"feeds are inferred from {_KNOWN} files", code="infer")


def _decodes(sample: Sample, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with sample.stream() as stream:
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", True)
        except UnicodeError:
            return False
    return True


def _signed(beginning: bytes) -> Format | None:
    """The format of a file that is no text, by how it begins."""
    signed = ((format_, reader.signature) for format_, reader in READERS.items() if reader.signature is not None)
    return next((format_ for format_, signature in signed if re.match(signature, beginning)), None)


def _format(sample: Sample, encoding: str) -> Format:
    with sample.stream() as stream:
        beginning = stream.read(_BEGINNING)
    signed = _signed(beginning)
    if signed is not None:
        return signed
    text = codecs.getincrementaldecoder(encoding)("replace").decode(beginning)
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return Format.CSV
    with sample.stream() as stream:
        layout, _ = READERS[Format.JSON].open(stream, encoding, _any_feed(Format.JSON))
    return Format.JSON if isinstance(layout, Layout) and layout.others else Format.CSV


def _broken_records(sample: Sample, encoding: str, format_: Format) -> int:
    reader, feed = READERS[format_], _any_feed(format_)
    with sample.stream() as stream:
        whole = _whole(reader.open(stream, encoding, feed)[0], reader.kind)
    with sample.stream() as stream:
        return sum(record.fields is None for record in reader.records(stream, encoding, feed, whole))


def _whole(layout: Layout | Rejected, kind: Kind) -> Layout:
    """The layout of which every field is one of the record. Raises LandfeedError."""
    if isinstance(layout, Rejected):
        raise LandfeedError(f"a file cannot be read: {layout.reason}", "give other files", code="infer")
    return Layout(tuple(Field(name, kind) for name in layout.others), ())


def _csv(samples: Sequence[Sample], encodings: Sequence[str], reading: Reading, header: bool | None) -> Reading:
    """The options with which the fewest records are broken; of those alike the commonest ones."""
    pairs = list(zip(samples, encodings, strict=True))

    def score(options: CsvOptions, most: int | None) -> tuple[float, int]:
        counted = [_count(sample, encoding, options, most) for sample, encoding in pairs]
        width = min(width for _, _, width in counted)
        bad, all_ = sum(bad for bad, _, _ in counted), sum(all_ for _, all_, _ in counted)
        return (bad / all_ if all_ else 1.0) + (width < 2), -width

    separator = min(_SEPARATORS, key=lambda sep: score(CsvOptions(sep=sep), _LOOKED_AT))
    options = CsvOptions(sep=separator)
    if score(options, None)[0]:
        ways = product(_COMMENTS, _QUOTING, dict.fromkeys((separator, *_SEPARATORS)))
        tried = (CsvOptions(sep=sep, quote=q, escape=e, comment=comment) for comment, (q, e), sep in ways)
        options = min(tried, key=lambda each: (round(score(each, None)[0], 6),))
    if header is None:
        header = all(_has_header(sample, encoding, options) for sample, encoding in pairs)
    options = replace(options, header=header)
    broken = [(sample.name, _count(sample, encoding, options, None)[0]) for sample, encoding in pairs]
    return replace(reading, csv=options, broken=tuple(each for each in broken if each[1]))


@contextmanager
def _records(
    sample: Sample, encoding: str, options: CsvOptions, width: int | None = None, most: int | None = None
) -> Iterator[Iterator[Record]]:
    """The first records of a CSV sample, whether they are all read or not."""
    with sample.stream() as stream:
        found = read_records(stream, encoding=encoding, options=options, width=width)
        try:
            yield islice(found, most)
        finally:
            if isinstance(found, Generator):  # before the stream is closed
                found.close()


def _count(sample: Sample, encoding: str, options: CsvOptions, most: int | None) -> tuple[int, int, int]:
    """Of the first records: how many are broken or have another width than the first one, how many there are, and
    that width."""
    with _records(sample, encoding, options, most=most) as records:
        first = next(records, None)
        if first is None or first.fields is None:
            return 1, 1, 0
        width, bad, count = len(first.fields), 0, 1
        for record in records:
            bad += record.fields is None or len(record.fields) != width
            count += 1
    return bad, count, width


def _has_header(sample: Sample, encoding: str, options: CsvOptions) -> bool:
    with _records(sample, encoding, options) as records:
        first = next(records, None)
        if first is None or first.fields is None or not looks_like_names(first.fields):
            return False
        others = islice((each.fields for each in records if each.fields is not None and each.raw != first.raw), _ROWS)
        return not any(
            name and name == value for fields in others for name, value in zip(first.fields, fields, strict=False)
        )


def _any_feed(format_: Format) -> Feed:
    """A feed that wants no column of its files."""
    table = Table("any.any")
    return Feed("any", Source("", format_), (), Target(table, table), Quarantine(table), Archive("", ""))


def rows(sample: Sample, reading: Reading) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The names of a sample's fields (empty without a header), and its sound records."""
    encoding = _encoding(sample) if len(reading.encodings) > 1 else reading.encodings[0]
    if reading.format is not Format.CSV:
        return _document_rows(sample, encoding, reading.format)
    with _records(sample, encoding, reading.csv) as records:
        first = next(records, None)
    if first is None or first.fields is None:
        return (), iter(())
    names = tuple((name or "").strip(" \t\r\n\ufeff\u00a0") for name in first.fields) if reading.csv.header else ()
    return names, _csv_rows(sample, encoding, reading.csv, len(first.fields))


def _csv_rows(sample: Sample, encoding: str, options: CsvOptions, width: int) -> Iterator[Row]:
    with _records(sample, encoding, options, width) as records:
        for record in islice(records, 1 if options.header else 0, None):
            if record.fields is not None:
                yield Row(record.fields)


def _document_rows(sample: Sample, encoding: str, format_: Format) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Of formats whose records are told as JSON."""
    reader, feed = READERS[format_], _any_feed(format_)
    with sample.stream() as stream:
        whole = _whole(reader.open(stream, encoding, feed)[0], reader.kind)

    def found() -> Iterator[Row]:
        with sample.stream() as stream:
            for record in reader.records(stream, encoding, feed, whole):
                if record.fields is not None:
                    document, _ = json_document(record.raw)
                    yield Row(record.fields, tuple(map(document.get, whole.names)))

    return whole.names, found()

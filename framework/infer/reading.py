"""How samples are written: their format and encoding, told by trying the law's readers, and what is special in each
format."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from framework.errors import LandfeedError
from framework.feed import CsvOptions, Feed, Format, Source, Trailer
from framework.infer.delimited import Delimited, delimited, records_of, width_of
from framework.infer.documents import json_records, xml_records
from framework.infer.feeds import any_feed
from framework.infer.sample import Sample
from framework.infer.sheets import Sheet, sheet_of
from framework.infer.widths import Place, fixed_rows, places_of
from framework.law.layout import Field, Kind, Layout, Rejected
from framework.law.records import READERS
from framework.law.values import json_document
from framework.opening import BROKEN_FILE, not_text, unreadable

__all__ = ["Reading", "Row", "read_how", "rows"]

_CHUNK = 1 << 20
_TAG = re.compile(rb"[^<]*<(?:[?!]|[^\s<>;,|]+[\s/>])")
"""How XML begins."""
_BEGINNING = 4096
_NARROW = ("utf-8", "windows-1252", "iso-8859-1")
_WIDE = ("utf-16", "utf-16-le", "utf-16-be")
_KNOWN = "CSV, JSON, XML, Excel, Parquet, Avro, ORC and text"
_ENCODINGS = (*_NARROW, *_WIDE)
_PLAIN_TEXT = (".txt", ".log", ".dat", ".prn", ".fix", ".fwf", ".asc")
"""Endings of files that may be no CSV although they are text."""
TYPED = (Format.PARQUET, Format.AVRO, Format.ORC)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the samples are read. `skips` are the lines before the header of each sample, `places` where the fields of
    lines of fixed width stand; `broken` counts the records that are none however they are read, by sample."""

    format: Format
    encodings: tuple[str, ...]
    csv: CsvOptions = CsvOptions()
    skips: tuple[int, ...] = ()
    trailer: Trailer | None = None
    fill: bool = False
    records: str | None = None
    sheet: str | None = None
    places: tuple[Place, ...] = ()
    members: str | None = None
    rows_in: tuple[str, ...] = ()
    broken: tuple[tuple[str, int], ...] = ()

    @property
    def skip_lines(self) -> int | None:
        """Lines before the header, None where samples have different numbers of them."""
        return next(iter(set(self.skips)), 0) if len(set(self.skips)) < 2 else None

    @property
    def has_numbers(self) -> bool:
        """Whether numbers may be written otherwise than plainly."""
        return self.format in (Format.CSV, Format.FIXED_WIDTH, Format.XML)


@dataclass(frozen=True, slots=True)
class Row:
    """A record's fields: the text of each as the law gives it and, of documents, its value."""

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
    reading = Reading(formats.pop(), tuple(distinct), skips=(0,) * len(samples))
    if reading.format is Format.CSV:
        return _text(samples, encodings, reading, header)
    reading = _special(samples, encodings, reading)
    broken = [(each.shown, _broken(each, number, reading)) for number, each in enumerate(samples)]
    return replace(reading, broken=tuple(each for each in broken if each[1]))


def _text(samples: Sequence[Sample], encodings: Sequence[str], reading: Reading, header: bool | None) -> Reading:
    found = delimited(samples, encodings, header)
    if header is None and all(each.name.lower().endswith(_PLAIN_TEXT) for each in samples):
        places = places_of(samples, encodings)
        if places is not None and len(places.fields) > found.width:
            wide = replace(reading, format=Format.FIXED_WIDTH, skips=places.skips, places=places.fields)
            return replace(wide, fill=places.short)
        if found.width < 2:
            return replace(reading, format=Format.TEXT)
    return replace(
        reading, csv=found.csv, skips=found.skips, trailer=found.trailer, fill=found.fill, broken=found.broken
    )


def _special(samples: Sequence[Sample], encodings: Sequence[str], reading: Reading) -> Reading:
    """What is to be known beyond the format."""
    match reading.format:
        case Format.JSON:
            records, rows_in = json_records(samples, encodings)
            return replace(reading, records=records, rows_in=rows_in)
        case Format.XML:
            return replace(reading, encodings=("utf-8",), records=xml_records(samples))
        case Format.EXCEL:
            sheets = [sheet_of(sample) for sample in samples]
            return replace(reading, skips=tuple(each.skip for each in sheets), sheet=_same_sheet(sheets))
        case _:
            return reading


def _same_sheet(sheets: Sequence[Sheet]) -> str | None:
    """The sheet that is read, None for the first one of each."""
    if all(each.first for each in sheets):
        return None
    names = {each.name for each in sheets}
    if len(names) > 1:
        raise LandfeedError("the tables stand in sheets of different names", "infer from one workbook", code="infer")
    return names.pop()


def _encoding(sample: Sample) -> str:
    """The first encoding in which all of a file is text."""
    try:
        with sample.stream() as stream:
            beginning = stream.read(_BEGINNING)
        if not beginning:
            raise LandfeedError(f"{sample.shown}: the file is empty", "give a file with data", code="infer")
        if _signed(beginning) is not None:
            return "utf-8"
        for encoding in _NARROW if not_text(beginning, ["utf-8"]) is None else _WIDE:
            if not_text(beginning, [encoding]) is None and _decodes(sample, encoding):
                return encoding
    except BROKEN_FILE as error:
        raise LandfeedError(f"{sample.shown}: {unreadable(error)}", "give a whole file", code="infer") from error
    kind = not_text(beginning, ["utf-8"]) or "of an unknown kind"
    raise LandfeedError(f"{sample.shown} is {kind}", f"feeds are inferred from {_KNOWN} files", code="infer")


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
    """The format of a file that tells it by how it begins."""
    kind = not_text(beginning, ["utf-8"]) or ""
    if kind.startswith(("an HTML", "a zip")):
        return None
    signed = ((format_, reader.signature) for format_, reader in READERS.items() if reader.signature is not None)
    found = next((format_ for format_, signature in signed if re.match(signature, beginning)), None)
    is_csv = found is Format.XML and not _TAG.match(beginning.replace(b"\0", b""))  # of which a name begins with "<"
    return None if is_csv else found


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
        layout, _ = READERS[Format.JSON].open(stream, encoding, any_feed(Source("", Format.JSON)))
    return Format.JSON if isinstance(layout, Layout) and layout.others else Format.CSV


def _feed(reading: Reading, number: int) -> Feed:
    """How a sample is read, in a feed that wants no column."""
    source = Source("", reading.format, records=reading.records, sheet=reading.sheet, skip_lines=reading.skips[number])
    return any_feed(source)


def _broken(sample: Sample, number: int, reading: Reading) -> int:
    """How many records of a sample are none."""
    reader, feed, encoding = READERS[reading.format], _feed(reading, number), _encoding_of(sample, reading)
    with sample.stream() as stream:
        whole = _whole(reader.open(stream, encoding, feed)[0], reader.kind)
    with sample.stream() as stream:
        return sum(record.fields is None for record in reader.records(stream, encoding, feed, whole))


def _encoding_of(sample: Sample, reading: Reading) -> str:
    return _encoding(sample) if len(reading.encodings) > 1 else reading.encodings[0]


def _whole(layout: Layout | Rejected, kind: Kind) -> Layout:
    """The layout of which every field is one of the record. Raises LandfeedError."""
    if isinstance(layout, Rejected):
        raise LandfeedError(f"a file cannot be read: {layout.reason}", "give other files", code="infer")
    return layout if layout.record else Layout(tuple(Field(name, kind) for name in layout.others), ())


def rows(sample: Sample, number: int, reading: Reading) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The names of a sample's fields (empty without a header), and its sound records; `number` is its position."""
    encoding = _encoding_of(sample, reading)
    match reading.format:
        case Format.CSV:
            how = Delimited(reading.csv, reading.skips, reading.trailer, reading.fill)
            return _delimited_rows(sample, number, encoding, how)
        case Format.FIXED_WIDTH:
            names = tuple(place.name for place in reading.places)
            found = fixed_rows(sample, encoding, reading.skips[number], reading.places)
            return names, (Row(texts) for texts in found)
        case _:
            return _document_rows(sample, number, encoding, reading)


def _delimited_rows(
    sample: Sample, number: int, encoding: str, how: Delimited
) -> tuple[tuple[str, ...], Iterator[Row]]:
    with records_of(sample, encoding, how, number) as records:
        first = next(records, None)
    if first is None or first.fields is None:
        return (), iter(())
    names = tuple((name or "").strip(" \t\r\n\ufeff\u00a0") for name in first.fields) if how.csv.header else ()

    def found(width: int, raw: str) -> Iterator[Row]:
        with records_of(sample, encoding, how, number, width=width) as records:
            for record in islice(records, 1 if how.csv.header else 0, None):
                again = how.csv.header and record.raw == raw
                if record.fields is not None and not record.no_row and not again:
                    yield Row(record.fields)

    return names, found(width_of(sample, encoding, how, number), first.raw)


def _document_rows(
    sample: Sample, number: int, encoding: str, reading: Reading
) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Of formats whose records are told as JSON."""
    reader, feed = READERS[reading.format], _feed(reading, number)
    with sample.stream() as stream:
        whole = _whole(reader.open(stream, encoding, feed)[0], reader.kind)
    plain = reading.format in (Format.EXCEL, Format.TEXT)

    def found() -> Iterator[Row]:
        with sample.stream() as stream:
            for record in reader.records(stream, encoding, feed, whole):
                if record.fields is None:
                    continue
                document: Mapping[str, Any] = {} if plain else json_document(record.raw)[0]
                yield Row(record.fields, None if plain else tuple(map(document.get, whole.names)))

    return whole.names, found()

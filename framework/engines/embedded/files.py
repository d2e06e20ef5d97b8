"""What must be known of a file before DuckDB reads it, and where a bad record stands in it afterwards.

DuckDB is always given UTF-8. A file in another encoding is rewritten into the batch's work folder
first; so is a file in which some record is broken, without its broken records (`careful_copy`).
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from framework.feed import CsvOptions, Feed, Format
from framework.records import Record, read_records

__all__ = [
    "Malformed",
    "careful_copy",
    "choose_encoding",
    "header_of",
    "located",
    "may_have_blanks_after_quotes",
    "may_have_surplus_fields",
    "opened",
    "size_without_surplus",
    "unreadable",
    "utf8_copy",
]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that could not be taken apart."""

    line: int | None
    record: str
    message: str


def opened(path: str) -> BinaryIO:
    """The file's bytes, decompressed when its name ends with .gz."""
    if path.lower().endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return open(path, "rb", buffering=_CHUNK)


def unreadable(error: Exception) -> str:
    """A sentence for a file that cannot be read, from the error that said so."""
    match error:
        case gzip.BadGzipFile() | EOFError() | zlib.error():
            return f"the file is not a complete gzip file ({error})"
        case OSError():
            return f"the file cannot be read: {error.strerror or error}"
        case _:
            return f"the file cannot be read: {str(error).splitlines()[0]}"


def choose_encoding(path: str, encodings: Sequence[str]) -> str:
    """The first of the encodings in which the whole file decodes; the first one if none does."""
    for encoding in encodings if len(encodings) > 1 else ():
        try:
            with opened(path) as stream:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := stream.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", True)
        except UnicodeError:
            continue
        return encoding
    return encodings[0]


def utf8_copy(path: str, encoding: str, to: str) -> str:
    """Rewrite the file in UTF-8; raises UnicodeError for a byte that the encoding does not have."""
    with opened(path) as stream, open(to, "w", encoding="utf-8", newline="") as out:
        reader = codecs.getreader(encoding)(stream)
        first = True
        while text := reader.read(_CHUNK):
            out.write(text.removeprefix("\ufeff") if first else text)
            first = False
    return to


def header_of(path: str, encoding: str, options: CsvOptions) -> tuple[str, ...] | None:
    """The fields of the first record; None when the file holds no record. Raises UnicodeError when it is broken."""
    with opened(path) as stream:
        for record in read_records(stream, encoding=encoding, options=options, width=None):
            if record.fields is None:
                raise UnicodeError(f"the header is broken: {record.error}")
            return tuple(name or "" for name in record.fields)
    return None


def size_without_surplus(path: str, options: CsvOptions, records: int) -> bool:
    """Whether the file is exactly its header and `records` bytes of fields, separators and line feeds.

    Every other byte (a quote, a carriage return, a blank line, one more separator) only makes it longer.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        header = len(stream.readline()) if options.header else 0
        stream.seek(max(0, size - 1))
        return size == header + records and stream.read(1) == b"\n" and not path.lower().endswith(".gz")


def may_have_surplus_fields(path: str, options: CsvOptions) -> bool:
    """Whether some line ends with an empty field."""
    sep, quote = options.sep.encode(), (options.quote or "").encode()
    chunk = b""
    for chunk in _chunks(path):
        if sep + b"\n" in chunk or (b"\r" in chunk and sep + b"\r" in chunk):
            return True
        if quote and quote in chunk and sep + quote * 2 in chunk:
            return True
    return chunk.endswith(sep)


def may_have_blanks_after_quotes(path: str, options: CsvOptions) -> bool:
    """Whether blanks may stand between a closing quote and the end of its field, where DuckDB skips them."""
    quote = re.escape((options.quote or "").encode())
    found = re.compile(quote + b" +(?:" + re.escape(options.sep.encode()) + b"|" + quote + b"|[\r\n]|\\Z)")
    blank_after = (options.quote or "").encode() + b" "
    return bool(quote) and any(blank_after in chunk and found.search(chunk) for chunk in _chunks(path))


def _chunks(path: str) -> Iterator[bytes]:
    """The file's bytes in pieces that each repeat the end of the one before."""
    tail = b""
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            yield tail + chunk
            tail = chunk[-8:]


def careful_copy(path: str, encoding: str, feed: Feed, width: int, to: str) -> Iterator[Malformed]:
    """Write the file's sound records to `to` and yield the others.

    The copy of a CSV file has no header, is in UTF-8 and quotes every value that is not NULL.
    """
    write = _json_line if feed.source.format is Format.JSON else _csv_line
    with open(to, "w", encoding="utf-8", newline="") as out:
        for record in _records(path, encoding, feed, width):
            if record.fields is None:
                yield Malformed(record.line, record.raw, record.error or "the record is broken")
            else:
                out.write(write(record))


def _csv_line(record: Record) -> str:
    return ",".join("" if f is None else '"' + f.replace('"', '""') + '"' for f in record.fields or ()) + "\n"


def _json_line(record: Record) -> str:
    return record.raw + "\n"


def _records(path: str, encoding: str, feed: Feed, width: int) -> Iterator[Record]:
    """The file's data records by the law, sound and broken ones."""
    if feed.source.format is Format.JSON:
        yield from _json_records(path, encoding)
        return
    with opened(path) as stream:
        records = read_records(stream, encoding=encoding, options=feed.source.csv, width=width)
        if feed.source.csv.header:
            next(records, None)
        yield from records


def _json_records(path: str, encoding: str) -> Iterator[Record]:
    """One record for each line that is not blank. Broken are only undecodable lines: what is not JSON
    is told later, by the reader that takes it apart."""
    if codecs.lookup(encoding).name == "utf-8":
        for number, line in _lines(path):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                yield Record(number, None, line.decode("utf-8", "backslashreplace"), f"not UTF-8: {error.reason}")
                continue
            yield Record(number, (text,), text, None)
        return
    with opened(path) as stream:
        for number, raw in enumerate(codecs.getreader(encoding)(stream, "backslashreplace"), 1):
            text = raw.strip().removeprefix("\ufeff")
            if text:
                yield Record(number, (text,), text, None)


def located(
    path: str, encoding: str, feed: Feed, width: int, ordinals: Sequence[int]
) -> Iterator[tuple[int, int, str]]:
    """Where the sound records with these ordinals (ascending, from 0) stand: (ordinal, line, raw text)."""
    wanted = iter(ordinals)
    next_one = next(wanted, None)
    plain = feed.source.format is Format.CSV and _each_line_is_a_record(path, encoding, feed.source.csv)
    records: Iterator[tuple[int, str | bytes]]
    records = _plain_records(path, feed.source.csv) if plain else _sound_records(path, encoding, feed, width)
    for ordinal, (line, raw) in enumerate(records):
        if ordinal == next_one:
            yield ordinal, line, raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")
            next_one = next(wanted, None)
            if next_one is None:
                return


def _sound_records(path: str, encoding: str, feed: Feed, width: int) -> Iterator[tuple[int, str | bytes]]:
    for record in _records(path, encoding, feed, width):
        if record.fields is not None:
            yield record.line, record.raw


def _each_line_is_a_record(path: str, encoding: str, options: CsvOptions) -> bool:
    """Whether the file is UTF-8 without quotes, comments, NUL bytes and bare carriage returns."""
    if codecs.lookup(encoding).name != "utf-8" or options.comment:
        return False
    special = re.compile(b"[" + re.escape((options.quote or "\0").encode()) + b"\0]|\r(?!\n)")
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            if chunk.endswith(b"\r"):
                chunk += stream.read(1)
            if special.search(chunk):
                return False
    return True


def _plain_records(path: str, options: CsvOptions) -> Iterator[tuple[int, str | bytes]]:
    lines = _lines(path)
    if options.header:
        next(lines, None)
    yield from lines


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, without line ends and byte-order mark, with their numbers from 1."""
    with opened(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.rstrip(b"\r\n")
            if number == 1:
                text = text.removeprefix(codecs.BOM_UTF8)
            if text:
                yield number, text

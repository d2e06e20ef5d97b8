"""What must be known of a file before DuckDB reads it, and where a bad record stands in it afterwards.

DuckDB is always given UTF-8. A file in another encoding is rewritten into the batch's work folder
first; so is a file in which some record is broken, without its broken records (`careful_copy`).
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framework.engines.sources import lines_of, opened, records_of
from framework.feed import CsvOptions, Feed, Format
from framework.law.records import Record

__all__ = [
    "Malformed",
    "careful_copy",
    "located",
    "may_have_blanks_after_quotes",
    "may_have_surplus_fields",
    "size_without_surplus",
    "utf8_copy",
]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that could not be taken apart."""

    line: int | None
    record: str
    message: str


def utf8_copy(path: str, encoding: str, to: str) -> str:
    """Rewrite the file in UTF-8; raises UnicodeError for a byte that the encoding does not have."""
    with opened(path) as stream, open(to, "w", encoding="utf-8", newline="") as out:
        reader = codecs.getreader(encoding)(stream)
        first = True
        while text := reader.read(_CHUNK):
            out.write(text.removeprefix("\ufeff") if first else text)
            first = False
    return to


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
        for record in records_of(path, encoding, feed, width):
            if record.fields is None:
                yield Malformed(record.line, record.raw, record.error or "the record is broken")
            else:
                out.write(write(record))


def _csv_line(record: Record) -> str:
    return ",".join("" if f is None else '"' + f.replace('"', '""') + '"' for f in record.fields or ()) + "\n"


def _json_line(record: Record) -> str:
    return record.raw + "\n"


def located(
    path: str, encoding: str, feed: Feed, width: int, ordinals: Sequence[int], *, all_sound: bool
) -> Iterator[tuple[int, int, str]]:
    """Where the sound records with these ordinals (ascending, from 0) stand: (ordinal, line, raw text).
    `all_sound` says that the file has no others."""
    wanted = iter(ordinals)
    next_one = next(wanted, None)
    plain = all_sound and feed.source.format is Format.CSV and _each_line_is_a_record(path, encoding, feed.source.csv)
    records: Iterator[tuple[int, str | bytes]]
    records = _plain_records(path, feed.source.csv) if plain else _sound_records(path, encoding, feed, width)
    for ordinal, (line, raw) in enumerate(records):
        if ordinal == next_one:
            yield ordinal, line, raw if isinstance(raw, str) else raw.decode("utf-8", "backslashreplace")
            next_one = next(wanted, None)
            if next_one is None:
                return


def _sound_records(path: str, encoding: str, feed: Feed, width: int) -> Iterator[tuple[int, str | bytes]]:
    for record in records_of(path, encoding, feed, width):
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
    lines = lines_of(path)
    if options.header:
        next(lines, None)
    yield from lines

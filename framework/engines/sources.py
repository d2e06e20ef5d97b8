"""The files of a batch as every engine meets them: their bytes, encoding, header, and records by the law."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

from framework.engine import SourceFile
from framework.errors import SourceChanged
from framework.feed import Feed, Format
from framework.law.layout import Layout, Rejected, csv_layout
from framework.law.records import Record, read_records
from framework.names import File

__all__ = ["choose_encoding", "fetch_all", "lines_of", "open_csv", "opened", "records_of", "unreadable", "unusable"]

_CHUNK = 1 << 20
_FETCHES_AT_ONCE = 16


def fetch_all(sources: Sequence[SourceFile]) -> None:
    """Fetch the files, several at a time. Raises SourceChanged with all that are gone."""

    def fetch(source: SourceFile) -> tuple[str, ...]:
        try:
            source.location  # noqa: B018 (fetched when asked for)
        except SourceChanged as error:
            return error.paths
        return ()

    with ThreadPoolExecutor(min(_FETCHES_AT_ONCE, len(sources) or 1)) as pool:
        gone = [path for paths in pool.map(fetch, sources) for path in paths]
    if gone:
        raise SourceChanged(gone)


def unusable(file: File) -> str | None:
    """Why a file is rejected unread; None for nearly all."""
    if file.size == 0:
        return "the file is empty (0 bytes)"
    return None if file.path == file.shown else "the file's name is not valid UTF-8; give it another one"


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


def open_csv(stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
    """The layout of a CSV file and its header, None when it is to have none. Raises UnicodeError when the header
    is broken."""
    options = feed.source.csv
    first = next(read_records(stream, encoding=encoding, options=options, width=None), None)
    if first is None:
        return Rejected("the file has no header" if options.header else "the file has no records"), None
    if not options.header:
        return csv_layout(feed, None), None
    if first.fields is None:
        raise UnicodeError(f"the header is broken: {first.error}")
    return csv_layout(feed, [name or "" for name in first.fields]), first


def records_of(path: str, encoding: str, feed: Feed, width: int) -> Iterator[Record]:
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
        for number, line in lines_of(path):
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


def lines_of(path: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, without line ends and byte-order mark, with their numbers from 1."""
    with opened(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.rstrip(b"\r\n")
            if number == 1:
                text = text.removeprefix(codecs.BOM_UTF8)
            if text:
                yield number, text

"""A batch's files before their rows: who reads each of them, in which encoding, and where its columns are."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from framework.engine import SourceFile
from framework.engines.sources import choose_encoding, open_csv, opened, records_of, unreadable, unusable
from framework.feed import Feed, Format
from framework.law.layout import Layout, Rejected, json_layout
from framework.law.records import Record
from framework.law.staging import is_nested
from framework.law.values import json_fields

__all__ = ["FileRead", "Frame", "by_layout", "json_object", "may_be_lines", "open_file"]

LINES_FROM = 8 << 20
"""Bytes from which a file is read by Spark itself."""
_PLAIN_PATH = re.compile(r"(gs://)?[A-Za-z0-9_./=+@-]+")
"""Paths that mean the same as a path, a Hadoop glob and a URI."""
_HEADER = 1 << 20
"""Bytes in which the header of a file that Spark reads must stand."""


@dataclass(slots=True)
class FileRead:
    """How one file of the batch is read: its layout, the text of its header (None for none) and its number of
    records, or why it is rejected."""

    index: int
    source: SourceFile
    encoding: str = "utf-8"
    layout: Layout | None = None
    header: str | None = None
    rejected: str | None = None
    read: int = 0
    by_spark: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The records of files of one layout. Every one has `_file` (the file's position in the batch), `_block` and
    `_line` (ascending in the file; `_line` is the number of its line, but for a first look), `_record` (its
    text), `_why` (why it is no record, or NULL), and its fields f0, f1, …"""

    layout: Layout
    data: Any


def may_be_lines(feed: Feed, source: SourceFile) -> bool:
    """Whether Spark can read the file, as far as can be told without looking at every line."""
    options, path = feed.source.csv, source.file.path
    first_encoding = codecs.lookup(feed.source.encodings[0]).name
    if feed.source.format is not Format.CSV or source.file.size < LINES_FROM or first_encoding != "utf-8":
        return False
    if options.comment or options.escape != options.quote or path.lower().endswith(".gz"):
        return False
    if any(is_nested(column) for column in feed.columns) or not _PLAIN_PATH.fullmatch(path):
        return False
    return options.header or not source.beginning(3).startswith(codecs.BOM_UTF8)


def open_file(feed: Feed, index: int, source: SourceFile, *, by_spark: bool) -> FileRead:
    """Find out the file's encoding and layout, or why it is rejected."""
    file = FileRead(index, source, by_spark=by_spark)
    try:
        file.rejected = unusable(source.file)
        if file.rejected is not None:
            return file
        if not by_spark:
            file.encoding = choose_encoding(source.location, feed.source.encodings)
        if feed.source.format is Format.CSV:
            with _stream(file) as stream:
                layout, header = open_csv(stream, file.encoding, feed)
            file.header = None if header is None else header.raw
        else:
            layout = _json_layout(feed, file)
        if isinstance(layout, Rejected):
            file.rejected = layout.reason
        else:
            file.layout = layout
    except UnicodeError as error:
        file.rejected = str(error)
    except (OSError, EOFError) as error:
        file.rejected = unreadable(error)
    return file


def _stream(file: FileRead) -> BinaryIO:
    return io.BytesIO(file.source.beginning(_HEADER)) if file.by_spark else opened(file.source.location)


def _json_layout(feed: Feed, file: FileRead) -> Layout | Rejected:
    keys: dict[str, None] = {}
    objects = 0
    for record in records_of(file.source.location, file.encoding, feed, 0):
        found = json_object(record)
        if found is not None:
            objects += 1
            keys |= dict.fromkeys(found)
    return json_layout(feed, list(keys)) if objects else Layout((), ())


def json_object(record: Record) -> dict[str, str | None] | None:
    """The members of a record that is a JSON object, each as text."""
    return json_fields(record.fields[0] or "") if record.fields else None


def by_layout(files: Iterable[FileRead]) -> Iterator[tuple[Layout, list[FileRead]]]:
    """Files that have a layout in common, in batch order."""
    groups: dict[Layout, list[FileRead]] = {}
    for file in files:
        if file.layout is not None and file.rejected is None:
            groups.setdefault(file.layout, []).append(file)
    yield from groups.items()

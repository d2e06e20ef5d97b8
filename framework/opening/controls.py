"""Control files: what the file beside a file tells of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from framework.errors import SourceChanged
from framework.feed import Control, Feed
from framework.law.layout import Layout
from framework.law.ready import beside
from framework.law.records import BrokenFile, Record
from framework.law.records.totals import Sums, amount_of
from framework.machine import reading
from framework.opening.sources import SourceFile

__all__ = ["Told", "held", "told_of"]

_MOST = 1 << 20
"""Bytes of a control file that are read."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Told:
    """What a file must hold: its number of records and sums of columns, where its control file tells them."""

    name: str
    count: int | None = None
    sums: tuple[tuple[str, Decimal], ...] = ()

    @property
    def is_about_records(self) -> bool:
        return self.count is not None or bool(self.sums)


def told_of(source: SourceFile, feed: Feed) -> Told | None:
    """What the control file of a file tells; None for feeds without, and for a member of an archive, which has none of
    its own. Raises BrokenFile where it does not tell what is
    asked, or another SHA-256 than that of the file, and SourceChanged where it is gone."""
    control = feed.source.control
    if control is None or source.is_member:
        return None
    name, text = _read(source, control)
    found = {key: _find(key, pattern, text, name) for key, pattern in control.patterns.items()}
    if "sha256" in found and (actual := _sha256(source)) != found["sha256"].lower():
        raise BrokenFile(f"its control file {name} says the SHA-256 {found['sha256'].lower()}, and it is {actual}")
    columns = {column.name: column for column in feed.columns}
    sums = []
    for column, _ in control.sums:
        amount = amount_of(found[f"sums.{column}"], columns[column], feed)
        if amount is None:
            raise BrokenFile(f"its control file {name} tells no sum of {column}, but {found[f'sums.{column}']!r}")
        sums.append((column, amount))
    if not found.get("count", "0").strip().isdecimal():
        raise BrokenFile(f"its control file {name} tells no number of records, but {found['count']!r}")
    return Told(name, int(found["count"]) if "count" in found else None, tuple(sums))


def _read(source: SourceFile, control: Control) -> tuple[str, str]:
    path = beside(source.file.path, control.file)
    content = source.read_beside(path, _MOST)
    if content is None:
        raise SourceChanged([source.file.path])
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return path.rsplit("/", 1)[-1], text


def _find(key: str, pattern: str, text: str, name: str) -> str:
    match = re.search(pattern, text, re.MULTILINE | (re.IGNORECASE if key == "sha256" else 0))
    if match is None or match.group(1) is None:
        raise BrokenFile(f"its control file {name} does not say what source.control.{key} looks for ({pattern})")
    return match.group(1)


def _sha256(source: SourceFile) -> str:
    digest = hashlib.sha256()
    with source.open() as stream, reading(source.file.path):
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def held(records: Iterator[Record], told: Told, feed: Feed, layout: Layout) -> Iterator[Record]:
    """The records. Raises BrokenFile at their end where there are not as many as was told, or their sums are others."""
    sums, count = Sums(feed, layout, tuple(column for column, _ in told.sums)), 0
    for record in records:
        if not record.no_row:
            count += 1
            if record.fields is not None:
                sums.add(record.fields)
        yield record
    if told.count is not None and count != told.count:
        raise BrokenFile(f"its control file {told.name} says {told.count} records, and there are {count}")
    for column, said in told.sums:
        if sums.found[column] != said:
            what = f"{said:f} as the sum of {column}"
            raise BrokenFile(f"its control file {told.name} says {what}, and it is {sums.found[column]:f}")

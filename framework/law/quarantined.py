"""Quarantined: records that are in the quarantine, read once more as files of their own.

Each is judged alone. One that does not make exactly one record by itself (a quote that is not closed, a text of which
only the beginning was kept) would take its neighbours with it, so it stays bad.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from framework.feed import AllBad, CheckAction, CheckScope, CsvOptions, Feed, Format, Mode, OnExceed
from framework.law.deliveries import archived_in, as_replayed
from framework.law.layout import Rejected
from framework.law.masks import NO_RECORD
from framework.law.records import READERS, BrokenFile, Record
from framework.law.records.record import NOT_VALID
from framework.names import Reason

__all__ = [
    "AGAIN",
    "BadFile",
    "BadRecord",
    "RecordId",
    "as_file",
    "bytes_again",
    "head_of",
    "is_sound",
    "judging",
    "name_of",
    "not_again",
    "not_kept",
    "reasons_of",
    "resubmitted",
    "text_again",
]

AGAIN = "_quarantined/"
"""The folder in a feed's archive for files of records that are loaded once more."""
_AS_JSON = (Format.XML, Format.EXCEL)
"""Formats whose records are kept as JSON that means the same."""
_TYPED = (Format.PARQUET, Format.AVRO, Format.ORC)
_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")
_CUT = "(limits.record)"
"""How it ends what is said of a record of which only the beginning is kept."""


@dataclass(frozen=True, slots=True, order=True)
class RecordId:
    """Which record it is: the batch that it came with, its file as the quarantine tells it, its line."""

    batch_id: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class BadRecord:
    id: RecordId
    text: str
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, row: Mapping[str, str | None]) -> BadRecord:
        """From a row of a quarantine as texts."""
        line = int(row["_line"] or 0)
        listed = json.loads(row["_errors"] or "[]")
        reasons = (Reason(e["code"], e.get("column"), 1, e.get("value"), line, e.get("message") or "") for e in listed)
        return cls(RecordId(row["_batch_id"] or "", row["_source_file"] or "", line), row["_record"] or "", (*reasons,))

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept."""
        return self.text != NO_RECORD and not any(reason.message.endswith(_CUT) for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class BadFile:
    """The bad records of one file, with what it was seen to be: its name below the landing folder, its header (empty
    where it had none, None where it is not known) and its encoding (empty where it is not known)."""

    batch_id: str
    file: str
    name: str
    records: tuple[BadRecord, ...]
    header: tuple[str, ...] | None = ()
    encoding: str = ""


def not_kept(feed: Feed) -> str | None:
    """Why the records of the feed's quarantine could not land again; None for those that stand there as in a file."""
    if any(column.mask for column in feed.columns):
        return "the quarantine keeps no records of a feed with masked columns"
    if feed.source.format in (*_AS_JSON, *_TYPED):
        return f"the quarantine keeps records of {feed.source.format} files as JSON"
    return None


def not_again(feed: Feed, *, force: bool) -> tuple[str, str] | None:
    """Why records of the feed's quarantine cannot be loaded by themselves, and what to do instead; None for nearly
    all feeds."""
    name, mode = feed.name, feed.target.mode
    whole = f"land the file once more; or make the table anew: landfeed rebuild {name} --swap"
    if any(column.mask for column in feed.columns):
        return "the quarantine keeps no records of a feed with masked columns", whole
    if mode in (Mode.OVERWRITE, Mode.SNAPSHOT):
        return f"with mode: {mode} some records would take the place of all rows", whole
    if feed.source.format in _TYPED:
        return f"the quarantine keeps records of {feed.source.format} files without their types", whole
    if mode is Mode.MERGE and not feed.target.sequence_by and not force:
        return "there is no target.sequence_by, so old records would take the place of newer rows", "--force"
    return None


def resubmitted(feed: Feed) -> Feed:
    """The feed for files that hold nothing but records, with their header, in UTF-8."""
    source = replace(
        feed.source,
        encodings=("utf-8",),
        skip_lines=0,
        until_header=False,
        trailer=None,
        control=None,
        records=None,
        sheet=None,
        format=Format.JSON if feed.source.format in _AS_JSON else feed.source.format,
    )
    return as_replayed(replace(feed, source=source))


def judging(feed: Feed) -> Feed:
    """The feed by which it is told which records are good: in tables of its own, without limits and without checks of
    whole batches."""
    table = feed.target.table.suffixed("__replay")
    target = replace(feed.target, table=table, staging=table.suffixed("__staging"))
    quarantine = replace(
        feed.quarantine,
        table=table.suffixed("__quarantine"),
        max_bad_rows=None,
        max_bad_ratio=None,
        all_bad=AllBad.LOAD,
        on_exceed=OnExceed.REJECT_FILE,
    )
    checks = (check for check in feed.checks if check.scope is CheckScope.ROW)
    kept = tuple(
        replace(check, action=CheckAction.QUARANTINE) if check.action is CheckAction.FAIL else check for check in checks
    )
    return replace(resubmitted(feed), target=target, quarantine=quarantine, checks=kept)


def name_of(feed: Feed, file: str) -> str:
    """The name below the landing folder of a file that the quarantine tells of, which may lie in the archive."""
    if file.startswith(feed.source.path):
        return file[len(feed.source.path) :]
    below = file.removeprefix(feed.archive.path)
    parts = archived_in(below.removeprefix(AGAIN))
    if parts is None:
        return below.rsplit("/", 1)[-1]
    return parts[2].split("/", 1)[-1] if below.startswith(AGAIN) else parts[2]


# Their text


def text_again(feed: Feed, record: BadRecord, encoding: str) -> str | None:
    """The record's text; None for one that cannot be read again. Bytes that were not valid in the encoding of its file
    are read in those that the feed has now."""
    if not record.is_whole:
        return None
    if not any(reason.message == NOT_VALID for reason in record.reasons):
        return record.text
    content = with_bytes(record.text, encoding)
    for each in feed.source.encodings if content is not None else ():
        try:
            return (content or b"").decode(each)
        except UnicodeError:
            continue
    return None


def bytes_again(record: BadRecord, was: str, encoding: str) -> bytes | None:
    """The record as bytes of an encoding, `was` being that of its file; None where not all of it was kept, or the
    encoding has not all of its letters. Bytes that were not valid are as they were."""
    if not record.is_whole:
        return None
    if any(reason.message == NOT_VALID for reason in record.reasons):
        return with_bytes(record.text, was)
    try:
        return record.text.encode(encoding)
    except UnicodeError:
        return None


def with_bytes(text: str, encoding: str) -> bytes | None:
    """A text in an encoding, where the quarantine's \\xNN are bytes again; None where that is not possible."""
    try:
        if "é".encode(encoding, "replace")[:1] in (b"\xff", b"\xfe", b"\x00"):  # several bytes for every letter
            return None
        parts = _BYTE.split(text)
        bytes_ = (bytes([int(part, 16)]) if index % 2 else part.encode(encoding) for index, part in enumerate(parts))
        return b"".join(bytes_)
    except (LookupError, UnicodeError):
        return None


# As files


def head_of(feed: Feed, header: Sequence[str]) -> str:
    """The line that names the fields of records, with its end; an empty text where the feed's files have none."""
    if feed.source.format is not Format.CSV or not feed.source.csv.header:
        return ""
    return feed.source.csv.sep.join(_field(name, feed.source.csv) for name in header) + "\n"


def _field(name: str, options: CsvOptions) -> str:
    quote, escape = options.quote, options.escape or options.quote or ""
    special = options.sep in name or any(sign in name for sign in "\r\n") or (quote is not None and quote in name)
    if quote is None or not (special or (options.comment and name.startswith(options.comment))):
        return name
    literal = name if escape == quote else name.replace(escape, escape * 2)
    return f"{quote}{literal.replace(quote, escape + quote)}{quote}"


def is_sound(feed: Feed, header: Sequence[str] | None, text: str) -> bool:
    """Whether a text makes exactly one record, by a feed of `resubmitted`; none does without the header that it had."""
    if header is None:
        return False
    found = _read(feed, header, [text])
    return [each.raw for each in found] == [text] and (found[0].fields is not None or found[0].no_row)


def as_file(feed: Feed, header: Sequence[str], texts: Sequence[str]) -> tuple[bytes, tuple[int, ...]]:
    """A file of sound records, and the line of each in it."""
    found = _read(feed, header, texts)
    assert [each.raw for each in found] == list(texts)  # noqa: S101 (each is sound)
    return _content(feed, header, texts), tuple(each.line for each in found)


def _content(feed: Feed, header: Sequence[str], texts: Sequence[str]) -> bytes:
    return (head_of(feed, header) + "".join(f"{text}\n" for text in texts)).encode()


def _read(feed: Feed, header: Sequence[str], texts: Sequence[str]) -> list[Record]:
    stream, reader = io.BytesIO(_content(feed, header, texts)), READERS[feed.source.format]
    try:
        layout, _ = reader.open(stream, "utf-8", feed)
        if isinstance(layout, Rejected):
            return []
        stream.seek(0)
        return list(reader.records(stream, "utf-8", feed, layout))
    except (UnicodeError, BrokenFile):
        return []


def reasons_of(records: Iterable[BadRecord]) -> tuple[Reason, ...]:
    """Why these records are bad, the most frequent reasons first."""
    found: dict[tuple[str, str | None, str], Reason] = {}
    for reason in (reason for record in records for reason in record.reasons):
        key = reason.code, reason.column, reason.message
        found[key] = found[key].with_more(1) if key in found else reason
    return tuple(sorted(found.values(), key=lambda reason: -reason.rows))

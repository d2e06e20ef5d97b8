"""Snapshots: which files are one picture, in which order pictures count, and what keeps a cut one from deleting keys.

A picture is told by the capture `snapshot.by`, or else each file is one, told by when it was modified and its path.
What it is told by is its sequence: a picture that is not newer than the last one changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from framework.feed import DeleteMode, Feed
from framework.law.change import Match
from framework.law.dialects import Dialect
from framework.law.filenames import captures_in
from framework.law.merging import partners
from framework.law.pathnames import captures
from framework.law.verdict import Judgement
from framework.names import DELETED_AT, END_AT, File, shown
from framework.types import DataType, Scalar

__all__ = ["Lost", "duplicates", "first_picture", "guarded", "lost", "picture", "picture_type", "sequence"]

_SHOWN = 3
"""Keys that are named."""


def picture_type(feed: Feed) -> DataType:
    """The type of a picture's sequence."""
    by = feed.target.snapshot.by
    capture = next((each for each in captures_in(feed.source.files or "*") if each.name == by), None)
    if capture is None:
        return Scalar("timestamp")
    if capture.date_pattern is not None:
        return Scalar("timestamp" if "h" in capture.date_pattern.lower() else "date")
    return Scalar("bigint" if capture.number else "string")


def picture(feed: Feed, file: File) -> str:
    """What tells the picture that a file belongs to; of two pictures the greater text is the newer one."""
    by = feed.target.snapshot.by
    if by is None:
        return f"{file.modified:020} {file.shown}"
    text = _captured(feed, file, by)
    return f"{int(text):020}" if picture_type(feed) == Scalar("bigint") else text


def sequence(feed: Feed, file: File) -> str:
    """The sequence of the picture that a file belongs to, as a value of `picture_type` is written."""
    by = feed.target.snapshot.by
    if by is None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=file.modified // 1000)
        return f"{moment.replace(tzinfo=None).isoformat(sep=' ', timespec='microseconds')}Z"
    return _captured(feed, file, by)


def _captured(feed: Feed, file: File, capture: str) -> str:
    name = shown(file.name.rsplit("/", 1)[-1])
    return (captures(feed.source.files or "*", name) or {}).get(capture, "")


def first_picture(feed: Feed, pending: Sequence[File]) -> tuple[File, ...]:
    """The files of the oldest picture that is pending."""
    oldest = min((picture(feed, file) for file in pending), default="")
    return tuple(file for file in pending if picture(feed, file) == oldest)


# What keeps a cut one out


@dataclass(frozen=True, slots=True)
class Lost:
    """What a picture would do: the first keys that it has twice (their values and how many rows), and how many keys of
    the target it lacks, of how many."""

    twice: Sequence[Sequence[object]] = ()
    missing: int = 0
    live: int = 0


def duplicates(feed: Feed, rows: str, dialect: Dialect) -> str:
    """A query of the first keys that rows have several times, as texts, and how often."""
    keys = [dialect.name(key) for key in feed.target.keys]
    texts = ", ".join(map(dialect.as_text, keys))
    listed = ", ".join(keys)
    return (
        f"SELECT {texts}, count(*) FROM {rows} AS s GROUP BY {listed} HAVING count(*) > 1 "
        f"ORDER BY {listed} LIMIT {_SHOWN}"
    )


def lost(feed: Feed, match: Match, rows: str, target: str, dialect: Dialect) -> str:
    """A query of how many live keys of the target rows lack, and how many there are."""
    alive = "true"
    if feed.target.scd_type == 2:
        alive = f"t.{END_AT} IS NULL"
    elif feed.target.delete_mode is DeleteMode.SOFT:
        alive = f"t.{DELETED_AT} IS NULL"
    there = f"EXISTS (SELECT 1 FROM {rows} AS s WHERE {partners(match, dialect)})"
    missing = f"coalesce(sum(CASE WHEN {there} THEN 0 ELSE 1 END), 0)"
    return f"SELECT {missing}, count(*) FROM {target} AS t WHERE {alive}"


def guarded(feed: Feed, judgement: Judgement, found: Lost) -> Judgement:
    """The judgement with all files rejected where the picture that they make must not be applied."""
    reason = _why_not(feed, found)
    if reason is None:
        return judgement
    return replace(judgement, rejected=tuple(why or reason for why in judgement.rejected))


def _why_not(feed: Feed, found: Lost) -> str | None:
    target, most = feed.target, feed.target.snapshot.max_deletes
    if found.twice:
        keys = ", ".join(
            " and ".join(f"{name} = {value}" for name, value in zip(target.keys, key, strict=False))
            for key in found.twice
        )
        return f"the picture has keys more than once, first {keys}: which row counts?"
    if found.live and found.missing > most * found.live:
        return (
            f"the picture lacks {found.missing} of the {found.live} keys of {target.table}, more than "
            f"target.snapshot.max_deletes ({most:g}) lets it delete"
        )
    return None

"""Verdict: what becomes of a batch's rows and files. Engines count, and what the figures mean is decided here, once.

A file is refused as a whole when it could not be read or when too many of its rows are bad; with `on_exceed: fail`
the feed fails instead. What an engine wrote is held against what was decided (`conserved`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from framework.batch import Checked, FileOutcome, Seen
from framework.errors import LandfeedError, PolicyError
from framework.feed import AllBad, CheckAction, Feed, MembersOnError, Mode, OnExceed, Quarantine
from framework.law.layout import renamed
from framework.names import File, Reason, Rows, shown

__all__ = [
    "REASONS", "Figures", "Judgement", "Verdict", "check_warnings", "conserved", "exceeded", "in_rows", "judge",
    "most_frequent",
]  # fmt: skip

REASONS = 5
"""Reasons that are kept of a file and of a feed."""
_LONGEST = 200
"""Characters of a value that a reason shows."""


class Verdict(StrEnum):
    """What becomes of one row, from best to worst; of several broken rules the worst verdict holds."""

    KEEP = "keep"
    DROP = "drop"
    QUARANTINE = "quarantine"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Figures:
    """What an engine counted in one file: its records, the bad ones and those left out by a filter among them, the
    bad ones' reasons; or why the file could not be read; what it was seen to be."""

    file: File
    read: int = 0
    bad: int = 0
    filtered: int = 0
    reasons: tuple[Reason, ...] = ()
    unreadable: str | None = None
    seen: Seen = Seen()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The files' figures, and for each file why it is rejected, None when it is not."""

    figures: tuple[Figures, ...]
    rejected: tuple[str | None, ...]

    @property
    def refused(self) -> tuple[int, ...]:
        """The positions of the files that are rejected for their rows."""
        pairs = enumerate(zip(self.figures, self.rejected, strict=True))
        return tuple(index for index, (figures, why) in pairs if why is not None and figures.unreadable is None)

    @property
    def accepts(self) -> bool:
        """Whether a file is not rejected."""
        return any(why is None for why in self.rejected)

    def outcomes(self, staged: Sequence[int], deduplicated: Sequence[int]) -> tuple[FileOutcome, ...]:
        """What is told of the files, given how many rows of each were staged and how many lost to another row of
        their key."""
        files = zip(self.figures, self.rejected, staged, deduplicated, strict=True)
        return tuple(_outcome(*file) for file in files)


def _outcome(figures: Figures, rejected: str | None, staged: int, deduplicated: int) -> FileOutcome:
    if rejected is not None:
        why = Seen(lacks=figures.seen.lacks, brings=figures.seen.brings)
        return FileOutcome(figures.file, rejected=rejected, reasons=figures.reasons, seen=why)
    rows = Rows(figures.read, staged, figures.bad, figures.filtered, deduplicated)
    return FileOutcome(figures.file, rows, reasons=figures.reasons, seen=figures.seen)


def judge(feed: Feed, figures: Iterable[Figures], before: Sequence[str] = ()) -> Judgement:
    """Decide which files are rejected; `before` is the header of the file that was loaded last, if it had one. Raises
    PolicyError when a file is over the limits of a feed that then fails."""
    counted: list[Figures] = []
    rejected: list[str | None] = []
    for _, some in groupby(figures, key=lambda each: each.file.landed):
        members, why_not, before = _one_file(feed, list(some), before)
        counted += members
        rejected += why_not
    return Judgement(tuple(counted), tuple(_as_a_whole(feed, counted, rejected)))


def _one_file(
    feed: Feed, members: list[Figures], before: Sequence[str]
) -> tuple[list[Figures], list[str | None], Sequence[str]]:
    """What is known of a file, or of each member of an archive, why it is rejected, and the header of the last one that
    is not."""
    rejected: list[str | None] = []
    header = before
    for index, each in enumerate(members):
        other = renamed(feed, each.seen.header, header) if each.unreadable is None else None
        if other is not None:
            members[index] = replace(each, seen=replace(each.seen, lacks=other.lacks, brings=other.brings))
        why = each.unreadable or (other.reason if other is not None else _over_limit(feed, each))
        rejected.append(why)
        header = (why is None and each.seen.header) or header
    first = next((each for each, why in zip(members, rejected, strict=True) if why is not None), None)
    if first is None or len(members) == 1 or feed.source.members_on_error is MembersOnError.REJECT_MEMBERS:
        return members, rejected, header
    why_all = f"{shown(first.file.name)} in the same archive is rejected (source.members_on_error)"
    return members, [why or why_all for why in rejected], before


def _as_a_whole(feed: Feed, figures: Sequence[Figures], rejected: Sequence[str | None]) -> Sequence[str | None]:
    """What is decided of all files together: a batch that takes the place of what is there must have a good row."""
    target = feed.target
    good = (each.read - each.bad - each.filtered for each, why in zip(figures, rejected, strict=True) if why is None)
    if target.mode is Mode.OVERWRITE and not target.allow_empty and not any(good):
        may = f"and it would empty {target.table}; target.allow_empty: true lets it"
        return [why or f"no file of the batch has a good row, {may}" for why in rejected]
    if target.mode is Mode.SNAPSHOT:
        return _complete(feed, figures, rejected)
    return rejected


def _complete(feed: Feed, figures: Sequence[Figures], rejected: Sequence[str | None]) -> Sequence[str | None]:
    """What is decided of the files of a picture: all of it counts, or nothing."""
    bad = [_lacking(each) if why is None and each.bad else why for each, why in zip(figures, rejected, strict=True)]
    first = next((index for index, why in enumerate(bad) if why is not None), None)
    if first is not None:
        other = f"{shown(figures[first].file.name)} of the same picture is rejected"
        return [why or other for why in bad]
    if not feed.target.snapshot.allow_empty and not any(each.read - each.filtered for each in figures):
        may = f"and it would delete all keys of {feed.target.table}; target.snapshot.allow_empty: true lets it"
        return [f"the picture has no row, {may}" for _ in bad]
    return bad


def _lacking(figures: Figures) -> str:
    first = f"; {figures.reasons[0]}" if figures.reasons else ""
    return f"{figures.bad} of {figures.read} rows are bad, and a picture without them would delete their keys{first}"


def _over_limit(feed: Feed, figures: Figures) -> str | None:
    reason = exceeded(feed.quarantine, figures)
    if reason is not None and feed.quarantine.on_exceed is OnExceed.FAIL:
        raise PolicyError(
            f"feed {feed.name}, file {figures.file.shown}: {reason}",
            "nothing was loaded; mend the file, or raise the limits under `quarantine`",
        )
    return reason


def exceeded(quarantine: Quarantine, figures: Figures) -> str | None:
    """Why a file is over the limits, None when it is not. Filtered rows are neither good nor bad."""
    bad, rows = figures.bad, figures.read - figures.filtered
    first = f"; {figures.reasons[0]}" if figures.reasons else ""
    row, are = ("row", "is") if bad == 1 else ("rows", "are")
    if quarantine.max_bad_rows is not None and bad > quarantine.max_bad_rows:
        return f"{bad} bad {row} {are} more than quarantine.max_bad_rows ({quarantine.max_bad_rows}){first}"
    if quarantine.max_bad_ratio is not None and rows and bad / rows > quarantine.max_bad_ratio:
        most = f"quarantine.max_bad_ratio ({quarantine.max_bad_ratio:g})"
        return f"{bad} bad {row} of {rows} {are} more than {most}{first}"
    if quarantine.all_bad is AllBad.REJECT_FILE and rows and bad == rows:
        return f"{'all ' if rows > 1 else 'the only '}{_number(rows)} bad (quarantine.all_bad){first}"
    return None


def _number(rows: int) -> str:
    return f"{rows} rows are" if rows > 1 else "row is"


def most_frequent(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The most frequent reasons, the same ones of several files or readers together, the first place of each."""
    together: dict[tuple[str, str | None, str], Reason] = {}
    for reason in reasons:
        key = (reason.code, reason.column, reason.message)
        before = together.get(key)
        together[key] = reason if before is None else before.with_more(reason.rows)
    most = sorted(together.values(), key=_order)[:REASONS]
    return tuple(replace(reason, value=_short(reason.value), message=_short(reason.message) or "") for reason in most)


def _order(reason: Reason) -> tuple[object, ...]:
    """The most frequent first; of several, the one that occurs first."""
    return -reason.rows, reason.line is None, reason.line, reason.code, reason.column or "", reason.message


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def conserved(feed: Feed, verb: str, expected: int, found: int) -> None:
    """Hold what an engine wrote against what was decided. Raises LandfeedError; `verb` is `read`, `staged` or
    `quarantined`."""
    if found != expected:
        raise LandfeedError(
            f"feed {feed.name}: {expected} rows were to be {verb} and {found} were",
            "nothing was merged; a file may have changed while it was read: run again, and report it if it stays so",
            code="conservation",
        )


def check_warnings(checked: Sequence[Checked]) -> Iterator[str]:
    """A sentence for every check that failed and only warns."""
    for each in checked:
        if not each.passed and each.action == CheckAction.WARN:
            how = f"in {in_rows(each.rows_failed)}" if each.rows_failed is not None else f"(found: {each.value})"
            yield f"the check {each.check} failed {how}"


def in_rows(number: int | None) -> str:
    """A number of rows, in words."""
    return f"{number:,} row{'' if number == 1 else 's'}"

"""Changes: what is new about feeds since somebody was told of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.environment import Occasion
from framework.law.freshness import Freshness, FreshnessState
from framework.names import Status
from framework.report import FeedReport, rejection

__all__ = ["OK", "THE_RUN", "Change", "News", "Standing", "after_run", "changes", "expected_of", "of_run"]

OK = "ok"
THE_RUN = ""
"""In place of a feed's name: the run itself, which could not begin."""
_FILES = 5
"""Rejected files of which there are more are counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a feed stands: its last load (ok, failed, rejected), whether it is late, whether its size is unusual."""

    load: str = OK
    freshness: str = OK
    rows: str = OK


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody is told of a feed: an occasion, a sentence, and more in the shape of documents."""

    feed: str
    occasion: Occasion
    message: str
    more: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"feed": self.feed or None, "event": str(self.occasion), "message": self.message, **self.more}


@dataclass(frozen=True, slots=True)
class News:
    """How a feed stands now, with what is to be said of each part that may have changed."""

    standing: Standing
    said: Mapping[str, tuple[str, Mapping[str, Any]]]


def after_run(report: FeedReport, before: Standing) -> News:
    """What a run says of a feed. One that did nothing leaves it as it was."""
    match report.status:
        case Status.FAILED:
            load = Occasion.FAILED.value
        case Status.REJECTED:
            load = Occasion.REJECTED.value
        case Status.SUCCEEDED:
            load = OK
        case _:
            said = f"its last load was {before.load}; see: landfeed status {report.feed}"
            return News(before, {"load": (said, {})})
    return News(Standing(load, before.freshness, before.rows), {"load": (_sentence(report), _more(report))})


def of_run(message: str, hint: str | None) -> News:
    """A run that could not begin."""
    return News(Standing(Occasion.FAILED.value), {"load": (message, {"hint": hint})})


def expected_of(freshness: Freshness, late: str | None, before: News) -> News:
    """The same with what was expected of the feed; `late` says why it is late."""
    is_late = freshness.state is FreshnessState.LATE
    standing = Standing(
        before.standing.load,
        Occasion.LATE.value if is_late else OK,
        Occasion.UNUSUAL.value if freshness.unusual else OK,
    )
    last = freshness.last.isoformat() if freshness.last else None
    said = {
        "freshness": (late or "data has come", {"last_load": last}),
        "rows": (freshness.unusual or "the newest load has as many rows as expected", {"last_load": last}),
    }
    return News(standing, {**before.said, **said})


def changes(feed: str, before: Standing, news: News, on: Sequence[Occasion]) -> list[Change]:
    """What is to be told of a feed to somebody who wants to hear on these occasions."""
    found = []
    for part, (message, more) in news.said.items():
        was, now = getattr(before, part), getattr(news.standing, part)
        if was == now:
            continue
        occasion = Occasion.RECOVERED if now == OK else Occasion(now)
        if occasion in on and (now != OK or Occasion(was) in on):
            found.append(Change(feed, occasion, message, {**more, "was": was}))
    return found


def _sentence(report: FeedReport) -> str:
    if report.error is not None:
        return report.error.message
    rejected = [(file.file, file.reason) for file in report.files if file.status == "rejected"]
    if rejected:
        return rejection(rejected)
    return f"loaded {report.rows.read:,} rows into {report.table}"


def _more(report: FeedReport) -> dict[str, Any]:
    """What the report says without values of the data."""
    rejected = [file for file in report.files if file.status == "rejected"]
    reasons = [
        {"code": reason.code, "column": reason.column, "rows": reason.rows, "message": reason.message}
        for reason in report.reasons
    ]
    return {
        "hint": report.error.hint if report.error else None,
        "batch_id": report.batch_id,
        "table": report.table,
        "rows_read": report.rows.read,
        "rows_quarantined": report.rows.quarantined,
        "reasons": reasons,
        "rejected": [{"file": file.file, "reason": file.reason} for file in rejected[:_FILES]],
        "rejected_files": len(rejected),
    }

"""Freshness of feeds: what their expectations say of the ledger and of landing, without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.freshness import Arrived, Freshness, FreshnessState, judged
from framework.names import File
from framework.plan.world import World
from framework.runs.landing import Landing

__all__ = ["Expected", "freshness_of", "oldest", "pending"]

_LOADS = 21
"""Loads of a feed by which it is judged: the newest one, and those that say what is usual."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The freshness of a feed, and why it is late, in a sentence."""

    freshness: Freshness
    message: str | None = None

    def as_dict(self) -> dict[str, Any]:
        found = self.freshness
        moments = (found.late_since, found.due, found.last)
        late_since, due, last = (moment.isoformat() if moment else None for moment in moments)
        return {
            "state": str(found.state),
            "late_since": late_since,
            "due": due,
            "last_load": last,
            "unusual": found.unusual,
            "message": self.message,
        }


def freshness_of(feeds: Sequence[Feed], world: World, landing: Landing) -> Mapping[str, Expected]:
    """The freshness of those feeds that say what is expected, by feed. A landing folder that cannot be looked at holds
    nothing."""
    expecting = [feed for feed in feeds if feed.expect is not None]
    loads = world.ledger.loads([feed.name for feed in expecting], _LOADS)
    now, found = world.clock(), {}
    for feed in expecting:
        if feed.expect is not None:
            arrived = [Arrived(load.recorded_at, load.rows_read) for load in loads.get(feed.name, ())]
            waiting = oldest(pending(feed, landing)) if not arrived else None
            freshness = judged(feed.expect, arrived, waiting, now)
            late = freshness.state is FreshnessState.LATE
            found[feed.name] = Expected(freshness, _message(freshness, pending(feed, landing)) if late else None)
    return found


def pending(feed: Feed, landing: Landing) -> Sequence[File]:
    """The files that wait in landing; none where that cannot be looked at."""
    try:
        return landing.listing(feed).pending
    except LandfeedError:
        return ()


def oldest(files: Sequence[File]) -> datetime | None:
    """When the oldest of these files came."""
    modified = min((file.modified for file in files), default=None)
    return None if modified is None else datetime.fromtimestamp(modified / 1e9, UTC)


def _message(freshness: Freshness, pending: Sequence[File]) -> str:
    since = _minute(freshness.late_since) if freshness.late_since else "some time"
    last = f"the last load was at {_minute(freshness.last)}" if freshness.last else "nothing was ever loaded"
    what = f"{len(pending):,} file(s) wait in landing to be loaded" if pending else "landing has no file to load"
    return f"late since {since}: {last}; {what}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

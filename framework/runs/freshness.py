"""Freshness of feeds: what their expectations say of the ledger and of landing, without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.freshness import Arrived, Freshness, FreshnessState, judged
from framework.plan.world import World
from framework.runs.landing import Landing

__all__ = ["freshness_document", "freshness_of"]

_LOADS = 21
"""Loads of a feed by which it is judged: the newest one, and those that say what is usual."""


def freshness_of(feeds: Sequence[Feed], world: World, landing: Landing) -> Mapping[str, Freshness]:
    """The freshness of those feeds that say what is expected, by feed. A landing folder that cannot be looked at holds
    nothing."""
    expecting = [feed for feed in feeds if feed.expect is not None]
    loads = world.ledger.loads([feed.name for feed in expecting], _LOADS)
    now, found = world.clock(), {}
    for feed in expecting:
        if feed.expect is not None:
            arrived = [Arrived(load.recorded_at, load.rows_read) for load in loads.get(feed.name, ())]
            waiting = None if arrived else _waiting(feed, landing)
            found[feed.name] = judged(feed.expect, arrived, waiting, now)
    return found


def _waiting(feed: Feed, landing: Landing) -> datetime | None:
    """When the oldest file that waits in landing came."""
    try:
        pending = landing.listing(feed).pending
    except LandfeedError:
        return None
    oldest = min((file.modified for file in pending), default=None)
    return None if oldest is None else datetime.fromtimestamp(oldest / 1e9, UTC)


def freshness_document(freshness: Freshness, pending: int | None) -> dict[str, Any]:
    """The freshness of a feed as documents show it; `pending` files wait in landing."""
    moments = (freshness.late_since, freshness.due, freshness.last)
    late_since, due, last = (moment.isoformat() if moment else None for moment in moments)
    return {
        "state": str(freshness.state),
        "late_since": late_since,
        "due": due,
        "last_load": last,
        "unusual": freshness.unusual,
        "message": _message(freshness, pending),
    }


def _message(freshness: Freshness, pending: int | None) -> str | None:
    """Why a feed is late, in a sentence."""
    if freshness.state is not FreshnessState.LATE or freshness.late_since is None:
        return None
    last = f"the last load was at {_minute(freshness.last)}" if freshness.last else "nothing was ever loaded"
    what = f"; {pending:,} file(s) wait in landing to be loaded" if pending else "; landing has no file to load"
    return f"late since {_minute(freshness.late_since)}: {last}{what}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

"""Remembered: what the ledger is asked before a run: whose batch is not over, and whether the clock can be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from framework.leases import Leases
from framework.ledger import CLOSED, BatchEvent
from framework.plan.world import World

__all__ = ["SKEW", "Remembered", "clock_behind", "remembered"]

_REMEMBERED = timedelta(days=31)
SKEW = timedelta(minutes=1)
"""By which clocks of several machines may differ."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """`unfinished` are feeds with a batch that did not reach the archive, or of which the ledger may not know that it
    did; `behind` is a sentence where the clock is behind what is recorded."""

    unfinished: set[str]
    behind: str | None


def remembered(world: World, leases: Leases) -> Remembered:
    """What is recorded of all feeds. A batch older than `_REMEMBERED` is found when its feed has something to do: a run
    does not read all history."""
    latest = world.ledger.latest(world.clock() - _REMEMBERED)
    open_ = {feed for feed, event in latest.items() if event.state not in CLOSED and event.is_staged}
    return Remembered(open_ | leases.left(), clock_behind(latest, world))


def clock_behind(latest: Mapping[str, BatchEvent], world: World) -> str | None:
    """A sentence where the clock has been set back behind what is recorded; None where it has not. Batches and tables
    do not go by it."""
    newest = max((event.recorded_at for event in latest.values()), default=None)
    if newest is None or newest <= world.clock() + SKEW:
        return None
    return f"the clock is behind what is recorded ({newest:%Y-%m-%d %H:%M:%S} UTC), by which history and status go"

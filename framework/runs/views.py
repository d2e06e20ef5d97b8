"""Views: what `status` and `history` show, as plain data in the contract's shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from framework.feed import Feed
from framework.ledger import BatchEvent, FileEvent
from framework.names import BatchState, FileState
from framework.plan.execute import World
from framework.runs.landing import Landing
from framework.runs.run import landing_of

__all__ = ["history", "history_files", "status"]

_FINISHED = (BatchState.ARCHIVED, BatchState.ABANDONED)


def status(feeds: Sequence[Feed], world: World) -> dict[str, Any]:
    """One entry a feed: what is pending, what is unfinished, what was loaded last."""
    latest, landing = world.ledger.latest(), landing_of(feeds, world)
    return {"feeds": [_feed_status(feed, world, landing, latest.get(feed.name)) for feed in feeds]}


def _feed_status(feed: Feed, world: World, landing: Landing, last: BatchEvent | None) -> dict[str, Any]:
    pending = len(landing.listing(feed).pending)
    unfinished = None
    if last is not None and last.state not in _FINISHED:
        unfinished = {"batch_id": last.batch_id, "state": last.state.value}
    target = world.engine.state(feed.target.table, feed.name)
    return {
        "feed": feed.name,
        "pending_files": pending,
        "unfinished_batch": unfinished,
        "last_batch": _plain(asdict(last)) if last else None,
        "target_version": target.version if target else None,
    }


def history(feeds: Sequence[str], world: World, limit: int | None) -> list[dict[str, Any]]:
    """The batches of these feeds, newest first, each in its last state."""
    seen: dict[str, BatchEvent] = {}
    for event in world.ledger.batch_events(feeds=feeds):
        seen.setdefault(event.batch_id, event)
    return [_plain(asdict(event)) for event in list(seen.values())[:limit]]


def history_files(batch_ids: Sequence[str], world: World, feeds: Sequence[Feed] = ()) -> list[dict[str, Any]]:
    """The files of these batches, each in its last state; of batches of these feeds also why rows are bad, as long as
    staging's history tells it."""
    seen: dict[tuple[str, str], FileEvent] = {}
    for event in _furthest_first(world.ledger.file_events(batch_ids=batch_ids)):
        seen.setdefault((event.batch_id, event.file), event)
    why = {
        (manifest.batch_id, outcome.file.shown): [asdict(reason) for reason in outcome.reasons]
        for feed in feeds
        for manifest in world.engine.manifests(feed.target.staging, feed.name)
        for outcome in manifest.outcomes
    }
    return [_plain(asdict(event)) | {"reasons": why.get(key, [])} for key, event in seen.items()]


def _furthest_first(events: Iterable[FileEvent]) -> list[FileEvent]:
    order = list(FileState)
    return sorted(events, key=lambda event: order.index(event.state), reverse=True)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}

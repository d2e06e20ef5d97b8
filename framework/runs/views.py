"""Views: what `status`, `plan` and `history` show, as plain data in the contract's shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from framework.errors import Failure, expected
from framework.feed import Feed
from framework.ledger import BatchEvent, FileEvent
from framework.names import BatchState, FileState
from framework.plan.compile import compile_plan
from framework.plan.explain import SqlOf, explain
from framework.plan.observe import observe
from framework.plan.world import World
from framework.runs.landing import Landing
from framework.runs.run import landing_of

__all__ = ["history", "history_files", "plans", "status"]

Found = TypeVar("Found")
_FINISHED = (BatchState.ARCHIVED, BatchState.ABANDONED)


def status(feeds: Sequence[Feed], world: World) -> dict[str, Any]:
    """One entry a feed: what is pending, what is unfinished, what was loaded last, or why it cannot be looked at."""
    latest, landing = world.ledger.latest(), landing_of(feeds, world)
    return {"feeds": [_feed_status(feed, world, landing, latest.get(feed.name)) for feed in feeds]}


def _feed_status(feed: Feed, world: World, landing: Landing, last: BatchEvent | None) -> dict[str, Any]:
    listing, pending_error = _looked(lambda: landing.listing(feed))
    target, target_error = _looked(lambda: world.engine.state(feed.target.table, feed.name))
    unfinished = None
    if last is not None and last.state not in _FINISHED:
        unfinished = {"batch_id": last.batch_id, "state": last.state.value}
    error = pending_error or target_error
    return {
        "feed": feed.name,
        "pending_files": len(listing.pending) if listing else None,
        "unfinished_batch": unfinished,
        "last_batch": _plain(asdict(last)) if last else None,
        "target_version": target.version if target else None,
        "warnings": list(listing.told) if listing else [],
        "error": asdict(error) if error else None,
    }


def plans(feeds: Sequence[Feed], world: World, sql: SqlOf | None = None) -> dict[str, Any]:
    """One entry a feed: what a run would do now, or why it could do nothing. SQL only if there is something to ask."""
    landing = landing_of(feeds, world)

    def planned(feed: Feed) -> dict[str, Any]:
        listing = landing.listing(feed)
        facts = observe(feed, world.storage(feed), world.ledger, world.engine, listing, world.keeping)
        return explain(compile_plan(feed, facts), listing, sql)

    documents = []
    for feed in feeds:
        found, error = _looked(partial(planned, feed))
        nothing = {"feed": feed.name, "files": [], "steps": []}
        documents.append((found or nothing) | {"error": asdict(error) if error else None})
    return {"feeds": documents}


def _looked(look: Callable[[], Found]) -> tuple[Found | None, Failure | None]:
    """What was found, or why looking failed, which is one feed's trouble and not that of the others."""
    try:
        return look(), None
    except Exception as error:
        return None, expected(error).failure


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

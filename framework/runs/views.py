"""Views: what `status`, `plan` and `history` show, as plain data in the contract's shapes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from framework.errors import Failure, expected
from framework.feed import Feed
from framework.law.freshness import FreshnessState
from framework.law.headers import column_warnings
from framework.ledger import BatchEvent, FileEvent
from framework.names import BatchState, FileState, Status, Table
from framework.plan.compile import compile_plan, unfit
from framework.plan.explain import SqlOf, explain
from framework.plan.foresee import foreseen
from framework.plan.observe import observe
from framework.plan.world import World
from framework.runs.freshness import Expected, freshness_of
from framework.runs.landing import Landing, landing_of
from framework.steps import Stage

__all__ = ["bad", "history", "history_files", "plans", "removed", "status"]

Found = TypeVar("Found")
_FINISHED = (BatchState.ARCHIVED, BatchState.ABANDONED)


def status(
    feeds: Sequence[Feed], world: World, tell: Callable[[Mapping[str, Expected]], object] = lambda _: None
) -> dict[str, Any]:
    """One entry a feed: what is pending, what is unfinished, what was loaded last, or why it cannot be looked at.
    `tell` hears how fresh the feeds are that say what is expected."""
    latest, landing = world.ledger.latest(), landing_of(feeds, world)
    ids = [latest[feed.name].batch_id for feed in feeds if feed.name in latest]
    changes = _changes(ids, world)
    rejected, fresh = _rejected(ids, world), freshness_of(feeds, world, landing)
    tell(fresh)

    def one(feed: Feed) -> dict[str, Any]:
        last = latest.get(feed.name)
        found = _feed_status(feed, world, landing, last, rejected[last.batch_id] if last else [])
        freshness = fresh.get(feed.name)
        changed = changes.get(last.batch_id, []) if last else []
        return found | {"schema_changes": changed, "freshness": freshness.as_dict() if freshness else None}

    return {"feeds": [one(feed) for feed in feeds]}


def bad(feed: dict[str, Any]) -> bool:
    """Whether an entry of `status` is one to worry about: late, of an unusual size, or its last result was bad."""
    freshness = feed["freshness"] or {"state": None, "unusual": None}
    late = freshness["state"] == FreshnessState.LATE or freshness["unusual"] is not None
    return late or feed["last_result"] in (Status.REJECTED, Status.FAILED)


def _rejected(batch_ids: Sequence[str], world: World) -> defaultdict[str, list[FileEvent]]:
    """The files of these batches that were rejected."""
    found: defaultdict[str, list[FileEvent]] = defaultdict(list)
    for event in world.ledger.file_events(batch_ids=batch_ids) if batch_ids else ():
        if event.state is FileState.REJECTED:
            found[event.batch_id].append(event)
    return found


def _feed_status(
    feed: Feed, world: World, landing: Landing, last: BatchEvent | None, rejected: Sequence[FileEvent]
) -> dict[str, Any]:
    listing, pending_error = _looked(lambda: landing.listing(feed))
    target, target_error = _looked(lambda: world.engine.state(feed.target.table, feed.name))
    rows, _ = _looked(lambda: world.engine.rows(feed.target.table))
    columns, _ = _looked(lambda: _warnings(feed, world).get(last.batch_id, []) if last else [])
    unfinished = None
    if last is not None and last.state not in _FINISHED and last.is_staged:
        unfinished = {"batch_id": last.batch_id, "state": last.state.value}
    error = pending_error or target_error
    return {
        "feed": feed.name,
        "pending_files": len(listing.pending) if listing else None,
        "unfinished_batch": unfinished,
        "last_batch": _plain(asdict(last)) if last else None,
        "last_result": _result(last, rejected),
        "rejected": [{"file": event.file, "reason": event.reason, "moved_to": event.moved_to} for event in rejected],
        "target_version": target.version if target else None,
        "target_rows": rows,
        "warnings": [*(listing.told if listing else ()), *(columns or ())],
        "error": asdict(error) if error else None,
    }


def _result(last: BatchEvent | None, rejected: Sequence[FileEvent]) -> str | None:
    """How the last batch of a feed ended: a rejection is told until the next good one."""
    match last.state if last is not None else None:
        case BatchState.FAILED | BatchState.ABANDONED:
            return Status.FAILED
        case BatchState.ARCHIVED:
            return Status.REJECTED if rejected else Status.SUCCEEDED
        case _:
            return None


def _warnings(feed: Feed, world: World) -> dict[str, list[str]]:
    """What the headers of a feed's files lacked and brought, by batch, as long as staging's history tells it."""
    found = {}
    for manifest in world.engine.manifests(feed.target.staging, feed.name):
        found[manifest.batch_id] = list(column_warnings(feed, (outcome.seen for outcome in manifest.outcomes)))
    return found


def _changes(batch_ids: Sequence[str], world: World) -> dict[str, list[dict[str, str | None]]]:
    """What was different in these batches, by file."""
    found: dict[str, list[dict[str, str | None]]] = {}
    events = world.ledger.schema_changes(batch_ids)
    for event in sorted(events, key=lambda each: (each.recorded_at, each.file or "", each.kind, each.column)):
        found.setdefault(event.batch_id, []).append(event.as_dict())
    return found


def plans(feeds: Sequence[Feed], world: World, sql: SqlOf | None = None) -> dict[str, Any]:
    """One entry a feed: what a run would do now, or why it could do nothing. SQL only if there is something to ask."""
    landing, latest = landing_of(feeds, world), world.ledger.latest()

    def planned(feed: Feed) -> dict[str, Any]:
        listing = landing.listing(feed)
        facts = observe(feed, world.storage(feed), world.ledger, world.engine, listing, world.keeping)
        last = latest.get(feed.name)
        plan, warnings = compile_plan(feed, facts), [*facts.notes]
        warnings += unfit(feed, facts, last.target if last is not None else None)
        for step in (step for step in plan.steps if isinstance(step, Stage)):
            found = foreseen(step.feed, step.batch.files, world.storage(feed), facts.header, facts.target)
            plan = compile_plan(feed, replace(facts, brought=found.added)) if found.added else plan
            warnings += found.said
        return explain(plan, listing, sql, world.engine.to_rewrite) | {"warnings": warnings}

    documents = []
    for feed in feeds:
        found, error = _looked(partial(planned, feed))
        nothing = {"feed": feed.name, "files": [], "steps": [], "warnings": []}
        documents.append((found or nothing) | {"error": asdict(error) if error else None})
    return {"feeds": documents}


def removed(names: Collection[str], world: World) -> list[dict[str, str]]:
    """Feeds that have loaded a table which is still there, and are none of these any more."""
    gone = (event for feed, event in sorted(world.ledger.latest().items()) if feed not in names)
    there = (event for event in gone if world.engine.state(Table(event.target), event.feed) is not None)
    return [{"feed": event.feed, "table": event.target} for event in there]


def _looked(look: Callable[[], Found]) -> tuple[Found | None, Failure | None]:
    """What was found, or why looking failed, which is one feed's trouble and not that of the others."""
    try:
        return look(), None
    except Exception as error:
        return None, expected(error).failure


def history(feeds: Sequence[Feed], world: World, limit: int | None) -> list[dict[str, Any]]:
    """The batches of these feeds, newest first, each in its last state, with the number of its rejected files and what
    headers lacked and brought, as long as staging's history tells it."""
    seen: dict[str, BatchEvent] = {}
    for event in world.ledger.batch_events(feeds=[feed.name for feed in feeds]):
        seen.setdefault(event.batch_id, event)
    shown = list(seen.values())[:limit]
    rejected = _rejected([event.batch_id for event in shown], world)
    told = {event.feed for event in shown}
    warnings = {batch: said for feed in feeds if feed.name in told for batch, said in _warnings(feed, world).items()}
    changes = _changes([event.batch_id for event in shown], world)
    return [
        _plain(asdict(event))
        | {"rejected": len(rejected[event.batch_id]), "warnings": warnings.get(event.batch_id, [])}
        | {"schema_changes": changes.get(event.batch_id, [])}
        for event in shown
    ]


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

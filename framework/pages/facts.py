"""Facts: what is known of feeds, from the ledger, landing and the manifests of staging; collected once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from framework.batch import Manifest
from framework.errors import expected
from framework.feed import Feed
from framework.law.drift import change_in_words
from framework.law.freshness import FreshnessState
from framework.ledger import FileEvent, SchemaChangeEvent
from framework.names import BatchState, Reason
from framework.plan.world import World
from framework.report import rejection
from framework.runs.freshness import Expected, freshness_of, oldest
from framework.runs.landing import Landing, landing_of

__all__ = ["DAYS", "LOADS", "RECENT", "STATES", "Changed", "FeedFacts", "Load", "Site", "collect"]

STATES = ("failed", "rejected", "late", "unusual", "good", "new")
"""How a feed stands, the worst first; `new` was never loaded."""
DAYS, LOADS = 90, 60
"""Days of which all loads are known, and loads of a feed that are known if they are older."""
_HISTORY = timedelta(days=366)
_AT_ONCE = 8
"""Feeds that are looked at together: most of it is waiting for files."""
RECENT = timedelta(days=31)
"""Within which bad rows are told of in full, and changes on the first page."""


class Load(NamedTuple):
    """A batch in its last state, as the ledger has it."""

    recorded_at: datetime
    batch_id: str
    feed: str
    state: str
    files: int
    rows_read: int
    rows_quarantined: int
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    seconds_stage: float | None
    seconds_merge: float | None
    seconds_archive: float | None
    target_version: int | None
    error: str | None

    @property
    def seconds(self) -> tuple[float, float, float]:
        return self.seconds_stage or 0.0, self.seconds_merge or 0.0, self.seconds_archive or 0.0


@dataclass(frozen=True, slots=True)
class Changed:
    """What was different in a file, the feed or its target, as the control table `schema_changes` has it."""

    at: datetime
    feed: str
    file: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """A feed and what is known of it; lists have the newest first. `reasons` are those of bad rows in recent batches,
    by batch."""

    feed: Feed
    state: str
    message: str | None
    expected: Expected | None
    pending: int | None
    oldest: datetime | None
    loads: Sequence[Load]
    rejected: Sequence[FileEvent] = ()
    reasons: Mapping[str, Sequence[Reason]] = field(default_factory=dict)
    changed: Sequence[Changed] = ()

    @property
    def last(self) -> Load | None:
        return next((load for load in self.loads if load.state == BatchState.ARCHIVED), None)


@dataclass(frozen=True, slots=True)
class Site:
    """All that the pages show. `hide` takes secrets out of texts, `samples` shows values of bad rows."""

    environment: str
    at: datetime
    feeds: Sequence[FeedFacts]
    hide: Callable[[str], str] = str
    samples: bool = False

    def days(self, count: int) -> list[date]:
        """The last days, the newest last."""
        return [self.at.date() - timedelta(days=back) for back in reversed(range(count))]


def collect(feeds: Sequence[Feed], world: World, environment: str, *, samples: bool = False) -> Site:
    """Everything about these feeds. A feed that cannot be looked at says so; it hides no other."""
    now = world.clock()
    loads = _loads(world, now)
    rejected: defaultdict[str, list[FileEvent]] = defaultdict(list)
    for event in world.ledger.rejected(now - _HISTORY):
        rejected[event.feed].append(event)
    changed: defaultdict[str, list[SchemaChangeEvent]] = defaultdict(list)
    for change in world.ledger.changed(now - _HISTORY):
        changed[change.feed].append(change)
    landing = landing_of(feeds, world)
    fresh = freshness_of(feeds, world, landing)

    def facts(feed: Feed) -> FeedFacts:
        refused = rejected.get(feed.name, [])
        told = _told(loads.get(feed.name, []), refused)
        return _facts(feed, world, landing, fresh.get(feed.name), told, refused, changed.get(feed.name, []))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(facts, feeds))
    return Site(environment, now, found, world.hide, samples)


def _loads(world: World, now: datetime) -> dict[str, list[Load]]:
    """By feed, its loads of the last days, or its newest ones if those are fewer."""
    newest, lately = (
        _by_feed(world.ledger.ended(since, Load._fields, newest=count))
        for since, count in ((now - _HISTORY, LOADS), (now - timedelta(days=DAYS), None))
    )
    return newest | {name: some for name, some in lately.items() if len(some) > len(newest[name])}


def _by_feed(rows: Sequence[Mapping[str, Any]]) -> defaultdict[str, list[Load]]:
    found: defaultdict[str, list[Load]] = defaultdict(list)
    for row in rows:
        load = _load(row)
        found[load.feed].append(load)
    return found


def _told(loads: Sequence[Load], rejected: Sequence[FileEvent]) -> Sequence[Load]:
    """The loads; one of which every file was rejected is none, and says so."""
    if not rejected:
        return loads
    refused = Counter(event.batch_id for event in rejected)
    return [each._replace(state="rejected") if refused[each.batch_id] >= each.files else each for each in loads]


_COUNTS = ("files", "rows_read", "rows_quarantined", "inserted", "updated", "deleted", "unchanged")
_MISSING: dict[str, Any] = (
    dict.fromkeys(Load._fields) | dict.fromkeys(("batch_id", "feed", "state"), "") | dict.fromkeys(_COUNTS, 0)
)
"""What stands for figures and texts that an older version did not write."""


def _load(row: Mapping[str, Any]) -> Load:
    return Load(**_MISSING | {name: value for name, value in row.items() if value is not None})


def _facts(
    feed: Feed,
    world: World,
    landing: Landing,
    expected_: Expected | None,
    loads: Sequence[Load],
    rejected: Sequence[FileEvent],
    changed: Sequence[SchemaChangeEvent],
) -> FeedFacts:
    trouble, waiting = None, None
    try:
        waiting = landing.listing(feed).pending
    except Exception as error:
        trouble = expected(error).message
    recent = world.clock() - RECENT
    bad = any(load.rows_quarantined for load in loads if load.recorded_at >= recent)
    bad = bad or any(event.recorded_at >= recent for event in rejected)
    manifests = _manifests(feed, world) if bad else []
    state, message = _state(trouble, expected_, loads, rejected)
    return FeedFacts(
        feed,
        state,
        message,
        expected_,
        None if waiting is None else len(waiting),
        oldest(waiting or ()),
        loads,
        rejected,
        {each.batch_id: [r for outcome in each.outcomes for r in outcome.reasons] for each in manifests},
        [Changed(each.recorded_at, feed.name, each.file, change_in_words(each.as_dict())) for each in changed],
    )


def _manifests(feed: Feed, world: World) -> list[Manifest]:
    try:
        return world.engine.manifests(feed.target.staging, feed.name)
    except Exception:  # the rest is worth to be seen
        return []


def _state(
    trouble: str | None, expected_: Expected | None, loads: Sequence[Load], rejected: Sequence[FileEvent]
) -> tuple[str, str | None]:
    """How a feed stands, and why."""
    if trouble is not None:
        return "failed", trouble
    newest = loads[0] if loads else None
    if newest is not None and newest.state in (BatchState.FAILED, BatchState.ABANDONED):
        return "failed", newest.error
    refused = [event for event in rejected if newest is not None and event.batch_id == newest.batch_id]
    if refused:
        return "rejected", rejection([(event.file, event.reason) for event in refused])
    if expected_ is not None and expected_.freshness.state is FreshnessState.LATE:
        return "late", expected_.message
    if expected_ is not None and expected_.freshness.unusual:
        return "unusual", expected_.freshness.unusual
    return ("good" if newest is not None else "new"), None

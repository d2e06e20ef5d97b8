"""Watch: stays, and runs each feed when files have arrived for it and are quiet.

One thread decides (`Watch.run`); others look into folders, run feeds and hear of changes, and tell it what
came of that through one queue. When to do what is `arrivals`; how a feed is run is `run`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias, assert_never

from framework.errors import LandfeedError, expected
from framework.feed import Feed
from framework.leases import Leases
from framework.names import Status
from framework.plan.world import World
from framework.report import FeedReport, RunReport
from framework.runs.arrivals import Action, Arrivals, Identity, Look, Outcome, Pace
from framework.runs.events import Ended, Event, Missing, Notice, Seen, Started, Stopped, Stopping
from framework.runs.landing import landing_of
from framework.runs.options import Doing, Options
from framework.runs.remembered import remembered
from framework.runs.run import run_feeds
from framework.storages import local_changes, notifies

__all__ = ["Changes", "Settings", "Watch"]

_AWAKE = 1.0
"""Seconds after which the main thread is awake in any case, which is the one that handles signals."""
_LOOKS_AT_ONCE = 4
_REFRESH_SECONDS = 0.2
"""Folders that come and go all the time are followed no more often than this."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`quiet`: seconds for which a file must not have changed; `interval`: seconds between two looks into a
    folder of which no change was heard; `jobs` feeds run at a time; with `once` nothing is watched."""

    quiet: float
    interval: float
    jobs: int
    once: bool = False


@dataclass(frozen=True, slots=True)
class _Changed:
    feeds: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Looked:
    feed: str
    found: Look | LandfeedError
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ran:
    report: FeedReport


@dataclass(frozen=True, slots=True)
class _Trouble:
    message: str


class _Folders:
    """Folders have come or gone."""


class _Stop:
    """Come to an end."""


_Message: TypeAlias = _Changed | _Looked | _Ran | _Trouble | _Folders | _Stop


class Changes(Protocol):
    """What reports changes in folders (`framework.storages.local_changes`)."""

    def refresh(self) -> None:
        """Watch what is there now."""

    def close(self) -> None: ...


class Watch:
    """Watches the feeds until `stop` is called, as signal handlers may. `tell` is called with every event,
    by the thread that calls `run`; `listen` gives what reports changes, as `local_changes` does; `on_feed` is that of
    the runs' `Options`."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        world: World,
        leases: Leases,
        settings: Settings,
        tell: Callable[[Event], None],
        listen: Callable[..., Changes] = local_changes,
        on_feed: Callable[[str, Doing | Status], None] = lambda _feed, _doing: None,
    ) -> None:
        self._listen_to, self._on_feed = listen, on_feed
        self._feeds = {feed.name: feed for feed in feeds}
        self._world, self._leases, self._settings, self._tell = world, leases, settings, tell
        pace = Pace(settings.quiet, inf, inf, inf, inf) if settings.once else Pace(settings.quiet, settings.interval)
        self._arrivals = {
            feed.name: Arrivals(pace, trust_age=not notifies(feed.source.path), due=settings.once) for feed in feeds
        }
        self._messages: SimpleQueue[_Message] = SimpleQueue()
        self._working: dict[str, Future[None]] = {}
        self._skipped: dict[str, frozenset[str]] = {feed.name: frozenset() for feed in feeds}
        self._stopping = False
        self._troubled = False
        self._reports: list[FeedReport] = []
        self._changes: Changes | None = None
        self._refreshed, self._refresh_at = -inf, inf

    def stop(self) -> None:
        """Start nothing more, let the batches that are under way finish, then return from `run`."""
        self._messages.put(_Stop())

    def run(self) -> int:
        """Watch until stopped, or with `once` until drained; the exit code. Raises MissingDependency."""
        settings = self._settings
        with ExitStack() as stack:
            self._changes = self._listen(stack)
            self._runs = stack.enter_context(ThreadPoolExecutor(settings.jobs, "run"))
            self._looks = stack.enter_context(ThreadPoolExecutor(_LOOKS_AT_ONCE, "look"))
            stack.callback(self._let_go)
            self._tell(Started(self._world.run_id, tuple(self._feeds), settings.quiet, settings.interval))
            self._recall()
            while not self._over():
                self._act(time.monotonic())
                self._hear()
        code = RunReport("", "", 0.0, tuple(self._reports)).exit_code if settings.once else 0
        self._tell(Stopped(code))
        return code

    def _listen(self, stack: ExitStack) -> Changes | None:
        feeds = {name: feed for name, feed in self._feeds.items() if notifies(feed.source.path)}
        if self._settings.once or not feeds:
            return None
        changes = self._listen_to(
            feeds,
            on_change=lambda names: self._messages.put(_Changed(names)),
            on_folders=lambda: self._messages.put(_Folders()),
            on_trouble=lambda message: self._messages.put(_Trouble(message)),
        )
        stack.callback(changes.close)
        self._refresh_at = -inf
        return changes

    def _recall(self) -> None:
        """Feeds with a batch that an earlier process left unfinished are due, whether anything arrives or not."""
        for name in remembered(self._world, self._leases).unfinished & self._arrivals.keys():
            self._arrivals[name].due = True

    def _over(self) -> bool:
        if self._working:
            return False
        return self._stopping or (self._settings.once and all(each.drained for each in self._arrivals.values()))

    def _let_go(self) -> None:
        """Nothing more is started, and what is not yet under way never is."""
        self._stopping = True
        self._working = {name: future for name, future in self._working.items() if not future.cancel()}

    # Doing

    def _act(self, now: float) -> None:
        """Start what is due now."""
        if self._stopping:
            return
        if self._changes is not None and now >= self._refresh_at:
            self._changes.refresh()
            self._refreshed, self._refresh_at = now, now + self._settings.interval
        for name, arrivals in self._arrivals.items():
            feed = self._feeds[name]
            match arrivals.next(now):
                case Action.LOOK:
                    self._working[name] = self._looks.submit(self._look, feed)
                case Action.RUN:
                    self._working[name] = self._runs.submit(self._run, feed, arrivals.ready)
                case None:
                    pass

    def _look(self, feed: Feed) -> None:
        started, wall = time.monotonic(), int(self._world.clock().timestamp() * 1e9)
        found: Look | LandfeedError
        skipped: tuple[str, ...] = ()
        try:
            listing = landing_of([feed], self._world).listing(feed)
            found, skipped = Look(started, time.monotonic(), wall, listing.pending), listing.told
        except Exception as error:
            found = expected(error)
            if self._settings.once:  # the run will say so
                found = Look(started, time.monotonic(), wall)
            elif found.code == "missing_folder":
                found = Look(started, time.monotonic(), wall, missing=True)
        self._messages.put(_Looked(feed.name, found, skipped))

    def _run(self, feed: Feed, ready: frozenset[Identity]) -> None:
        options = Options(
            jobs=1,
            on_feed=self._on_feed,
            ready=lambda file: file.identity in ready,
            stopping=lambda: self._stopping,
        )
        try:
            report = run_feeds([feed], self._world, self._leases, options)[0]
        except Exception as error:
            report = _failed(feed, expected(error))
        self._messages.put(_Ran(report))

    # Hearing

    def _hear(self) -> None:
        """Take in all messages that there are; wait for one until something is due, but not for long."""
        due = inf if self._stopping else min((self._refresh_at, *(each.wake for each in self._arrivals.values())))
        try:
            self._take(self._messages.get(timeout=max(0.0, min(due - time.monotonic(), _AWAKE))))
            while True:
                self._take(self._messages.get_nowait())
        except Empty:
            return

    def _take(self, message: _Message) -> None:
        match message:
            case _Changed(feeds):
                for name in feeds:
                    self._arrivals[name].changed(time.monotonic())
            case _Looked(name, found, skipped):
                self._looked(name, found)
                for sentence in sorted(set(skipped) - self._skipped[name]):
                    self._tell(Notice(f"{name}: {sentence}", f"what is skipped, and why: landfeed plan {name}"))
                self._skipped[name] = frozenset(skipped)
            case _Ran(report):
                self._ran(report)
            case _Folders():
                self._refresh_at = min(self._refresh_at, self._refreshed + _REFRESH_SECONDS)
            case _Trouble(text):
                if not self._troubled:
                    self._tell(Notice(text, f"folders are looked into every {self._settings.interval:g} s instead"))
                self._troubled = True
            case _Stop():
                self._let_go()
                self._tell(Stopping(tuple(name for name in self._working if self._arrivals[name].running)))
            case _:
                assert_never(message)

    def _looked(self, name: str, found: Look | LandfeedError) -> None:
        del self._working[name]
        arrivals, feed = self._arrivals[name], self._feeds[name]
        if isinstance(found, LandfeedError):
            pause = arrivals.unreadable(time.monotonic())
            found.hide(self._world.hide)
            self._tell(Ended(_failed(feed, found), pause))
            return
        if found.missing is not arrivals.missing:
            self._take(_Folders())
            if found.missing:
                self._tell(Missing(name, feed.source.path))
        if new := arrivals.looked(found):
            self._tell(Seen(name, new))

    def _ran(self, report: FeedReport) -> None:
        del self._working[report.feed]
        pause = self._arrivals[report.feed].ended(time.monotonic(), _outcome(report))
        if self._settings.once:
            self._reports.append(report)
            pause = None
        elif report.error is not None and report.error.code == "missing_folder":
            return  # it went away before the run; the next look tells
        if report.status is not Status.NOTHING_TO_DO:
            self._tell(Ended(report, pause))


def _outcome(report: FeedReport) -> Outcome:
    if report.error is not None:
        return Outcome.FAILED
    match report.status:
        case Status.BUSY:
            return Outcome.BUSY
        case Status.NOTHING_TO_DO:
            return Outcome.IDLE
        case Status.SUCCEEDED | Status.REJECTED:
            return Outcome.DONE
        case Status.FAILED:
            return Outcome.FAILED
        case _:
            assert_never(report.status)


def _failed(feed: Feed, error: LandfeedError) -> FeedReport:
    return FeedReport(feed.name, Status.FAILED, table=feed.target.table.name, error=error.failure)

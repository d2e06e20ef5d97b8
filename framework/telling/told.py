"""Told: what the end of a run sets off. Each part is tried by itself, and what fails is noted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from framework.environment import Environment, traces_endpoint
from framework.errors import LandfeedError, expected
from framework.feed import Feed
from framework.law.freshness import FreshnessState
from framework.ledger import Ledger
from framework.plan.world import World
from framework.report import FeedReport, RunReport
from framework.runs.freshness import Expected, freshness_of, oldest, pending
from framework.runs.landing import Landing, landing_of
from framework.storages import open_storage
from framework.telling.changes import THE_RUN, News, Standing, after_run, expected_of, of_run
from framework.telling.hooks import Heard, notify
from framework.telling.messages import About
from framework.telling.reports import failure_document, write_report

if TYPE_CHECKING:
    from framework.telling.live import Live

__all__ = ["Told", "live_lineage", "tell_failure", "tell_freshness", "tell_run"]


@dataclass(frozen=True, slots=True)
class Told:
    """Who is to be told, and how: `hide` takes secrets out of texts, `note` hears in a sentence what could not be
    told; `live` has heard already that feeds began."""

    environment: Environment
    environ: Mapping[str, str]
    note: Callable[[str], object]
    clock: Callable[[], datetime]
    hide: Callable[[str], str] = str
    live: Live | None = None

    @contextmanager
    def tried(self, what: str) -> Iterator[None]:
        """Whatever is raised within becomes a note."""
        try:
            yield
        except Exception as error:
            self.note(self.hide(f"{what}: {expected(error).message}"))


def tell_run(told: Told, run: RunReport, feeds: Sequence[Feed], world: World, landing: Landing | None = None) -> None:
    """Tell of a run of these feeds that has a report; what it did is durable by now. Where the run has left `landing`
    behind, that is what waits."""
    telling = told.environment.telling
    _report(told, run.as_dict())
    _traces(told, run)
    if telling.lineage is not None:
        _lineage(told, run, feeds)
    if not telling.notify and telling.metrics is None:
        return
    ran = {feed.feed: feed for feed in run.feeds}
    feeds = [feed for feed in feeds if feed.name in ran]
    with told.tried("nobody is told how fresh feeds are"):
        landing = landing or landing_of(feeds, world)
        fresh = freshness_of(feeds, world, landing)
        _metrics(told, feeds, ran, fresh, world, landing)
        heard = [Heard(THE_RUN, lambda _: News(Standing(), {"load": ("runs begin again", {})}))]
        heard += [Heard(feed.name, partial(_news, ran[feed.name], fresh.get(feed.name))) for feed in feeds]
        _notify(told, run, heard, world.ledger)


def tell_failure(told: Told, run: RunReport, error: LandfeedError) -> None:
    """Tell of a run that failed before any feed began; `run` has no feeds."""
    from framework.runs.world import open_ledger

    _report(told, failure_document(run, error))
    _traces(told, run, error.message)
    if not told.environment.telling.notify:
        return
    heard = [Heard(THE_RUN, lambda _: of_run(error.message, error.hint))]
    try:
        ledger = open_ledger(told.environment, told.environ)
        ledger.notices(["any"])
    except Exception:  # what is broken may be the ledger itself; then it is told each time
        from framework.engines.memory import MemoryControl

        ledger = Ledger(MemoryControl(), told.environment.control)
    _notify(told, run, heard, ledger)


def tell_freshness(
    told: Told, run: RunReport, feeds: Sequence[Feed], fresh: Mapping[str, Expected], world: World
) -> None:
    """Tell of what is late or well again, without a run; `run` says who looked."""
    _metrics(told, feeds, {}, fresh, world, landing_of(feeds, world))
    _notify(told, run, [Heard(name, partial(_news, None, each)) for name, each in fresh.items()], world.ledger)


def _metrics(
    told: Told,
    feeds: Sequence[Feed],
    ran: Mapping[str, FeedReport],
    fresh: Mapping[str, Expected],
    world: World,
    landing: Landing,
) -> None:
    path = told.environment.telling.metrics
    if path is None:
        return
    with told.tried("the metrics are not written"):
        from framework.telling.metrics import FeedMetrics, write_metrics

        now = told.clock()
        loads = world.ledger.loads([feed.name for feed in feeds], 1, now - _REMEMBERED)
        found = []
        for feed in feeds:
            waiting, expected, load = pending(feed, landing), fresh.get(feed.name), loads.get(feed.name)
            late = expected.freshness.state is FreshnessState.LATE if expected else None
            loaded = load[0].recorded_at if load else None
            found.append(FeedMetrics(feed.name, ran.get(feed.name), len(waiting), oldest(waiting), late, loaded))
        write_metrics(path, found, now)


_REMEMBERED = timedelta(days=31)
"""How far back it is looked when a feed was loaded last; what was known before stays."""


def _news(report: FeedReport | None, expected: Expected | None, before: Standing) -> News:
    news = News(before, {}) if report is None else after_run(report, before)
    return news if expected is None else expected_of(expected.freshness, expected.message, news)


def _notify(told: Told, run: RunReport, heard: Sequence[Heard], ledger: Ledger) -> None:
    hooks = told.environment.telling.notify
    if not hooks:
        return
    now = told.clock()
    about = About(run.environment, run.run_id, run.command, now.isoformat(timespec="seconds"))
    with told.tried("webhooks were not notified"):
        for trouble in notify(hooks, heard, ledger, about, now, told.hide):
            told.note(told.hide(f"a webhook was not notified, and will be after the next run: {trouble}"))


def _lineage(told: Told, run: RunReport, feeds: Sequence[Feed]) -> None:
    with told.tried("lineage is not told"):
        live = told.live or live_lineage(told.environment, told.clock, told.hide)
        trouble = live.ended(run, feeds) if live is not None else None
        if trouble is not None:
            told.note(told.hide(f"lineage is not told: {trouble}"))


def live_lineage(environment: Environment, clock: Callable[[], datetime], hide: Callable[[str], str]) -> Live | None:
    """Who hears of feeds while they are worked on; None where nobody does."""
    if environment.telling.lineage is None:
        return None
    from framework.telling.live import Live

    return Live(environment.telling.lineage, clock, lambda event: hide(json.dumps(event)).encode())


def _traces(told: Told, run: RunReport, error: str | None = None) -> None:
    if traces_endpoint(told.environ) is None:
        return
    with told.tried("traces are not told"):
        try:
            from framework.telling.traces import send_traces

            trouble = send_traces(run, told.environ, told.hide, error)
        except ImportError:  # who wants them installs landfeed[otel]; the variables may stand there for others
            return
        if trouble is not None:
            told.note(told.hide(f"traces are not told: {trouble}"))


def _report(told: Told, document: dict[str, Any]) -> None:
    folder = told.environment.telling.reports
    if folder is not None:
        with told.tried("the report of the run is not written"):
            write_report(document, folder, open_storage(folder, told.environment, told.environ), told.hide)

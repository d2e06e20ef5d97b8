"""Run: many feeds at the same time, each batch after batch until nothing is pending."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.leases import Leases
from framework.names import Status
from framework.plan.world import World
from framework.report import FeedReport
from framework.runs.feed_run import FeedRun
from framework.runs.landing import Waiting, landing_of
from framework.runs.options import Options
from framework.runs.recording import Recording
from framework.runs.remembered import remembered

__all__ = ["run_feeds"]


def run_feeds(
    feeds: Sequence[Feed], world: World, leases: Leases, options: Options, waiting: Waiting | None = None
) -> list[FeedReport]:
    """Work on every feed; one that fails never stops the others. Reports come in the order of `feeds`. The files are
    those that have landed, or what is `waiting`."""
    mended, recording = world.ledger.mend(), Recording(world.ledger)
    landing = waiting or landing_of(feeds, world)
    known = remembered(world, leases)
    notes = (*mended, *([f"{known.behind}; set it right"] if known.behind else []))
    failed: list[str] = []

    def one(feed: Feed) -> FeedReport:
        if options.fail_fast and failed:
            report = _not_started(feed, f"{failed[0]} failed")
        elif options.stopping():
            report = _not_started(feed, "the run was stopped")
        else:
            report = FeedRun(feed, world, leases, options, landing, recording, feed.name in known.unfinished).report()
        if report.status is Status.FAILED:
            failed.append(feed.name)
        options.on_feed(feed.name, report.status)
        return report

    try:
        with ThreadPoolExecutor(max_workers=max(1, min(options.jobs, len(feeds)))) as pool:
            futures = [pool.submit(one, feed) for feed in feeds]
            while wait(futures, _AWAKE).not_done:
                pass
            reports = [future.result() for future in futures]
    finally:
        recording.write()
    if notes and reports:  # they are about all feeds, and stand with the first one
        reports[0] = replace(reports[0], warnings=(*notes, *reports[0].warnings))
    with contextlib.suppress(LandfeedError):  # the work is done and recorded; a later run tries again
        world.ledger.upkeep()
    return [_unrecorded(report, recording.failed.get(report.feed), world) for report in reports]


def _unrecorded(report: FeedReport, error: LandfeedError | None, world: World) -> FeedReport:
    if error is None or report.error is not None:
        return report
    error.hide(world.hide)
    return replace(report, status=Status.FAILED, error=error.failure)


def _not_started(feed: Feed, why: str) -> FeedReport:
    return FeedReport(feed.name, Status.NOTHING_TO_DO, warnings=(f"not started: {why}",))


_AWAKE = 0.2
"""Seconds after which the main thread is awake. Signals may be delivered to other threads, but only this one handles
them; a wait without an end would take them for nothing until all is done."""

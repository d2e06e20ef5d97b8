"""The command that shows what Landfeed does: demo."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from framework.cli.options import clock, errors
from framework.cli.say import figures, next_steps
from framework.cli.streams import say, tell
from framework.errors import LandfeedError

if TYPE_CHECKING:
    from framework.begin import Visit
    from framework.leases import Leases
    from framework.loader import Project
    from framework.plan.world import World
    from framework.report import RunReport

__all__ = ["demo"]

_DEMO = "landfeed-demo"
_CONFIG = "pipelines_config"
_DAYS_HELP = "Instead of the example so many days of a small shop, with pages, reports and metrics about them."


@click.command()
@click.argument("folder", metavar="[DIR]", default=_DEMO)
@click.option("--days", type=click.IntRange(2, 366), default=None, help=_DAYS_HELP)
def demo(folder: str, days: int | None) -> None:
    """The example, from nothing to a table: a login on day 1 becomes a purchase on day 2. Stays in DIR
    (landfeed-demo, if not given), to look at."""
    with errors(as_json=False, config=folder):
        if os.path.lexists(folder) and not (os.path.isdir(folder) and not os.listdir(folder)):
            raise LandfeedError(f"{folder} is there already", "take another folder: landfeed demo DIR")
        if days is None:
            _example(folder)
            next_ = ["landfeed history --files", "landfeed init ../my-project"]
        else:
            _shop(folder, days)
            next_ = ["landfeed quarantine orders", "landfeed history payments", "landfeed docs --serve"]
    next_steps([f"cd {shlex.quote(folder)}", "landfeed status", *next_])


# The example


def _example(folder: str) -> None:
    from framework.begin import DAYS, FEED, bare_project, feed_of_the_example, lay_out

    feed = {f"{_CONFIG}/feeds/{FEED}.yml": feed_of_the_example("../feed.schema.json")}
    lay_out(folder, bare_project(_CONFIG) | feed)
    for day, (name, text) in enumerate(DAYS.items(), 1):
        tell(f"── day {day}: {name} lands ──")
        lay_out(folder, {f"data/source/{FEED}/{name}": text})
        _tell_lines(text)
        _landfeed(folder, "run")
        _landfeed(folder, "show", FEED)
        tell()
    tell("The row that could not be loaded is kept, with its reasons:")
    _landfeed(folder, "quarantine", FEED)
    tell()
    tell("Where the files are now:")
    for parent, _, names in sorted(os.walk(os.path.join(folder, "data", "archive"))):
        for name in sorted(names):
            tell(f"  {os.path.relpath(os.path.join(parent, name), folder)}")


def _tell_lines(text: str) -> None:
    for line in text.splitlines():
        tell(f"  {line}")
    tell()


def _landfeed(folder: str, *arguments: str) -> None:
    """A command as in a shell; ends this one when it fails."""
    tell(f"$ landfeed {shlex.join(arguments)}")
    group = click.get_current_context().find_root().command
    config = os.path.join(folder, _CONFIG)
    try:
        group.main(["--config", config, *arguments], prog_name="landfeed", standalone_mode=False)
    except SystemExit as ended:
        if ended.code:
            raise
    tell()


# The shop


class _Clock:
    """Goes on from the moment to which it was set last, as fast as any other, but never beyond `now`."""

    def __init__(self, now: datetime) -> None:
        self._now = self._at = now
        self._since = time.monotonic()

    def set(self, at: datetime) -> None:
        self._at, self._since = at, time.monotonic()

    def __call__(self) -> datetime:
        return min(self._at + timedelta(seconds=time.monotonic() - self._since), clock())


def _shop(folder: str, days: int) -> None:
    """The shop's project, all its loads, and pages about them."""
    from framework.begin import SHOP, bare_project, lay_out, shop_environment, visits
    from framework.loader import load_project
    from framework.pages import collect, write_site
    from framework.runs.world import open_world

    project = bare_project(_CONFIG)
    environment = f"{_CONFIG}/environments/local.yml"
    project[environment] = shop_environment(project[environment])
    lay_out(folder, project | SHOP)
    loaded = load_project(os.path.join(folder, _CONFIG), "local", environ={})
    for feed in loaded.feeds:
        os.makedirs(feed.source.path, exist_ok=True)
    now = clock()
    at = _Clock(now)
    with open_world(loaded.environment, {}, "", at) as (world, leases):
        for day, reports in _by_day(_lived(folder, loaded, world, leases, at, list(visits(days, now)))):
            tell(f"{day}: {reports}")
        at.set(clock())
        site = os.path.join(os.path.abspath(folder), "site")
        pages = write_site(collect(loaded.feeds, world, loaded.environment.name), site)
    tell(f"{pages:,} pages: {os.path.join(site, 'index.html')}")


def _lived(
    folder: str, project: Project, world: World, leases: Leases, at: _Clock, visits: list[Visit]
) -> Iterator[RunReport]:
    """A run for each visit, at its time of the clock, of which is told as of any other."""
    from framework.begin import lay_out
    from framework.report import RunReport
    from framework.runs.options import Options
    from framework.runs.run import run_feeds
    from framework.telling import Told, tell_run

    environment = project.environment
    told = Told(environment, {}, lambda sentence: say(f"warning: {sentence}"), at)
    for number, visit in enumerate(visits, 1):
        at.set(visit.at)
        lay_out(folder, visit.files)
        for name in visit.files:
            os.utime(os.path.join(folder, name), (visit.at.timestamp() - 600,) * 2)
        started, run_id = time.perf_counter(), f"demo{number:04}"
        here = replace(world, run_id=run_id)
        reports = run_feeds(project.feeds, here, leases, Options(jobs=environment.jobs))
        seconds = time.perf_counter() - started
        run = RunReport(
            run_id, environment.engine.value, seconds, tuple(reports), environment=environment.name, started_at=visit.at
        )
        tell_run(told, run, project.feeds, here)
        yield run


def _by_day(runs: Iterator[RunReport]) -> Iterator[tuple[str, str]]:
    """What the runs of each day did, in a line."""
    from itertools import groupby

    from framework.names import Rows, Status

    for day, some in groupby(runs, lambda run: run.started_at.date()):
        feeds = [feed for run in some for feed in run.feeds]
        rows = sum((feed.rows for feed in feeds), Rows())
        files = sum(len(feed.files) for feed in feeds)
        rejected = [feed.feed for feed in feeds if feed.status in (Status.REJECTED, Status.FAILED)]
        bad = f"; {', '.join(rejected)}: rejected" if rejected else ""
        yield day.isoformat(), f"{files:,} files{figures(rows)}{bad}"

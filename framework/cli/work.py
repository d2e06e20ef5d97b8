"""Commands that load: run, its three tasks, and watch."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from framework.cli.options import Request, common, errors, given, opened
from framework.cli.say import print_json, say_event, say_event_json, say_report
from framework.cli.signals import StopSignals
from framework.cli.told import heard, telling
from framework.errors import LandfeedError

if TYPE_CHECKING:
    from framework.cli.progress import Progress
    from framework.plan.compile import Task

__all__ = ["archive", "merge", "run", "stage", "watch"]

_SLOW_SECONDS = 1.0
"""Work that takes longer shows a progress display on a terminal."""
_STOPPING = "stopping after the batches that are under way; once more ends at once"
_QUIET = "Seconds for which a file must not have changed before it is loaded."
_INTERVAL = "Seconds between looks into buckets, Volumes and other folders that tell of no changes."
_LOCATION_HELP = "Where files arrived: only feeds there are staged. merge and archive finish all that is staged."


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    for decorate in (
        click.option("--jobs", type=click.IntRange(min=1), default=None, help="Feeds at the same time."),
        click.option("--fail-fast", is_flag=True, help="Start no further feed after one has failed."),
        click.option("--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for a busy feed."),
        click.option("--run-id", default=None, help="The id of this run in the control tables."),
        click.option("--trigger-location", metavar="LOCATION", default=None, help=_LOCATION_HELP),
    ):
        command = decorate(command)
    return command


@click.command()
@_run_options
@common
def run(request: Request, **options: Any) -> None:
    """Stage, merge and archive what has landed."""
    from framework.plan.compile import ALL_TASKS

    _work(request, ALL_TASKS, **options)


@click.command()
@_run_options
@common
def stage(request: Request, **options: Any) -> None:
    """The first task of `run`: read what has landed into staging."""
    from framework.plan.compile import Task

    _work(request, frozenset({Task.STAGE}), **options)


@click.command()
@_run_options
@common
def merge(request: Request, **options: Any) -> None:
    """The second task of `run`: merge what is staged into the target."""
    from framework.plan.compile import Task

    _work(request, frozenset({Task.MERGE}), **options)


@click.command()
@_run_options
@common
def archive(request: Request, **options: Any) -> None:
    """The third task of `run`: move what is merged out of landing."""
    from framework.plan.compile import Task

    _work(request, frozenset({Task.ARCHIVE}), **options)


def _told_to_stop(signals: StopSignals, progress: Progress) -> threading.Event:
    """Set when the run is to stop, which is also said."""
    stopping = threading.Event()

    def stop() -> None:
        stopping.set()
        progress.note(_STOPPING)

    signals.stop_with(stop)
    return stopping


def _work(
    request: Request,
    tasks: frozenset[Task],
    *,
    jobs: int | None,
    fail_fast: bool,
    wait: float,
    run_id: str | None,
    trigger_location: str | None,
) -> None:
    from framework.cli.progress import Progress
    from framework.law.places import narrowed
    from framework.plan.compile import ALL_TASKS, Task
    from framework.runs.landing import landing_of
    from framework.runs.options import Options
    from framework.runs.run import run_feeds

    identity = given(run_id) or uuid.uuid4().hex[:16]
    command = "run" if tasks == ALL_TASKS else ", ".join(tasks)
    with (
        StopSignals() as signals,
        telling(request, identity, command) as teller,
        opened(request, identity) as (project, world, leases),
    ):
        location = given(trigger_location) if Task.STAGE in tasks else None
        feeds = narrowed(project.feeds, location)
        with Progress(sys.stderr, _SLOW_SECONDS, len(feeds)) as progress:
            stopping = _told_to_stop(signals, progress)
            jobs, on_feed = jobs or project.environment.jobs, teller.hearing(project, progress.feed)
            options = Options(tasks, jobs, wait, fail_fast, on_feed, stopping=stopping.is_set)
            landing = landing_of(feeds, world)
            reports = run_feeds(feeds, world, leases, options, landing)
        report = teller.tell(reports, signals.number, project, world, landing if tasks == ALL_TASKS else None)
    if request.as_json:
        print_json(report.as_dict())
    else:
        say_report(report)
    sys.exit(report.exit_code)


@click.command()
@click.option("--quiet", type=click.FloatRange(min=0), default=1.0, show_default=True, help=_QUIET)
@click.option("--interval", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help=_INTERVAL)
@click.option("--once", is_flag=True, help="Load what is there, then exit with the exit code of `run`.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Feeds at the same time.")
@common
def watch(request: Request, quiet: float, interval: float, once: bool, jobs: int | None) -> None:
    """Stay, and load files as they arrive. With `--output json` every line is a document."""
    from framework.runs.watch import Settings, Watch

    identity = uuid.uuid4().hex[:16]
    with (
        StopSignals() as signals,
        errors(as_json=request.as_json, config=request.config, indent=None),
        telling(request, identity, "watch") as teller,
        opened(request, identity) as (project, world, leases),
        heard(teller, project, world, say_event_json if request.as_json else say_event) as tell,
    ):
        if not project.feeds and not once:
            raise LandfeedError("there is no feed to watch", "write one, or enable one (enabled: true)")
        settings = Settings(quiet, interval, jobs or project.environment.jobs, once)
        watching = Watch(project.feeds, world, leases, settings, tell, on_feed=teller.hearing(project))
        signals.stop_with(watching.stop)
        code = watching.run()
    sys.exit(code)

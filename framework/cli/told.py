"""Whom a command that loads tells of its runs, beside those who read what it prints."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from framework.cli.logs import LOG
from framework.cli.options import Request, clock
from framework.cli.streams import say
from framework.environment import Environment, Telling, traces_endpoint
from framework.errors import LandfeedError, expected

if TYPE_CHECKING:
    from framework.loader import Project
    from framework.names import Status
    from framework.plan.world import World
    from framework.report import FeedReport, RunReport
    from framework.runs.events import Event
    from framework.runs.freshness import Expected
    from framework.runs.landing import Landing
    from framework.runs.options import Doing
    from framework.telling.live import Live

__all__ = ["Teller", "heard", "late_told", "telling"]


OnFeed: TypeAlias = "Callable[[str, Doing | Status], None]"


@dataclass(slots=True)
class Teller:
    """Tells of one run of a command; whoever is not configured costs nothing."""

    run: RunReport
    _began: float
    live: Live | None = None

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def hearing(self, project: Project, on_feed: OnFeed = lambda _feed, _doing: None) -> OnFeed:
        """`on_feed`, and who hears of the work on a feed when it begins."""
        if project.environment.telling.lineage is None:
            return on_feed
        from framework.names import Status
        from framework.telling import live_lineage

        live = self.live = live_lineage(project.environment, clock, project.secrets.hide)
        feeds = {feed.name: feed for feed in project.feeds}

        def hear(name: str, doing: Doing | Status) -> None:
            on_feed(name, doing)
            if live is not None and name in feeds and not isinstance(doing, Status):
                live.began(self.run, feeds[name])

        return hear

    def tell(
        self,
        reports: Iterable[FeedReport],
        signal: int | None,
        project: Project,
        world: World,
        landing: Landing | None = None,
    ) -> RunReport:
        """The report of the run, whose feeds have these, after it is told; what they did is durable by now. `landing`
        is what the run has left there, None when somebody has to look."""
        engine = project.environment.engine.value
        run = replace(self.run, engine=engine, seconds=self.seconds(), feeds=tuple(reports), signal=signal)
        self.heard(run, project, world, landing)
        return run

    def heard(self, run: RunReport, project: Project, world: World, landing: Landing | None = None) -> None:
        """Tell of a run."""
        if _anybody(project.environment):
            from framework.telling import Told, tell_run

            told = Told(project.environment, os.environ, _note, clock, project.secrets.hide, self.live)
            tell_run(told, run, project.feeds, world, landing)

    def failed(self, request: Request, error: LandfeedError) -> None:
        """Tell of a run that came to nothing."""
        from framework.loader import environment_of

        environment = environment_of(request.config, request.env, environ=os.environ)
        if environment is not None and _anybody(environment):
            from framework.telling import Told, tell_failure

            run = replace(self.run, engine=environment.engine.value, seconds=self.seconds())
            tell_failure(Told(environment, os.environ, _note, clock), run, error)


def _anybody(environment: Environment) -> bool:
    """Whether there is somebody to tell; without, nothing of it is imported."""
    return environment.telling != Telling() or traces_endpoint(os.environ) is not None


@contextmanager
def heard(
    teller: Teller, project: Project, world: World, tell: Callable[[Event], None]
) -> Iterator[Callable[[Event], None]]:
    """`tell`, and each feed that has run is a run that is told of, in the background: who watches does not wait."""
    from concurrent.futures import ThreadPoolExecutor

    from framework.runs.events import Ended

    def hear(event: Event) -> None:
        tell(event)
        if isinstance(event, Ended):
            seconds = sum(event.report.seconds.values())
            run = replace(
                teller.run,
                engine=project.environment.engine.value,
                seconds=seconds,
                feeds=(event.report,),
                started_at=clock() - timedelta(seconds=seconds),
            )
            background.submit(teller.heard, run, project, world)

    with ThreadPoolExecutor(1, "tell") as background:
        yield hear if _anybody(project.environment) else tell


@contextmanager
def telling(request: Request, run_id: str, command: str) -> Iterator[Teller]:
    """What is raised within has ended the run before any feed had a report; it is told, and raised again."""
    from framework.report import RunReport

    LOG.run_id = run_id
    run = RunReport(run_id, "", 0.0, command=command, environment=request.env, started_at=clock())
    teller = Teller(run, time.perf_counter())
    try:
        yield teller
    except Exception as error:
        with suppress(Exception):  # what has gone wrong before is what counts
            teller.failed(request, expected(error))
        raise


def late_told(request: Request, project: Project, world: World) -> Callable[[Mapping[str, Expected]], None]:
    """Tells how fresh feeds are."""
    from framework.report import RunReport

    run = RunReport("", project.environment.engine.value, 0.0, command="status --check", environment=request.env)

    def tell(fresh: Mapping[str, Expected]) -> None:
        if project.environment.telling != Telling():
            from framework.telling import Told, tell_freshness

            told = Told(project.environment, os.environ, _note, clock, project.secrets.hide)
            tell_freshness(told, run, project.feeds, fresh, world)

    return tell


def _note(sentence: str) -> None:
    say(f"warning: {sentence}")

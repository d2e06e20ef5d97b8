"""Told: what the end of a run sets off. Each part is tried by itself, and what fails is noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.environment import Environment
from framework.errors import LandfeedError, expected
from framework.feed import Feed
from framework.plan.world import World
from framework.report import RunReport
from framework.storages import open_storage
from framework.telling.reports import failure_document, write_report

__all__ = ["Told", "tell_failure", "tell_run"]


@dataclass(frozen=True, slots=True)
class Told:
    """Who is to be told, and how: `hide` takes secrets out of texts, `note` hears in a sentence what could not be
    told."""

    environment: Environment
    environ: Mapping[str, str]
    note: Callable[[str], object]
    hide: Callable[[str], str] = str

    def tried(self, what: str, do: Callable[[], object]) -> None:
        """Do it; whatever it raises becomes a note."""
        try:
            do()
        except Exception as error:
            self.note(self.hide(f"{what}: {expected(error).message}"))


def tell_run(told: Told, run: RunReport, feeds: Sequence[Feed], world: World) -> None:
    """Tell of a run of these feeds that has a report; what it did is durable by now."""
    del feeds, world
    _report(told, run.as_dict())


def tell_failure(told: Told, run: RunReport, error: LandfeedError) -> None:
    """Tell of a run that failed before any feed began; `run` has no feeds."""
    _report(told, failure_document(run, error))


def _report(told: Told, document: dict[str, Any]) -> None:
    folder = told.environment.telling.reports
    if folder is not None:

        def write() -> None:
            write_report(document, folder, open_storage(folder, told.environment, told.environ), told.hide)

        told.tried("the report of the run is not written", write)

"""What an engine says is held against itself: one that miscounts, or is always late, spoils nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.batch import Checked, FileOutcome, Manifest
from framework.engine import Engine, Merged, Seal, Staged
from framework.errors import Conflict
from framework.loader import load_project
from framework.names import Rows
from framework.opening import Piece
from framework.report import FeedReport
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.runs.world import open_world
from framework.steps import Merge, Stage
from tests.support import HEADER, Project

TARGET, STAGING = "analytics.activity", "analytics.activity__staging"


@dataclass
class Wrong:
    """An engine that says one row too much of a figure, or finds the target changed for so many times."""

    engine: Engine
    staged: str = ""
    merged: str = ""
    conflicts: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def stage(self, step: Stage, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> Staged:
        def wrongly(outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest:
            return seal([replace(each, rows=more(each.rows, self.staged)) for each in outcomes], checked)

        return self.engine.stage(step, pieces, loaded_at, wrongly)

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        self.conflicts -= 1
        if self.conflicts >= 0:
            raise Conflict("another writer was faster")
        merged = self.engine.merge(step, manifest, staging_version)
        return replace(merged, rows=more(merged.rows, self.merged))


def more(rows: Any, figure: str) -> Any:
    return replace(rows, **{figure: getattr(rows, figure) + 1}) if figure else rows


def run(project: Project, **wrong: Any) -> FeedReport:
    found = load_project(project.path("pipelines_config"), "local", environ={})
    with open_world(found.environment, {}, "r", lambda: datetime.now(UTC)) as (world, leases):
        engine: Any = Wrong(world.engine, **wrong)
        return run_feeds(found.feeds, replace(world, engine=engine), leases, Options())[0]


@pytest.fixture
def landed(project: Project) -> Project:
    """A file with rows of every kind; one row is in the target."""
    project.land("activity", "0.csv", HEADER + "1,a,2026-01-02\n2,b,2026-01-02\n3,c,2026-01-02\n")
    assert project.cli("run").code == 0
    rows = [
        "1,new,2026-01-03",
        "2,b,2026-01-02",
        "3,old,2026-01-01",
        "4,d,2026-01-01",
        "4,e,2026-01-02",
        "x,f,2026-01-01",
    ]
    project.land("activity", "1.csv", HEADER + "\n".join(rows) + "\n")
    return project


@pytest.mark.parametrize(
    ("figure", "staged", "merged"),
    [
        *((figure, False, True) for figure in ("read", "quarantined", "filtered", "deduplicated")),
        *((figure, True, False) for figure in ("inserted", "updated", "deleted", "unchanged", "stale")),
        ("staged", False, False),
    ],
)
def test_every_figure_counts(figure: str, staged: bool, merged: bool) -> None:
    rows = Rows(31, 15, 8, 5, 3, 1, 2, 3, 4, 5)
    assert (rows.stage_balances, rows.merge_balances) == (True, True)
    assert (more(rows, figure).stage_balances, more(rows, figure).merge_balances) == (staged, merged)


ALL_IS_WELL = [("1", "new"), ("2", "b"), ("3", "c"), ("4", "e")]


def good_in_the_end(project: Project) -> None:
    assert [row[:2] for row in project.rows(TARGET)] == ALL_IS_WELL
    assert len(project.rows("analytics.activity__quarantine")) == 1
    assert project.files("landing") == []
    assert project.cli("run").document["status"] == "nothing_to_do"


@pytest.mark.parametrize("figure", ["read", "filtered"])
def test_figures_of_a_file_that_do_not_add_up_stop_everything(landed: Project, figure: str) -> None:
    before = landed.files("tables/analytics")
    report = run(landed, staged=figure)
    assert (report.status, report.error and report.error.code) == ("failed", "conservation")
    assert "1.csv: the row figures do not add up" in (report.error.message if report.error else "")
    assert landed.files("tables/analytics") == before, "nothing was written"
    assert landed.files("landing") == ["activity/1.csv"]
    assert landed.cli("run").feed["rows"]["updated"] == 1
    good_in_the_end(landed)


@pytest.mark.parametrize("figure", ["staged", "stale"])
def test_a_merge_that_does_not_add_up_keeps_the_files_in_landing(landed: Project, figure: str) -> None:
    report = run(landed, merged=figure)
    assert (report.status, report.error and report.error.code) == ("failed", "conservation")
    assert "does not add up" in (report.error.message if report.error else "")
    assert landed.files("landing") == ["activity/1.csv"]
    told = dict(landed.rows("_landfeed.batches", "state, error", order="error"))
    assert told["failed"] == (report.error.message if report.error else "")
    rows = landed.cli("run").feed["rows"]
    assert [rows[name] for name in ("inserted", "updated", "unchanged", "stale")] == [1, 1, 1, 1]
    good_in_the_end(landed)


def test_a_merge_is_tried_again_when_another_writer_was_faster(landed: Project) -> None:
    report = run(landed, conflicts=3)
    assert (report.status, report.rows.inserted, report.rows.updated) == ("succeeded", 1, 1)
    good_in_the_end(landed)


def test_a_merge_that_never_comes_to_its_turn_is_given_up_and_done_by_the_next_run(landed: Project) -> None:
    report = run(landed, conflicts=1_000)
    assert (report.status, report.error and report.error.message) == ("failed", "another writer was faster")
    assert landed.files("landing") == ["activity/1.csv"]
    assert len(landed.rows(STAGING)) == 4
    assert landed.cli("run").feed["rows"]["inserted"] == 1
    good_in_the_end(landed)

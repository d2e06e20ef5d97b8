"""A clock that has been set back: what is loaded does not go by it, and it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from framework.loader import load_project
from framework.report import FeedReport
from framework.runs.doctor import Health, examine
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.runs.world import open_world
from tests.support import HEADER, Project


def run_at(project: Project, moment: datetime) -> FeedReport:
    found = load_project(project.path("pipelines_config"), "local", environ={})
    with open_world(found.environment, {}, "run", lambda: moment) as (world, leases):
        (report,) = run_feeds(found.feeds, world, leases, Options())
    return report


def test_a_run_with_a_clock_that_was_set_back_loads_and_tells(project: Project) -> None:
    now = datetime.now(UTC)
    for day, moment in enumerate([now, now - timedelta(days=3 * 365), now - timedelta(seconds=5)]):
        project.land("activity", f"{day}.csv", HEADER + f"1,event{day},2026-01-0{day + 1}\n")
        report = run_at(project, moment)
        assert report.rows.inserted + report.rows.updated == 1
        told = [warning for warning in report.warnings if "the clock is behind what is recorded" in warning]
        assert len(told) == (moment < now - timedelta(minutes=1))
        assert [row[:2] for row in project.rows("analytics.activity")] == [("1", f"event{day}")]
    assert run_at(project, now).batch_id is None
    assert project.files("landing") == []


def test_a_batch_that_was_staged_before_the_clock_was_set_back_is_finished(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("stage").code == 0
    assert run_at(project, datetime(1970, 1, 2, tzinfo=UTC)).rows.inserted == 1
    assert project.files("landing") == []
    assert project.cli("run").document["status"] == "nothing_to_do"


def test_doctor_tells_of_it(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    found = load_project(project.path("pipelines_config"), "local", environ={})
    with open_world(found.environment, {}, "", lambda: datetime(2001, 1, 1, tzinfo=UTC)) as (world, leases):
        findings = {finding.subject: finding for finding in examine(found.feeds, world, leases)}
    assert findings["clock"].health is Health.WARNING
    assert findings["clock"].hint is not None

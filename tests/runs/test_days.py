"""The days after the first load, on every engine: replay, bad rows of a mended feed, rebuild, upkeep; and all the while
pages, reports, metrics, webhooks and lineage tell of it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.cli import text
from tests.support import ACTIVITY, HEADER, Project
from tests.telling.listener import Listener, listening
from tests.telling.test_lineage import of_package
from tests.telling.test_metrics import parsed
from tests.telling.test_reports import configure, reports

pytestmark = [pytest.mark.engines, pytest.mark.rarely]
COLUMNS = "user_id, event, event_time"
KEPT = "table_properties: {delta.deletedFileRetentionDuration: interval 0 hours}"
FEED = ACTIVITY.format(name="activity") + f"  {KEPT}\n"
MENDED = FEED.replace("event_time: timestamp", 'event_time: {type: timestamp, format: ["yyyy-MM-dd", "dd.MM.yyyy"]}')
TELLING = """\
reports: ./reports
metrics: ./landfeed.prom
notify: [{{url: '{hooks}', form: json}}]
lineage: {{url: '{lineage}'}}
"""


def done(project: Project, *command: str) -> dict[str, Any]:
    found = project.cli(*command)
    assert found.code == 0, found.document
    return found.document


def test_the_days_after(project: Project, engine: str) -> None:
    with listening() as hooks, listening() as lineage:
        configure(project, TELLING.format(hooks=hooks.url, lineage=lineage.url), engine)
        project.feed("activity", FEED + "expect: {every: 1 day}\n")
        project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n2,login,02.01.2026\n3,view,2026-01-01\n")
        project.land("activity", "b.csv", HEADER + "1,purchase,2026-01-02\nx,bad,2026-01-02\n")
        assert done(project, "run")["feeds"][0]["rows"]["quarantined"] == 2
        project.land("activity", "c.csv", "other\n1\n")
        assert project.cli("run").code == 3
        replayed(project)
        rebuilt(project)
        kept_small(project)
        told(project, hooks, lineage)


def replayed(project: Project) -> None:
    """Files of the archive change nothing, a record of the quarantine is loaded once."""
    rows = project.rows("analytics.activity", COLUMNS)
    again = done(project, "replay", "activity", "--all")["deliveries"]
    assert sum(each["rows"]["unchanged"] for each in again) == len(rows)
    assert sum(each["rows"]["inserted"] + each["rows"]["updated"] for each in again) == 0
    assert project.rows("analytics.activity", COLUMNS) == rows
    project.feed("activity", MENDED + "expect: {every: 1 day}\n")
    for loaded in (2, 0):  # the delivery and its replay have it each
        (resolved,) = done(project, "replay", "activity", "--quarantined")["quarantined"]
        assert resolved["loaded"] == loaded, resolved
    assert project.rows("analytics.activity", COLUMNS) == sorted(
        [*rows, ("2", "login", "2026-01-02 00:00:00+00")], key=lambda row: row[0]
    )


def rebuilt(project: Project) -> None:
    """A rebuild gives the same rows, and the next file goes into what was swapped."""
    rows = project.rows("analytics.activity", COLUMNS)
    (found,) = done(project, "rebuild", "activity", "--swap")["feeds"]
    assert (found["rows_before"], found["rows_after"]) == (3, 3)
    assert found["swapped"] == project.version("analytics.activity")
    assert project.rows("analytics.activity", COLUMNS) == rows
    project.land("activity", "d.csv", HEADER + "4,later,2026-01-04\n")
    assert done(project, "run")["feeds"][0]["rows"]["inserted"] == 1
    assert project.rows("analytics.activity", COLUMNS) == [*rows, ("4", "later", "2026-01-04 00:00:00+00")]


def kept_small(project: Project) -> None:
    """Upkeep deletes files and no rows."""
    names = ("analytics.activity", "analytics.activity__quarantine", "_landfeed.batches")
    before = [project.rows(name) for name in names]
    foreseen = done(project, "maintain", "--dry-run")["feeds"][0]["tables"]
    assert any(each["deleted"] for each in foreseen)
    assert done(project, "maintain")["feeds"][0]["status"] == "succeeded"
    assert [project.rows(name) for name in names] == before
    assert not any(each["deleted"] for each in done(project, "maintain", "--dry-run")["feeds"][0]["tables"])


def told(project: Project, hooks: Listener, lineage: Listener) -> None:
    """What was said of it, and what pages show."""
    assert text(project, "status", "--check").exit_code == 0
    assert [change["event"] for each in hooks.heard for change in each["changes"]] == ["rejected", "recovered"]
    kinds = [str(of_package(event).eventType and event["eventType"]) for event in lineage.heard]
    assert kinds.count("START") == kinds.count("COMPLETE") > 2
    assert {each["exit_code"] for each in reports(project)} == {0, 3}
    assert parsed(project.path("landfeed.prom"))["last_run_success", "activity"] == 1
    assert text(project, "docs").exit_code == 0
    pages = ""
    for name in ("index.html", os.path.join("feeds", "activity.html")):
        with open(project.path("site", name), encoding="utf-8") as stream:
            pages += stream.read()
    for said in ("user_id: not a bigint", "c.csv", "column user_id is missing: the file is rejected"):
        assert said in pages, said

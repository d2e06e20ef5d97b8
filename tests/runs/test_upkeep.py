"""`landfeed maintain`: what gathers is made small, what is old goes as the feed says, and no row changes."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from tests.support import HEADER, Project

FEED = """\
feed: activity
source: {path: "${landing}/activity/", format: csv}
schema: {user_id: bigint, event: string, event_time: timestamp}
target:
  table: analytics.activity
  keys: [user_id]
  sequence_by: event_time
  table_properties: {delta.deletedFileRetentionDuration: "interval 0 hours"}
quarantine: {retention: 30 days}
archive: {retention: 2 weeks}
"""
DAYS = 4


@pytest.fixture
def loaded(project: Project) -> Project:
    """Some batches, each with a new user, a change of the first one, and a bad row."""
    project.feed("activity", FEED)
    for day in range(1, DAYS + 1):
        rows = f"{day + 1},new,2026-01-0{day}\n1,day{day},2026-01-0{day}\nx,bad,2026-01-0{day}\n"
        project.land("activity", f"{day}.csv", HEADER + rows)
        assert project.cli("run").code == 0
    return project


def tables(document: dict[str, Any], feed: int = 0) -> dict[str, tuple[int, int]]:
    return {each["table"]: (each["compacted"], each["deleted"]) for each in document["feeds"][feed]["tables"]}


def data_files(project: Project, table: str) -> int:
    return sum(name.endswith(".parquet") and "_delta_log" not in name for name in project.files(f"tables/{table}"))


def everything(project: Project) -> list[Any]:
    names = ("analytics.activity", "analytics.activity__quarantine", "_landfeed.files", "_landfeed.batches")
    return [project.rows(name) for name in names]


def test_small_files_are_written_together_and_unneeded_ones_deleted(loaded: Project) -> None:
    before, versions = everything(loaded), loaded.version("analytics.activity")
    told = loaded.cli("maintain", "--dry-run").document
    assert loaded.version("analytics.activity") == versions
    assert tables(told)["analytics.activity"][1] > 0
    assert tables(told)["analytics.activity__quarantine"] == (DAYS, 0)
    done = loaded.cli("maintain").document
    assert [each["status"] for each in done["feeds"]] == ["succeeded", "succeeded"]
    assert data_files(loaded, "analytics/activity") == 1
    assert tables(done, 1)["_landfeed.batches"] == (DAYS, 0), "what a reader of an hour ago needs stays"
    assert data_files(loaded, "_landfeed/batches") == DAYS + 1
    assert everything(loaded) == before
    again = loaded.cli("maintain").document
    assert {**tables(again), **tables(again, 1)} == dict.fromkeys((*tables(again), *tables(again, 1)), (0, 0))
    loaded.land("activity", "next.csv", HEADER + "1,next,2026-02-01\n")
    assert loaded.cli("run").feed["rows"]["updated"] == 1


def test_old_entries_of_logs_go(loaded: Project) -> None:
    """Behind a checkpoint, so that nothing of the tables is lost with them, and the next batch knows its place."""
    before, log = everything(loaded), loaded.path("tables", "analytics", "activity", "_delta_log")
    table = loaded.table("analytics.activity")
    assert table is not None
    table.create_checkpoint()
    for name in os.listdir(log):
        os.utime(os.path.join(log, name), (1_600_000_000, 1_600_000_000))
    entries = [name for name in os.listdir(log) if name.endswith(".json")]
    assert len(entries) > DAYS
    for options in (["--dry-run"], []):
        found = loaded.cli("maintain", *options).document["feeds"][0]["tables"]
        (told,) = [each["log_entries"] for each in found if each["table"] == "analytics.activity"]
        assert told == len(entries) - 1
    assert set(entries) & set(os.listdir(log)) == {max(entries)}
    assert everything(loaded) == before
    loaded.land("activity", "next.csv", HEADER + "1,next,2026-02-01\n")
    assert loaded.cli("run").feed["rows"]["updated"] == 1
    assert len(loaded.cli("history").document["batches"]) == DAYS + 1


def test_what_is_older_than_its_retention_goes(loaded: Project) -> None:
    assert loaded.cli("maintain").document["feeds"][0]["archive_files"] == []
    archive = loaded.path("archive", "activity")
    (today,) = os.listdir(archive)
    first = sorted(os.listdir(os.path.join(archive, today)))[0]
    os.makedirs(os.path.join(archive, "2020-01-01"))
    os.rename(os.path.join(archive, today, first), os.path.join(archive, "2020-01-01", first))
    loaded.write("archive/activity/notes.txt", "kept")
    table = loaded.table("analytics.activity__quarantine")
    assert table is not None
    old = {"_quarantined_at": "CAST('2020-01-01' AS TIMESTAMP)"}
    table.update(old, predicate="_record LIKE 'x,bad,2026-01-01%'")
    for options, left in ((["--dry-run"], DAYS), ([], DAYS - 1)):
        done = loaded.cli("maintain", *options).document["feeds"][0]
        assert (len(done["archive_files"]), done["quarantine_rows"]) == (1, 1)
        assert len(loaded.rows("analytics.activity__quarantine")) == left
        assert len([name for name in loaded.files("archive") if name.endswith(".csv")]) == left
    assert "activity/notes.txt" in loaded.files("archive")
    assert loaded.cli("rebuild", "activity").document["feeds"][0]["warnings"]


def test_an_unfinished_batch_keeps_what_it_needs(loaded: Project) -> None:
    loaded.land("activity", "next.csv", HEADER + "1,next,2026-02-01\n")
    assert loaded.cli("stage").code == 0
    done = loaded.cli("maintain").document
    assert "analytics.activity__staging" not in tables(done)
    assert loaded.cli("run").feed["rows"]["updated"] == 1


@pytest.mark.parametrize("written", ["30", "a month", "0 days"])
def test_a_retention_that_is_none(written: str, project: Project) -> None:
    project.feed("activity", re.sub("retention: 30 days", f"retention: {written}", FEED))
    (problem,) = project.cli("validate").document["problems"]
    assert problem["path"] == "quarantine.retention"

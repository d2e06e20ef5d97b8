"""`landfeed replay`: archived files are loaded again, in their old order, and stay in the archive."""

from __future__ import annotations

import os
import signal

import pytest

from framework.law.deliveries import deliveries
from framework.names import File
from tests.feeds import column, made_feed
from tests.support import HEADER, Project

KILLED = "tests/recovery/killed.py"
APPEND = """\
feed: events
source: {path: "${landing}/events/", format: csv}
schema: {k: int, a: string}
target: {table: s.events, mode: append}
"""


def load(project: Project, name: str, text: str, feed: str = "activity") -> str:
    """Land a file and run; the batch that it was loaded in."""
    project.land(feed, name, text)
    batch = project.cli("run", feed).feed["batch_id"]
    assert isinstance(batch, str)
    return batch


@pytest.fixture
def days(project: Project) -> Project:
    """Two days of one user, and one who came on the first day only."""
    load(project, "a.csv", HEADER + "1,login,2026-01-01\n2,view,2026-01-01\nx,bad,2026-01-01\n")
    load(project, "b.csv", HEADER + "1,purchase,2026-01-02\n")
    return project


def target(project: Project) -> list[tuple[str, ...]]:
    return [row[:2] for row in project.rows("analytics.activity")]


def lose(project: Project) -> None:
    """What a person does to the target that should not have been done."""
    delta = project.table("analytics.activity")
    assert delta is not None
    delta.update({"event": "'lost'", "event_time": "CAST('2025-01-01' AS TIMESTAMP)"})


def test_what_was_lost_comes_back_in_the_old_order(days: Project) -> None:
    before, archive = target(days), days.files("archive")
    lose(days)
    found = days.cli("replay", "--all").document
    assert [(each["rows"]["updated"], each["rows"]["staged"]) for each in found["deliveries"]] == [(2, 2), (1, 1)]
    assert target(days) == before
    assert days.files("archive") == archive
    assert days.cli("run").document["status"] == "nothing_to_do"
    assert days.cli("status").document["feeds"][0]["last_result"] == "succeeded"
    nothing = days.cli("replay", "--all").document
    assert [each["rows"]["unchanged"] + each["rows"]["stale"] for each in nothing["deliveries"]] == [2, 1]


def test_one_batch_one_file_and_since(days: Project) -> None:
    lose(days)
    first = days.cli("history").document["batches"][-1]["batch_id"]
    assert len(days.cli("replay", "--batch", first).document["deliveries"]) == 1
    assert target(days) == [("1", "login"), ("2", "view")]
    found = days.cli("replay", "--file", "b.csv").document["deliveries"]
    assert [os.path.basename(file) for each in found for file in each["files"]] == ["b.csv"]
    assert target(days) == [("1", "purchase"), ("2", "view")]
    assert len(days.cli("replay", "--since", "2020-01-01").document["deliveries"]) == 2
    assert days.cli("replay", "--since", "2100-01-01T00:00:00Z").document["deliveries"] == []


@pytest.mark.parametrize("options", [["--file", "c.csv"], ["--batch", "0" * 16]])
def test_what_is_not_in_the_archive(options: list[str], days: Project) -> None:
    found = days.cli("replay", *options)
    assert (found.code, found.feed["error"]["code"]) == (1, "replay")
    assert options[1] in found.feed["error"]["message"]


def test_without_a_sequence_it_has_to_be_forced(project: Project) -> None:
    project.feed("events", APPEND)
    load(project, "a.csv", "k,a\n1,x\n", "events")
    refused = project.cli("replay", "events", "--all")
    assert refused.code == 1
    assert "--force" in refused.feed["error"]["hint"]
    assert project.cli("replay", "events", "--all", "--force").code == 0
    assert project.rows("s.events") == [("1", "x"), ("1", "x")]


def test_today_s_settings_count_and_files_that_they_reject_stay_where_they_are(days: Project) -> None:
    text = """\
feed: activity
source: {path: "${landing}/activity/", format: csv, files: "a*"}
schema: {user_id: string, event: string, event_time: timestamp, more: string}
target: {table: analytics.other, keys: [user_id], sequence_by: event_time}
schema_contract: {missing_columns: reject_file}
"""
    days.feed("activity", text)
    archive = days.files("archive")
    found = days.cli("replay", "--all")
    assert (found.code, found.document["status"]) == (3, "rejected")
    assert [file["status"] for file in found.feed["files"]] == ["rejected"]
    assert any("b.csv" in warning and "does not match" in warning for warning in found.feed["warnings"])
    assert days.files("archive") == archive


def test_the_archive_alone_tells_the_order_when_the_control_tables_are_lost(days: Project) -> None:
    for name in ("files", "batches"):
        os.rename(days.path("tables", "_landfeed", name), days.path(f"lost-{name}"))
    os.utime(days.path("archive", "activity", next(n for n in days.files("archive/activity") if "a.csv" in n)), (1, 1))
    found = days.cli("replay", "--all").document["deliveries"]
    assert [os.path.basename(each["files"][0]) for each in found] == ["a.csv", "b.csv"]


@pytest.mark.parametrize("at", range(0, 16, 2))
def test_killed_and_finished_by_a_plain_run(at: int, tmp_path: os.PathLike[str]) -> None:
    """At every second boundary of the first delivery; what is left to be loaded again is asked for again."""
    project = Project(os.fspath(tmp_path), "activity")
    for name, day in (("a.csv", 1), ("b.csv", 2)):
        load(project, name, HEADER + f"1,day{day},2026-01-0{day}\n2,day{day},2026-01-0{day}\nx,bad,2026-01-01\n")
    before, archive = target(project), project.files("archive")
    lose(project)
    process = project.start("replay", "--all", script=KILLED, KILL_AT=str(at))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, errors
    project.land("activity", "c.csv", HEADER + "3,new,2026-01-03\n")
    assert project.cli("run").code == 0
    assert project.cli("replay", "--all").code == 0
    assert target(project) == [*before, ("3", "new")]
    assert [name for name in project.files("archive") if "c.csv" not in name] == archive
    batches = project.rows("analytics.activity__quarantine", "_batch_id, _record")
    assert len(batches) == len(set(batches)), "bad rows come once for each batch"


def test_deliveries_without_a_ledger_and_with_one() -> None:
    feed = made_feed(column("id"))

    def file(name: str, day: int) -> File:
        return File(f"/archive/orders/{name}", name, day, 1, day * 86_400 * 10**9)

    one, two, three = (
        file("1970-01-03/00000000000000aa/x.csv", 2),
        file("1970-01-03/00000000000000bb/x.csv", 1),
        file("1970-01-04/00000000000000cc/x.csv", 1),
    )
    strange = file("notes.txt", 1)
    found, skipped = deliveries(feed, [one, two, three, strange], {}, {})
    assert [each.batch_id[-2:] for each in found] == ["aa", "bb", "cc"]
    assert skipped == []
    later = {"00000000000000aa": found[2].at.replace(year=1980)}
    assert [each.batch_id[-2:] for each in deliveries(feed, [one, two, three], later, {})[0]] == ["bb", "cc", "aa"]

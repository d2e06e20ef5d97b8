"""What is told of bad rows: in reports, by `quarantine`, `show` and `history`."""

from __future__ import annotations

import os
from typing import Any

import pytest
from click.testing import CliRunner

from framework.cli import landfeed
from tests.support import ACTIVITY, HEADER, Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

MIXED = HEADER + "1,a,2026-01-01\nx,a,2026-01-01\ny,a,never\n2,b\n"
BAD_ID = {"code": "bad_value", "column": "user_id", "rows": 2, "value": "x", "line": 3, "message": "not a bigint"}
BAD_TIME = {"code": "bad_value", "column": "event_time", "rows": 1, "value": "never", "line": 4}
BROKEN = {"code": "malformed_record", "column": None, "rows": 1, "value": None, "line": 5}


def told(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reasons without the messages of all but the first."""
    return [reasons[0], *({name: reason[name] for name in BROKEN} for reason in reasons[1:])]


def test_a_report_tells_why_rows_are_bad(project: Project) -> None:
    project.land("activity", "a.csv", MIXED)
    project.land("activity", "b.csv", HEADER + "z,a,2026-01-01\n")
    report = project.cli("run").feed
    good, bad = report["files"]
    assert sorted(told(good["reasons"]), key=str) == sorted([BAD_ID, BROKEN, BAD_TIME], key=str)
    assert (good["status"], bad["status"]) == ("archived", "rejected")
    assert bad["reason"] == "the only row is bad (quarantine.all_bad); bad_value in user_id (not a bigint: 'z', line 2)"
    assert [reason | {"message": ""} for reason in bad["reasons"]] == [
        BAD_ID | {"rows": 1, "value": "z", "line": 2, "message": ""}
    ]
    assert report["reasons"][0] == BAD_ID | {"rows": 3}
    files = project.cli("history", "--files").document["files"]
    assert {os.path.basename(file["file"]): file["reasons"] for file in files} == {
        "a.csv": good["reasons"],
        "b.csv": bad["reasons"],
    }


def test_bad_rows_by_reason(project: Project) -> None:
    assert project.cli("quarantine").feed == {
        "feed": "activity",
        "table": "analytics.activity__quarantine",
        "batches": [],
        "hints": [],
    }
    project.land("activity", "a.csv", MIXED)
    first = project.cli("run").feed["batch_id"]
    project.land("activity", "b.csv", HEADER + "3,a,2026-01-01\n,a,2026-01-01\n")
    second = project.cli("run").feed["batch_id"]
    project.land("activity", "c.csv", HEADER + "3,a,2026-01-01\n")
    project.cli("run")

    def batches(*options: str) -> dict[str, list[dict[str, Any]]]:
        found = project.cli("quarantine", *options).feed["batches"]
        return {batch["batch_id"]: batch["reasons"] for batch in found}

    newest = batches()
    assert list(newest) == [second]
    assert [(r["code"], r["column"], r["rows"], r["line"]) for r in newest[second]] == [("null_key", "user_id", 1, 3)]
    assert list(batches("--all")) == [second, first]
    assert batches("--batch", first) == batches("--file", "a.csv") == {first: batches("--all")[first]}
    assert batches("--batch", first)[first][0] == BAD_ID | {"file": project.path("landing/activity/a.csv")}
    assert batches("--file", "c.csv") == batches("--batch", "none") == batches("--file", "csv") == {}


def test_the_quarantine_is_shown_newest_first_with_errors_as_they_are(project: Project) -> None:
    project.land("activity", "z.csv", HEADER + "1,a,2026-01-01\nold,a,2026-01-01\n")
    project.cli("run")
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\nnew,a,\n")
    project.cli("run")
    rows = project.cli("show", "--quarantine").feed["rows"]
    assert [row["_record"] for row in rows] == ["new,a,", "old,a,2026-01-01"]
    assert [error["code"] for error in rows[0]["_errors"]] == ["bad_value", "null_sequence"]
    assert rows[0]["_errors"][1] == {
        "code": "null_sequence",
        "column": "event_time",
        "value": None,
        "message": "a sequence column must have a value",
    }
    assert len(project.cli("show", "--quarantine", "--limit", "1").feed["rows"]) == 1


def test_what_headers_lack_and_bring(project: Project) -> None:
    project.land("activity", "a.csv", "user_id,event_time,odd\n1,2026-01-01,x\n")
    project.land("activity", "b.csv", "user_id,event_time,odd\n2,2026-01-01,x\n")
    project.land("activity", "c.csv", HEADER + "3,a,2026-01-01\n")
    report = project.cli("run").feed
    assert report["warnings"] == [
        "column 'event' is missing in 2 files: NULL or the default there",
        "column 'odd' is ignored in 2 files: not in the schema",
    ]
    assert [len(file["warnings"]) for file in report["files"]] == [2, 2, 0]
    assert project.cli("run").feed["warnings"] == []


def test_a_rejection_is_told_until_the_next_good_load(project: Project) -> None:
    def looked() -> tuple[object, ...]:
        feed = project.cli("status").feed
        return feed["last_result"], len(feed["rejected"]), feed["target_rows"], feed["warnings"]

    assert looked() == (None, 0, None, [])
    project.land("activity", "a.csv", "user_id,event_time,odd\n1,2026-01-01,x\n")
    project.land("activity", "b.csv", HEADER + "z,a,2026-01-01\n")
    project.cli("run")
    warnings = project.cli("history").document["batches"][0]["warnings"]
    assert [warning.split(" is ")[0] for warning in warnings] == ["column 'event'", "column 'odd'"]
    assert looked() == looked() == ("rejected", 1, 1, warnings)
    assert "the only row is bad" in project.cli("status").feed["rejected"][0]["reason"]
    project.land("activity", "c.csv", HEADER + "2,a,2026-01-01\n3,a,2026-01-01\n")
    project.cli("run")
    assert looked() == ("succeeded", 0, 3, [])
    assert [batch["rejected"] for batch in project.cli("history").document["batches"]] == [0, 1]


@pytest.mark.embedded
def test_the_text_of_a_run(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + "quarantine: {all_bad: load}\n")
    project.land("activity", "a.csv", MIXED)
    result = CliRunner().invoke(landfeed, ["--config", project.path("pipelines_config"), "run"])
    assert result.stdout.startswith("activity: succeeded (4 read, 1 staged, 3 quarantined, 1 inserted)\n")
    lines = [line for line in result.stderr.splitlines() if line.startswith("  ")]
    assert lines[0] == "  2 bad rows: bad_value in user_id (not a bigint: 'x', line 3)"
    assert lines[3] == "  more: landfeed quarantine activity"
    shown = CliRunner().invoke(landfeed, ["--config", project.path("pipelines_config"), "quarantine"])
    assert shown.stdout.splitlines()[2].split()[2:6] == ["bad_value", "user_id", "2", "x"]


@pytest.mark.embedded
def test_a_person_is_told_what_to_do(project: Project) -> None:
    """… of a rejected file: how it may be meant, where it is, and what tells more; of bad rows likewise."""

    def said(command: str) -> list[str]:
        result = CliRunner().invoke(landfeed, ["--config", project.path("pipelines_config"), command])
        return [line.strip() for line in result.stderr.splitlines()]

    hint = "hint: is event_time written dd.MM.yyyy (schema.event_time.format)?"
    project.land("activity", "a.csv", HEADER + "1,a,31.01.2026\n")
    (rejected, reason, question, where, more) = (line for line in said("run") if not line.startswith("activity"))
    assert (rejected.count("the only row is bad"), reason[:9], question) == (1, "1 bad row", hint)
    (moved,) = (file["moved_to"] for file in project.cli("history", "--files").document["files"])
    folder = os.path.relpath(os.path.dirname(moved))
    about = "to have a rejected file loaded, mend it or the feed and put it back: it is in"
    assert where in (f"{about} {folder}", f"{about} {os.path.dirname(moved)}")
    assert more == "more: landfeed history activity --files"
    assert said("quarantine") == ["no bad rows; rejected files: landfeed history --files"]
    project.land("activity", "b.csv", HEADER + "1,a,31.01.2026\n2,b,2026-01-31\n")
    assert said("run")[-2:] == [hint, "more: landfeed quarantine activity"]
    assert said("quarantine") == ["", hint, "the records: landfeed show activity --quarantine"]


@pytest.mark.embedded
def test_a_feed_that_fails_over_its_bad_rows_is_told_until_the_next_good_load(project: Project) -> None:
    """… by status and history, though nothing of the batch was written and nothing of it is unfinished."""
    limit = "quarantine: {max_bad_rows: 0, on_exceed: fail}\n"
    project.feed("activity", ACTIVITY.format(name="activity") + limit)
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\nx,a,2026-01-01\n")
    report = project.cli("run")
    assert (report.code, report.document["status"]) == (3, "rejected")
    message = report.feed["error"]["message"]
    assert "1 bad row is more than quarantine.max_bad_rows (0); bad_value in user_id" in message
    for _ in range(2):
        status = project.cli("status").feed
        assert (status["last_result"], status["last_batch"]["error"]) == ("failed", message)
        assert (status["unfinished_batch"], status["pending_files"], status["target_rows"]) == (None, 1, None)
        assert project.cli("run").code == 3
    (batch,) = project.cli("history").document["batches"]
    assert (batch["state"], batch["error"], batch["files"], batch["rows_read"]) == ("failed", message, 1, 0)
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    assert project.cli("status").feed["last_result"] == "succeeded"
    assert [batch["state"] for batch in project.cli("history").document["batches"]] == ["archived", "failed"]


@pytest.mark.embedded
def test_a_feed_that_does_not_fit_its_table_is_told_until_the_next_good_load(project: Project) -> None:
    """… though its batch could not even be planned; and `status --check` fails."""
    project.feed("activity", ACTIVITY.format(name="activity"))
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    project.feed("activity", ACTIVITY.format(name="activity").replace("user_id: bigint", "user_id: int"))
    assert project.cli("run").document["status"] == "nothing_to_do"
    assert project.cli("status").feed["last_result"] == "succeeded"
    project.land("activity", "b.csv", HEADER + "2,a,2026-01-01\n")
    for _ in range(2):
        report = project.cli("run")
        assert (report.code, report.feed["error"]["code"]) == (1, "schema")
        status = project.cli("status", "--check")
        assert (status.code, status.feed["last_result"], status.feed["pending_files"]) == (3, "failed", 1)
        assert status.feed["last_batch"]["error"] == report.feed["error"]["message"]
        assert (status.feed["unfinished_batch"], status.feed["target_rows"]) == (None, 1)
    project.feed("activity", ACTIVITY.format(name="activity"))
    assert project.cli("run").code == 0
    assert project.cli("status", "--check").feed["last_result"] == "succeeded"
    assert [batch["state"] for batch in project.cli("history").document["batches"]] == ["archived", "archived"]


@pytest.mark.embedded
def test_malformed_records_count_against_the_limits(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + "quarantine: {max_bad_rows: 1}\n")
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n2,too few\n3,too few\n")
    project.land("activity", "b.csv", HEADER + "4,a,2026-01-01\n5,too few\n")
    report = project.cli("run")
    reasons = [file["reason"] for file in report.feed["files"]]
    assert report.code == 3
    assert reasons[0].startswith("2 bad rows are more than quarantine.max_bad_rows (1)")
    assert (reasons[1], project.rows("analytics.activity", "user_id")) == (None, [("4",)])

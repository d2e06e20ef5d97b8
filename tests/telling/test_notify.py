"""`notify`: webhooks hear what changed, once; whatever they do, the run is what it was."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from framework.environment import HookForm, Occasion
from framework.names import Rows, Status
from framework.report import FeedReport
from framework.telling.changes import Change, Standing, after_run, changes
from framework.telling.messages import About, message
from framework.telling.posting import Letter, post_all
from tests.cli import process, text
from tests.support import ACTIVITY, HEADER, Project
from tests.telling.listener import ANSWERS, Listener, listening
from tests.telling.test_reports import configure

GOOD, BAD = HEADER + "1,login,2026-01-01\n", "other\n1\n"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture
def project(tmp_path: os.PathLike[str], listener: Listener) -> Project:
    project = Project(os.fspath(tmp_path), "activity")
    configure(project, f"notify: [{{url: '{listener.url}', timeout_seconds: 2}}]\n")
    return project


def events(listener: Listener) -> list[tuple[str | None, str]]:
    """What was heard, in order: the feed and the occasion."""
    return [(change["feed"], change["event"]) for document in listener.heard for change in document["changes"]]


def load(project: Project, content: str, name: str) -> int:
    project.land("activity", name, content)
    return project.cli("run").code


def test_each_change_is_told_once(project: Project, listener: Listener) -> None:
    assert [load(project, content, f"{n}.csv") for n, content in enumerate([GOOD, GOOD])] == [0, 0]
    assert listener.heard == []
    assert [load(project, content, f"{n}.csv") for n, content in enumerate([BAD, BAD])] == [3, 3]
    project.cli("run")  # with nothing to do
    assert events(listener) == [("activity", "rejected")]
    (change,) = listener.heard[0]["changes"]
    assert change["message"].startswith("0.csv was rejected: ")
    assert (change["rejected_files"], change["was"]) == (1, "ok")
    assert load(project, GOOD, "a.csv") == 0
    assert load(project, GOOD, "b.csv") == 0
    assert events(listener) == [("activity", "rejected"), ("activity", "recovered")]


def test_a_failure_and_a_run_that_cannot_begin(project: Project, listener: Listener) -> None:
    os.rmdir(project.path("landing", "activity"))
    assert [project.cli("run").code for _ in range(2)] == [1, 1]
    assert events(listener) == [("activity", "failed")]
    project.feed("activity", "feed: activity\n")
    assert [project.cli("run").code for _ in range(2)] == [2, 2]
    assert events(listener)[1:] == [(None, "failed")]
    project.feed("activity", ACTIVITY.format(name="activity"))
    project.cli("run")
    assert events(listener)[2:] == [(None, "recovered")]
    load(project, GOOD, "a.csv")
    assert events(listener)[3:] == [("activity", "recovered")]


def test_what_is_late_is_told_by_runs_and_by_status(project: Project, listener: Listener) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + "expect: {every: 1 hour, rows: {min: 1}}\n")
    file = project.land("activity", "a.csv", GOOD)
    past = time.time() - 7200
    os.utime(file, (past, past))
    assert project.cli("status").code == 0
    assert listener.heard == []
    assert [project.cli("status", "--check").code for _ in range(2)] == [3, 3]
    assert events(listener) == [("activity", "late")]
    assert "wait in landing" in listener.heard[0]["changes"][0]["message"]
    project.cli("run")
    assert events(listener)[1:] == [("activity", "recovered")]
    load(project, HEADER, "b.csv")
    assert events(listener)[2:] == [("activity", "unusual")]
    project.cli("status", "--check")
    assert len(listener.heard) == 3


def test_who_wants_to_hear_less(project: Project, listener: Listener) -> None:
    with listening() as other:
        hooks = f"[{{url: '{listener.url}', on: [failed]}}, {{url: '{other.url}', on: [rejected]}}]"
        configure(project, f"notify: {hooks}\n")
        for name, content in (("a", BAD), ("b", GOOD)):
            load(project, content, f"{name}.csv")
        assert events(listener) == []
        assert events(other) == [("activity", "rejected")]


@pytest.mark.parametrize("answer", sorted(set(ANSWERS) - {"ok"}))
def test_a_webhook_cannot_harm_a_run(project: Project, listener: Listener, answer: str) -> None:
    listener.answer(answer)
    project.land("activity", "a.csv", BAD)
    began = time.monotonic()
    said = text(project, "run")
    assert time.monotonic() - began < 30
    assert said.exit_code == 3
    assert project.files("archive") == [project.files("archive")[0]]
    taken = answer in ("flood", "short")  # it said 200, and nobody reads the rest
    assert ("warning: a webhook was not notified" in said.stderr) is not taken
    assert "hunter2" not in said.stderr
    listener.answer("ok")
    heard = len(listener.heard)
    project.cli("run")  # nothing to do, but somebody is still to be told
    assert len(listener.heard) == heard + (not taken)
    project.cli("run")
    assert len(listener.heard) == heard + (not taken)


def test_nobody_listens(project: Project, listener: Listener) -> None:
    listener.close()
    project.land("activity", "a.csv", BAD)
    said = text(project, "run")
    assert said.exit_code == 3
    assert "127.0.0.1: Connection refused" in said.stderr


def test_a_try_that_failed_is_repeated_but_not_a_refusal() -> None:
    for answers, tries, trouble in (
        (("broken", "nothing", "ok"), 3, None),
        (("broken", "broken", "broken"), 3, "it answered 500"),
        (("refused",), 1, "it answered 403"),
        (("elsewhere",), 1, "it answered 302"),
    ):
        with listening(*answers) as listener:
            assert post_all([Letter(listener.url, b"{}", 20)]) == [trouble]
            assert len(listener.heard) == tries


def test_a_time_limit_holds_for_all_together() -> None:
    with listening("hang") as one, listening("drip") as other:
        began = time.monotonic()
        assert post_all([Letter(each.url, b"{}", 1) for each in (one, other)]) == ["no answer within 1 s"] * 2
        assert time.monotonic() - began < 3


def test_secrets_stand_in_no_message(project: Project, listener: Listener) -> None:
    hooks = ", ".join(f"{{url: '${{env:HOOK}}', form: {form}, on: [{on}]}}" for form, on in (("json", "rejected"),))
    configure(project, f"env_allowed: [SECRET]\nreports: ./reports\nnotify: [{hooks}]\n")
    secret = ACTIVITY.format(name="activity").replace("format: csv", "format: csv\n  null_values: ['${env:SECRET}']")
    project.feed("activity", secret)
    project.land("activity", "tell-nobody.csv", BAD)
    environ = {"HOOK": listener.url, "SECRET": "tell-nobody"}
    listener.answer("refused", "ok")
    said = process(project, "run", environ=environ)
    assert said.returncode == 3
    for _ in range(2):
        assert "hunter2" not in said.stdout + said.stderr
        said = process(project, "run", environ=environ)
    assert len(listener.heard) == 2
    told = json.dumps(listener.heard)
    assert "${env:SECRET}.csv was rejected" in told
    assert "tell-nobody" not in told
    assert "hunter2" not in told
    for at, _, names in os.walk(project.path("tables", "_landfeed")):
        for name in names:
            with open(os.path.join(at, name), "rb") as stream:
                assert b"hunter2" not in stream.read()


ABOUT = About("prod", "r1", "run", "2026-01-01T00:00:00+00:00")


def said(form: HookForm, *found: Change) -> Any:
    return json.loads(message(form, ABOUT, found, str))


def test_what_slack_takes() -> None:
    change = Change("orders", Occasion.FAILED, "a <b> & *c*\nd" + "x" * 400, {"reasons": []})
    lines = said(HookForm.SLACK, change)["text"].splitlines()
    assert lines[0] == "Landfeed, prod: 1 change"
    assert lines[1].startswith("🔴 orders: failed: a &lt;b&gt; &amp; *c* dxxx")
    assert len(lines[1]) < 350


def test_what_teams_takes() -> None:
    reasons = [{"code": "bad_value", "column": "id", "rows": 3, "message": "x"}]
    found = [Change(f"f_{n}", Occasion.REJECTED, "no [link](x)", {"reasons": reasons}) for n in range(30)]
    document = said(HookForm.TEAMS, *found)
    (card,) = document["attachments"]
    assert document["type"] == "message"
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    texts = [block["text"] for block in card["content"]["body"]]
    assert texts[1] == "🟠 f\\_0: rejected: no \\[link\\](x) (3 of bad\\_value in id)"
    assert texts[-1] == "and 10 more"


def test_no_value_of_the_data_is_told() -> None:
    report = FeedReport("f", Status.FAILED, rows=Rows(read=2))
    (change,) = changes("f", Standing(), after_run(report, Standing()), tuple(Occasion))
    assert change.as_dict()["event"] == "failed"
    assert set(change.as_dict()) == {
        *("feed", "event", "message", "hint", "batch_id", "table", "rows_read", "rows_quarantined"),
        *("reasons", "rejected", "rejected_files", "was"),
    }


def test_a_feed_that_did_nothing_is_what_it_was() -> None:
    before = Standing("failed", "late")
    for status in (Status.BUSY, Status.NOTHING_TO_DO):
        assert after_run(FeedReport("f", status), before).standing == before

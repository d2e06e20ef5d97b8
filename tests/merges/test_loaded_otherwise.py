"""A feed that says something else of its rows than what its target was loaded with is refused, until it is put back."""

from __future__ import annotations

import pytest

from tests.support import ACTIVITY, HEADER, Project

FEED = ACTIVITY.format(name="activity")
CHANGES = {
    "keys": (FEED.replace("[user_id]", "[user_id, event]"), "keys [user_id]", "[event, user_id]"),
    "mode": (FEED.replace("keys:", "mode: insert_only\n  keys:"), "mode merge", "insert_only"),
    "scd_type": (FEED.replace("keys:", "scd_type: 2\n  keys:"), "scd_type 1", "2"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_the_rows_depend_on_is_not_changed(project: Project, what: str) -> None:
    text, was, says = CHANGES[what]
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    project.feed("activity", text)
    for pending in (False, True):
        if pending:
            project.land("activity", "2.csv", HEADER + "1,b,2026-01-02\n")
        for command in ("plan", "run") if pending else ("plan",):  # a run looks at feeds with something to do
            error = project.cli(command).feed["error"]
            assert error["code"] == "loaded_otherwise"
            assert f"was loaded with {was}, and the feed now says {says}" in error["message"]
            assert "put it back" in error["hint"]
    assert project.files("landing") == ["activity/2.csv"]
    project.feed("activity", FEED)
    assert project.cli("run").code == 0
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "b")]


def test_a_batch_that_was_staged_otherwise_is_staged_again(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n1,b,2026-01-02\n")
    assert project.cli("stage").code == 0
    project.feed("activity", CHANGES["keys"][0])
    error = project.cli("merge").feed["error"]
    assert "target.keys was [user_id] and is [event, user_id]" in error["message"]
    assert project.cli("run", "activity").code == 0
    assert len(project.rows("analytics.activity")) == 2

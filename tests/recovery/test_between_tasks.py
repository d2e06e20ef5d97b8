"""What is changed between the tasks of a batch is noticed."""

from __future__ import annotations

from tests.support import ACTIVITY, Project

LONGER = ACTIVITY.format(name="activity").replace("event: string", "event: string\n  extra: string")


def test_a_column_that_comes_into_the_feed_between_stage_and_merge(project: Project) -> None:
    project.land("activity", "1.csv", "user_id,event,event_time,extra\n1,a,2026-01-01,x\n")
    assert project.cli("stage").code == 0
    project.feed("activity", LONGER)
    merge = project.cli("merge")
    assert (merge.code, merge.feed["error"]["code"]) == (1, "schema")
    assert "was staged before the schema was changed: column extra is new" in merge.feed["error"]["message"]
    assert "landfeed run" in merge.feed["error"]["hint"]
    assert project.cli("run").code == 0
    assert project.rows("analytics.activity", "user_id, extra") == [("1", "x")]
    assert project.files("landing") == []

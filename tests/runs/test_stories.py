"""Whole small runs in which something comes between: what is in the tables, the ledger and the report afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from framework.loader import load_project
from framework.names import File, Status
from framework.plan.compile import Task
from framework.report import FeedReport
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.runs.views import history_files, status
from framework.runs.world import open_world
from framework.storages.local import LocalStorage
from tests.support import ACTIVITY, HEADER, Project

DAY = "2026-01-01"
TASKS = {task.value: frozenset({task}) for task in Task}


class Disturbed(LocalStorage):
    """A storage where something happens to a file before it is asked for the first time in a certain way."""

    def __init__(self, verb: str, happens: Callable[[File | str], None]) -> None:
        self._verb, self._happens = verb, happens
        self.happened = 0

    def _before(self, verb: str, what: File | str) -> None:
        if verb == self._verb:
            self.happened += 1
            if self.happened == 1:
                self._happens(what)

    def head(self, path: str) -> File | None:
        self._before("head", path)
        return super().head(path)

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        self._before("move", file)
        return super().move(file, destination, root=root)

    def copy(self, file: File, destination: str, *, root: str | None = None) -> bool:
        self._before("copy", file)
        return super().copy(file, destination, root=root)


@contextmanager
def world_of(project: Project) -> Iterator[Callable[..., FeedReport]]:
    """Runs the project's feed `activity` in this process; with a storage of one's own."""
    found = load_project(project.path("pipelines_config"), "local", environ={})
    (feed,) = (feed for feed in found.feeds if feed.name == "activity")
    with open_world(found.environment, {}, "r", lambda: datetime.now(UTC)) as (world, leases):

        def run(storage: LocalStorage | None = None, tasks: str = "", **options: object) -> FeedReport:
            there = world if storage is None else replace(world, storage=lambda _: storage)
            chosen = Options(tasks=TASKS[tasks]) if tasks else Options()
            return run_feeds([feed], there, leases, chosen)[0]

        yield run


def replaced(project: Project, name: str, text: str) -> Callable[[File | str], None]:
    return lambda _: (project.land("activity", name, HEADER + text), None)[1]


def removed(project: Project, name: str) -> Callable[[File | str], None]:
    return lambda _: os.unlink(project.path("landing/activity", name))


def users(project: Project) -> list[tuple[str, ...]]:
    return [row[:2] for row in project.rows("analytics.activity")]


def states(project: Project, table: str = "batches") -> list[str]:
    """The events in the ledger, oldest first."""
    return [row[0] for row in project.rows(f"_landfeed.{table}", "state, recorded_at", order="recorded_at, state")]


# Between reading and committing


def test_a_file_that_is_replaced_before_staging_commits_waits_for_the_next_run(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + f"1,old,{DAY}\n")
    project.land("activity", "b.csv", HEADER + f"2,b,{DAY}\n")
    storage = Disturbed("head", replaced(project, "a.csv", f"1,new and longer,{DAY}\n"))
    with world_of(project) as run:
        report = run(storage)
        assert report.status is Status.SUCCEEDED
        assert report.warnings == ("a.csv: changed while being read, stays pending in its new version",)
        assert users(project) == [("2", "b")]
        assert project.files("landing") == ["activity/a.csv"]
        assert states(project) == ["staged", "merged", "archived"], "nothing of the batch that failed was recorded"
        assert run().rows.inserted == 1
    assert users(project) == [("1", "new and longer"), ("2", "b")]


def test_a_file_that_is_removed_before_staging_commits_is_not_loaded(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    project.land("activity", "b.csv", HEADER + f"2,b,{DAY}\n")
    with world_of(project) as run:
        report = run(Disturbed("head", removed(project, "a.csv")))
    assert (report.status, report.warnings) == (Status.SUCCEEDED, ())
    assert users(project) == [("2", "b")]


@pytest.mark.parametrize("action", ["move", "copy"])
def test_a_file_that_is_replaced_after_the_merge(project: Project, action: str) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + f"archive: {{on_success: {action}}}\n")
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    with world_of(project) as run:
        (file, *_) = run(Disturbed(action, replaced(project, "a.csv", f"1,longer,{DAY}\n"))).files
        assert (file.status, file.moved_to) == ("archived", None)
        assert file.reason == "the file was replaced in landing; the new version is pending"
        assert users(project) == [("1", "a")]
        assert run().rows.updated == 1
    assert users(project) == [("1", "longer")]


@pytest.mark.parametrize("action", ["move", "copy"])
def test_a_file_that_is_removed_after_the_merge(project: Project, action: str) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + f"archive: {{on_success: {action}}}\n")
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    with world_of(project) as run:
        (file,) = run(Disturbed(action, removed(project, "a.csv"))).files
        assert (file.status, file.reason) == ("archived", "the file was removed from landing")
        assert run().status is Status.NOTHING_TO_DO
    rows = project.rows("_landfeed.files", "state, reason")
    assert ("archived", "the file was removed from landing") in rows


@pytest.mark.parametrize("action", ["keep", "copy"])
def test_a_file_that_stays_is_loaded_again_when_its_content_is_new(project: Project, action: str) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + f"archive: {{on_success: {action}}}\n")
    path = project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    with world_of(project) as run:
        assert run().rows.inserted == 1
        assert run().status is Status.NOTHING_TO_DO
        project.land("activity", "a.csv", HEADER + f"1,b,{DAY}\n")
        assert run().rows.updated == 1, "the same size, another time"
        modified = os.stat(path).st_mtime_ns
        project.land("activity", "a.csv", HEADER + f"1,longer,{DAY}\n")
        os.utime(path, ns=(modified, modified))
        assert run().rows.updated == 1, "the same time, another size"
        assert run().status is Status.NOTHING_TO_DO
    assert users(project) == [("1", "longer")]


# Task by task


def test_each_task_leaves_its_events(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    with world_of(project) as run:
        batch = run(tasks="stage").batch_id
        assert (states(project), states(project, "files")) == (["staged"], ["staged"])
        assert run(tasks="merge").batch_id == batch
        assert (states(project), sorted(states(project, "files"))) == (["staged", "merged"], ["merged", "staged"])
        assert run(tasks="merge").batch_id is None
        assert run(tasks="archive").batch_id == batch
    assert states(project) == ["staged", "merged", "archived"]
    assert sorted(states(project, "files")) == ["archived", "merged", "staged"]


def test_the_furthest_state_of_a_file_is_shown(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    found = load_project(project.path("pipelines_config"), "local", environ={})
    shown = []
    with open_world(found.environment, {}, "r", lambda: datetime.now(UTC)) as (world, leases):
        for task in Task:
            (report,) = run_feeds(found.feeds, world, leases, Options(tasks=frozenset({task})))
            (row,) = history_files([report.batch_id or ""], world)
            (about,) = status(found.feeds, world)["feeds"]
            unfinished = about["unfinished_batch"]
            shown.append((row["state"], about["last_batch"]["state"], unfinished and unfinished["state"]))
            assert about["pending_files"] == (0 if task is Task.ARCHIVE else 1)
    assert shown == [
        ("staged", "staged", "staged"),
        ("merged", "merged", "merged"),
        ("archived", "archived", None),
    ]


def test_the_last_batch_is_the_newest_one(project: Project) -> None:
    with world_of(project) as run:
        for number in range(3):
            project.land("activity", f"{number}.csv", HEADER + f"{number},a,{DAY}\n")
            batch = run().batch_id
    (about,) = project.cli("status").document["feeds"]
    assert (about["last_batch"]["batch_id"], about["last_batch"]["state"]) == (batch, "archived")
    assert about["unfinished_batch"] is None


def test_a_staged_file_that_is_replaced_is_abandoned_once_and_never_merged(project: Project) -> None:
    original = project.land("activity", "a.csv", HEADER + f"1,old,{DAY}\nx,bad,{DAY}\n")
    shutil.copy2(original, project.path("kept.csv"))
    with world_of(project) as run:
        run(tasks="stage")
        assert len(project.rows("analytics.activity__quarantine")) == 1
        project.land("activity", "a.csv", HEADER + f"1,new and longer,{DAY}\n")
        run(tasks="merge")
        assert states(project) == ["staged", "abandoned"]
        assert states(project, "files") == ["staged"], "no file of it has come any further"
        assert project.rows("analytics.activity__quarantine") == []
        run(tasks="merge")
        assert states(project) == ["staged", "abandoned"], "once"
        shutil.copy2(project.path("kept.csv"), original)
        run(tasks="merge")
        assert project.table("analytics.activity") is None, "what is abandoned is not merged, though its file is back"
        run()
    assert users(project) == [("1", "old")]
    assert states(project).count("abandoned") == 1


def test_stage_gives_up_what_was_replaced_and_stages_the_new_file_at_once(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + f"1,old,{DAY}\n")
    with world_of(project) as run:
        run(tasks="stage")
        project.land("activity", "a.csv", HEADER + f"1,new and longer,{DAY}\n")
        run(tasks="stage")
        assert states(project) == ["staged", "abandoned", "staged"]
        run(tasks="merge")
    assert users(project) == [("1", "new and longer")]


@pytest.mark.parametrize(
    ("column", "to", "what"),
    [("event: string", "event: string\n  note: string", "column note is new"), ("user_id: bigint", "user_id: int", "")],
)
def test_a_schema_that_is_changed_between_the_tasks(project: Project, column: str, to: str, what: str) -> None:
    """The merge says so; whoever may stage stages the same files once more, by the new schema."""
    header = HEADER.replace("\n", ",note\n")
    project.land("activity", "a.csv", f"{header}1,a,{DAY},kept\nx,bad,{DAY},\n")
    assert project.cli("stage").code == 0
    feed = ACTIVITY.format(name="activity")
    assert column in feed
    project.feed("activity", feed.replace(column, to))
    report = project.cli("merge")
    error = report.feed["error"]
    assert (report.code, error["code"]) == (1, "schema")
    batch = project.cli("status").feed["unfinished_batch"]["batch_id"]
    what = what or "column user_id was bigint and is int"
    assert error["message"] == f"feed activity: batch {batch} was staged before the schema was changed: {what}"
    assert "stages the batch's files again" in error["hint"]
    plan = project.cli("plan").feed["steps"]
    assert [step["kind"] for step in plan] == ["abandon", "discard", "stage", "create_table", "merge", "archive"]
    assert plan[0]["reason"] == f"the schema was changed before the merge: {what}"
    report = project.cli("run")
    assert (report.code, report.feed["rows"]["inserted"]) == (0, 1)
    assert states(project) == ["staged", "failed", "abandoned", "staged", "merged", "archived"]
    names = "user_id, event, note" if "note" in to else "user_id, event"
    assert project.rows("analytics.activity", names) == [("1", "a", "kept")[: names.count(",") + 1]]
    assert len(project.rows("analytics.activity__quarantine")) == 1


# Tables that others have worked on


def test_staging_may_be_deleted(project: Project) -> None:
    with world_of(project) as run:
        for number in range(3):
            project.land("activity", f"{number}.csv", HEADER + f"{number},a,{DAY}\n")
            assert run().rows.inserted == 1
            shutil.rmtree(project.path("tables/analytics/activity__staging"))
        assert run().status is Status.NOTHING_TO_DO
    assert users(project) == [(str(number), "a") for number in range(3)]


def test_a_merge_that_only_the_ledger_remembers_is_done_again(project: Project) -> None:
    """Somebody took the target away after the merge; the files are gone as well."""
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    with world_of(project) as run:
        run(tasks="stage")
        run(tasks="merge")
        shutil.rmtree(project.path("tables/analytics/activity"))
        os.unlink(project.path("landing/activity/a.csv"))
        (warning,) = run().warnings
    assert "table analytics.activity had lost batch" in warning
    assert users(project) == [("1", "a")]
    assert states(project) == ["staged", "merged", "merged", "archived"]


def made_elsewhere(project: Project, type_: str, **more: str) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    fields = [("USER_ID", type_), ("event", "string"), ("event_time", pa.timestamp("us", "UTC")), *more.items()]
    schema = pa.schema([(name, pa.type_for_alias(kind) if isinstance(kind, str) else kind) for name, kind in fields])
    write_deltalake(project.path("tables/analytics/activity"), schema.empty_table())


def test_a_target_in_another_case_is_the_same(project: Project) -> None:
    made_elsewhere(project, "int64")
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    (plan,) = project.cli("plan").document["feeds"]
    assert [step["kind"] for step in plan["steps"]] == ["stage", "merge", "archive"]


def test_a_target_in_another_case_is_loaded(project: Project) -> None:
    """By appends and by merges, with its key in other letters; its own further column is left alone."""
    made_elsewhere(project, "int64", Remark="string")
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n2,b,{DAY}\n")
    assert project.cli("run").code == 0
    table = project.table("analytics.activity")
    assert table is not None
    table.update({"Remark": "'kept'"})
    project.land("activity", "b.csv", HEADER + f"1,c,{DAY}\n3,d,{DAY}\n")
    rows = project.cli("run").feed["rows"]
    assert (rows["inserted"], rows["updated"]) == (1, 1)
    found = project.rows("analytics.activity", '"USER_ID", event, "Remark"')
    assert found == [("1", "c", "kept"), ("2", "b", "kept"), ("3", "d", None)]


def test_a_target_in_another_case_and_of_another_type_is_refused(project: Project) -> None:
    made_elsewhere(project, "int32")
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n")
    result = project.cli("run")
    assert (result.code, result.feed["error"]["code"]) == (1, "schema")
    assert "column user_id of analytics.activity is int and the feed says bigint" in result.feed["error"]["message"]
    assert project.table("analytics.activity__staging") is None


def test_a_batch_that_a_constraint_refuses_is_read_again_by_the_mended_feed(project: Project) -> None:
    made_elsewhere(project, "int64")
    table = project.table("analytics.activity")
    assert table is not None
    table.alter.add_constraint({"short": "event <> 'long'"})
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\n2,long,{DAY}\nx,bad,{DAY}\n")
    error = project.cli("run").feed["error"]
    assert (error["code"], "they break short (event" in error["message"]) == ("constraint", True)
    assert project.rows("analytics.activity__quarantine") == []
    text = ACTIVITY.format(name="activity")
    project.feed("activity", text.replace("event: string", "event: {type: string, pattern: '^.{1,3}$'}"))
    rows = project.cli("run").feed["rows"]
    assert (rows["inserted"], rows["quarantined"]) == (1, 2)
    assert states(project) == ["staged", "abandoned", "staged", "merged", "archived"]


# Merging


def feed(project: Project, **target: str) -> None:
    text = ACTIVITY.format(name="activity")
    project.feed("activity", text + "".join(f"  {key}: {value}\n" for key, value in target.items()))


def test_of_one_batch_the_row_with_the_higher_second_column_survives(project: Project) -> None:
    text = ACTIVITY.format(name="activity").replace("  event: string\n", "  event: string\n  number: int\n")
    project.feed("activity", text.replace("sequence_by: event_time", "sequence_by: [event_time, number]"))
    header = "user_id,event,event_time,number\n"
    rows = [f"1,second,{DAY},2", f"1,first,{DAY},1", "2,day,2026-01-02,1", f"2,number,{DAY},9"]
    project.land("activity", "a.csv", header + "\n".join(rows))
    assert project.cli("run").code == 0
    assert users(project) == [("1", "second"), ("2", "day")]
    project.land("activity", "b.csv", header + f"1,stale,{DAY},1\n2,later,2026-01-02,2\n")
    rows_of = project.cli("run").feed["rows"]
    assert (rows_of["stale"], rows_of["updated"]) == (1, 1)
    assert users(project) == [("1", "second"), ("2", "later")]


def test_a_value_that_comes_or_goes_is_an_update(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + f"1,,{DAY}\n2,b,{DAY}\n3,,{DAY}\n")
    project.cli("run")
    project.land("activity", "b.csv", HEADER + f"1,a,{DAY}\n2,,{DAY}\n3,,{DAY}\n")
    rows = project.cli("run").feed["rows"]
    assert (rows["updated"], rows["unchanged"]) == (2, 1)
    assert users(project) == [("1", "a"), ("2", None), ("3", None)]


# Files that are refused


def test_a_file_exactly_at_its_limit_is_loaded(project: Project) -> None:
    text = ACTIVITY.format(name="activity")
    project.feed("activity", text + "quarantine: {max_bad_ratio: 0.5, max_bad_rows: 2}\n")
    project.land("activity", "a.csv", HEADER + f"1,a,{DAY}\nx,b,{DAY}\n2,a,{DAY}\ny,b,{DAY}\n")
    project.land("activity", "ratio.csv", HEADER + f"x,b,{DAY}\n")
    project.land("activity", "rows.csv", HEADER + f"x,b,{DAY}\n" * 3 + f"3,a,{DAY}\n" * 5)
    result = project.cli("run")
    assert {os.path.basename(file["file"]): file["status"] for file in result.feed["files"]} == {
        "a.csv": "archived",
        "ratio.csv": "rejected",
        "rows.csv": "rejected",
    }
    assert users(project) == [("1", "a"), ("2", "a")]


@pytest.mark.parametrize("column", ["user_id", "event_time"])
def test_a_file_without_a_key_or_sequence_column_is_rejected(project: Project, column: str) -> None:
    project.land("activity", "a.csv", (HEADER + f"1,a,{DAY}\n").replace(column, "other"))
    result = project.cli("run")
    assert (result.code, result.feed["files"][0]["status"]) == (3, "rejected")
    assert result.feed["files"][0]["reason"].startswith(f"there is no column '{column}' in the file")


def test_plan_says_why_files_are_skipped(project: Project) -> None:
    for name in ("_a.csv", ".b.csv", "c.csv.part", "d.csv"):
        project.land("activity", name, HEADER)
    (plan,) = project.cli("plan").document["feeds"]
    reasons = {os.path.basename(file["file"]): file["reason"] for file in plan["files"]}
    assert reasons == {
        "_a.csv": "the name begins with . or _",
        ".b.csv": "the name begins with . or _",
        "c.csv.part": "the name is that of an unfinished upload",
        "d.csv": None,
    }

"""The lint, branch by branch: for every rule what it tells and what it lets pass, side by side."""

from __future__ import annotations

from typing import Any

import pytest

from framework.databricks.lint import lint

URL = "/Volumes/main/raw/landing/"
KINDS = ["periodic", "table_update", "model", "sql_condition"]


def job(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "landfeed", "tasks": list(tasks), **more}


def task(key: str, *above: str, **more: Any) -> dict[str, Any]:
    return {"task_key": key, "depends_on": [{"task_key": each} for each in above], **more}


def arrival(**more: Any) -> dict[str, Any]:
    return job(trigger={"file_arrival": {"url": URL} | more})


def saying(text: str, **more: Any) -> list[str]:
    """What is told about a text that stands somewhere in a job with the task `a` and the parameter `p`."""
    return lint(job(task("a"), parameters=[{"name": "p"}], description={"deep": [text]}, **more))


def test_a_job_needs_nothing_of_all_this() -> None:
    assert lint({}) == lint(job()) == lint(job({"task_key": "a"})) == []


def test_tasks() -> None:
    assert lint(job(task("a"), task("b", "a"), task("c", "a", "b"))) == []
    assert lint(job(task("a"), task("a"))) == ["2 tasks have the task_key a"]
    assert lint(job(task("a"), task("a"), task("a"))) == ["3 tasks have the task_key a"]
    assert lint(job(task("b", "x", "y"))) == [
        "the task b depends on x, and there is no such task",
        "the task b depends on y, and there is no such task",
    ]
    (found,) = lint(job(task("a", "c"), task("b", "a"), task("c", "b")))
    assert found.startswith("tasks depend on each other: ")
    assert found.count("→") == 3


@pytest.mark.parametrize(("key", "listed"), [("environment_key", "environments"), ("job_cluster_key", "job_clusters")])
def test_compute(key: str, listed: str) -> None:
    uses = task("a", **{key: "x"})
    assert lint(job(uses, **{listed: [{key: "y"}, {key: "x"}]})) == []
    assert lint(job(uses, **{listed: [{key: "y"}]})) == [f"the task a has the {key} x, and {listed} does not"]
    assert lint(job(uses)) == [f"the task a has the {key} x, and {listed} does not"]
    assert lint(job(task("a"), **{listed: [{key: "y"}]})) == []


@pytest.mark.parametrize("one", ["schedule", "continuous"])
def test_a_job_has_one_trigger(one: str) -> None:
    assert lint(job(**{one: {}})) == []
    assert lint(arrival()) == []
    both = {**arrival(), one: {}}
    assert lint(both) == [f"a job has one trigger, and this one has {one}, trigger"]
    assert lint(job(**{one: {}}, triggers=[{}, {}])) == [
        f"a job has one trigger, and this one has {one}, triggers[0], triggers[1]"
    ]
    assert lint(job(triggers=[{}])) == []
    assert lint(job(schedule={}, continuous={})) == ["a job has one trigger, and this one has schedule, continuous"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trigger_has_one_kind(kind: str) -> None:
    assert lint(job(trigger={kind: {}})) == []
    both = job(trigger={"file_arrival": {"url": URL}, kind: {}})
    assert lint(both) == [f"a job has one trigger, and this one has trigger.file_arrival, trigger.{kind}"]
    assert lint(job(trigger={"pause_status": "PAUSED", kind: {}})) == []


@pytest.mark.parametrize("name", ["min_time_between_triggers_seconds", "wait_after_last_change_seconds"])
def test_timers(name: str) -> None:
    assert lint(arrival(**{name: 60})) == lint(arrival(**{name: 61})) == []
    assert lint(arrival(**{name: 59})) == [f"trigger.file_arrival.{name} is 59, and the least is 60"]
    assert lint(arrival(**{name: 0})) == [f"trigger.file_arrival.{name} is 0, and the least is 60"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/Volumes/main/raw/landing/", None),
        ("/Volumes/main/raw/landing/a/b/", None),
        ("gs://bucket/", None),
        ("s3://bucket/a/", None),
        ("abfss://box@account.dfs.core.windows.net/a/", None),
        ("/Volumes/main/raw/", "neither"),
        ("/Volumes/main/raw/landing", "neither"),
        ("/Volumes/main/raw/landing/a", "neither"),
        ("/volumes/main/raw/landing/", "neither"),
        ("gs://bucket", "neither"),
        ("gs:///a/", "neither"),
        ("gs://bucket/a", "neither"),
        ("https://bucket/a/", "neither"),
        ("/landing/", "neither"),
        ("x/Volumes/main/raw/landing/", "neither"),
        ("gs://bucket/*/", "wildcard"),
        ("gs://bucket/a?/", "wildcard"),
        ("gs://bucket/[a/", "wildcard"),
        ("gs://bucket/a]/", "wildcard"),
        ("gs://bucket/{a/", "wildcard"),
        ("gs://bucket/a}/", "wildcard"),
        ("gs://bucket/{a}/", "wildcard"),
        ("", "no folder to watch"),
        (None, "no folder to watch"),
    ],
)
def test_folders_to_watch(url: str | None, words: str | None) -> None:
    found = lint(arrival(url=url))
    assert len(found) == (words is not None)
    assert all(words in sentence for sentence in found if words)


def test_only_a_file_arrival_has_a_folder() -> None:
    assert lint(job(trigger={"periodic": {"interval": 1}})) == []
    assert len(lint(job(trigger={"file_arrival": {}}))) == 1


KNOWN = [
    *(f"job.{name}" for name in ("id", "name", "run_id", "repair_count", "trigger.type")),
    "job.trigger.file_arrival.location",
    *(f"job.start_time.{part}" for part in ("iso_weekday", "is_weekday", "iso_date", "iso_datetime", "year", "month")),
    *(f"job.trigger.time.{part}" for part in ("day", "hour", "minute", "second", "timestamp_ms")),
    *(f"task.{name}" for name in ("name", "run_id", "execution_count", "notebook_path")),
    *("workspace.id", "workspace.url", "job.parameters.p"),
    *(f"tasks.a.{name}" for name in ("run_id", "result_state", "error_code", "execution_count", "notebook_path")),
    *("tasks.a.values.x", "tasks.a.values.x.y", " job.id ", "\njob.id\t"),
]
UNKNOWN = [
    *("job", "job.", "job.ids", "xjob.id", "job.trigger", "job.trigger.file_arrival.url", "job.start_time"),
    *("job.start_time.week", "job.trigger.time", "task.values.x", "task", "workspace.name", "workspace", "jobXid"),
    *("tasks.a", "tasks.a.values", "tasks.a.name", "tasks", "job.parameters", "parameters.p", "", "Job.Id"),
]


@pytest.mark.parametrize("name", KNOWN)
def test_known_references(name: str) -> None:
    assert saying(f"--x={{{{{name}}}}}") == []


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_references(name: str) -> None:
    assert saying(f"{{{{{name}}}}}") == [f"{{{{{name}}}}} is no reference that Databricks knows, and stays as it is"]


def test_references_to_what_is_not_there() -> None:
    assert saying("{{job.parameters.q}}") == ["{{job.parameters.q}} names a parameter that the job does not have"]
    assert saying("{{tasks.b.run_id}}") == ["{{tasks.b.run_id}} names a task that the job does not have"]
    assert len(saying("{{job.parameters.q}} {{tasks.b.run_id}} {{job.id}} {{x}}")) == 3
    assert len(lint(job(task("a"), task("b"), x=["{{x}}"], y="{{x}}"))) == 1, "the same text is told once"


@pytest.mark.parametrize("text", ["{{job.id", "job.id}}", "{{job.id}} {{", "}} {{job.id}}", "{{job.id}", "}}"])
def test_references_without_an_end_or_a_beginning(text: str) -> None:
    assert saying(text) == [f"{text} has a reference without its end"]


@pytest.mark.parametrize("text", ["", "{}", "{ {job.id} }", "${var.x}", "a } b { c"])
def test_what_is_no_reference(text: str) -> None:
    assert saying(text) == []


def test_both_forms_of_parameters() -> None:
    def wheel(**parameters: Any) -> list[str]:
        return lint(job(task("a", python_wheel_task=parameters)))

    assert wheel(parameters=["x"]) == wheel(named_parameters={"x": "y"}) == wheel() == []
    assert wheel(parameters=[], named_parameters={"x": "y"}) == wheel(parameters=["x"], named_parameters={}) == []
    assert wheel(parameters=["x"], named_parameters={"x": "y"}) == [
        "the task a has both parameters and named_parameters"
    ]

"""The lint: every rule is provoked, and what is right passes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from framework.databricks import lint as rules
from framework.databricks.lint import lint

JOB: dict[str, Any] = {
    "name": "landfeed",
    "parameters": [{"name": "feeds", "default": ""}],
    "trigger": {"file_arrival": {"url": "/Volumes/main/raw/landing/", "wait_after_last_change_seconds": 60}},
    "environments": [{"environment_key": "landfeed", "spec": {"environment_version": "4"}}],
    "job_clusters": [{"job_cluster_key": "small", "new_cluster": {}}],
    "tasks": [
        {
            "task_key": "stage",
            "environment_key": "landfeed",
            "python_wheel_task": {"parameters": ["{{job.parameters.feeds}}", "{{ job.run_id }}"]},
        },
        {
            "task_key": "merge",
            "job_cluster_key": "small",
            "depends_on": [{"task_key": "stage"}],
            "python_wheel_task": {"parameters": ["{{tasks.stage.values.rows}}", "{{job.start_time.iso_date}}"]},
        },
    ],
}


def test_a_good_job() -> None:
    assert lint(JOB) == []


@pytest.mark.parametrize("url", ["gs://bucket/", "gs://bucket/landing/", "/Volumes/main/raw/landing/orders/"])
def test_good_urls(url: str) -> None:
    assert lint({**JOB, "trigger": {"file_arrival": {"url": url}}}) == []


def task(index: int, **changes: Any) -> dict[str, Any]:
    """The good job with a task changed."""
    job = deepcopy(JOB)
    job["tasks"][index] |= changes
    return job


def asking(parameter: str) -> dict[str, Any]:
    return task(0, python_wheel_task={"parameters": [parameter]})


def arriving(**changes: Any) -> dict[str, Any]:
    return {**JOB, "trigger": {"file_arrival": JOB["trigger"]["file_arrival"] | changes}}


MISTAKES = [
    ("_unknown_tasks", task(1, depends_on=[{"task_key": "stag"}]), "merge depends on stag, and there is no"),
    ("_cycles", task(0, depends_on=[{"task_key": "merge"}]), "depend on each other"),
    ("_cycles", task(0, depends_on=[{"task_key": "stage"}]), "stage → stage"),
    ("_duplicate_tasks", {**JOB, "tasks": [JOB["tasks"][0]] * 2}, "2 tasks have the task_key stage"),
    ("_unknown_compute", task(0, environment_key="landfed"), "stage has the environment_key landfed"),
    ("_unknown_compute", task(1, job_cluster_key="large"), "merge has the job_cluster_key large"),
    ("_several_triggers", {**JOB, "schedule": {}}, "schedule, trigger"),
    ("_several_triggers", {**JOB, "triggers": [{}]}, "trigger, triggers[0]"),
    ("_several_triggers", {**JOB, "trigger": JOB["trigger"] | {"periodic": {}}}, "trigger.periodic"),
    ("_short_timers", arriving(min_time_between_triggers_seconds=59), "is 59, and the least is 60"),
    ("_short_timers", arriving(wait_after_last_change_seconds=0), "is 0, and the least is 60"),
    ("_bad_url", arriving(url="bucket/landing/"), "neither a folder in a volume"),
    ("_bad_url", arriving(url="/Volumes/main/raw/"), "neither a folder in a volume"),
    ("_bad_url", arriving(url="gs://bucket/landing"), "neither a folder in a volume"),
    ("_bad_url", arriving(url="gs://bucket/*/"), "wildcard"),
    ("_bad_url", arriving(url=None), "no folder to watch"),
    ("_misspelt_references", asking("{{job.runid}}"), "{{job.runid}} is no reference"),
    ("_misspelt_references", asking("{{job.trigger.file_arrival.url}}"), "is no reference"),
    ("_misspelt_references", asking("{{job.parameters.feed}}"), "a parameter that the job does not have"),
    ("_misspelt_references", asking("{{tasks.stag.values.rows}}"), "a task that the job does not have"),
    ("_misspelt_references", asking("{{job.run_id}"), "without its end"),
    ("_both_forms", task(0, python_wheel_task={"parameters": ["a"], "named_parameters": {"b": "c"}}), "has both"),
]


@pytest.mark.parametrize(("rule", "job", "words"), MISTAKES)
def test_each_rule(rule: str, job: dict[str, Any], words: str) -> None:
    (found,) = lint(job)
    assert words in found
    assert list(getattr(rules, rule)(job)) == [found]


def test_no_rule_is_untested() -> None:
    assert {rule.__name__ for rule in rules._RULES} == {rule for rule, _, _ in MISTAKES}

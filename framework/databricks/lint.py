"""Lint: mistakes in a job that neither the Databricks CLI nor the Jobs API tells before something goes wrong.

Each rule is a function from a job to the sentences that say what is wrong with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

__all__ = ["lint"]

Job: TypeAlias = dict[str, Any]


def lint(job: Job) -> list[str]:
    """Everything that is wrong with a job, in the words of the Jobs API."""
    return [sentence for rule in _RULES for sentence in rule(job)]


def _tasks(job: Job) -> list[dict[str, Any]]:
    return list(job.get("tasks", []))


def _keys(job: Job) -> list[str]:
    return [task["task_key"] for task in _tasks(job)]


def _above(task: dict[str, Any]) -> list[str]:
    return [each["task_key"] for each in task.get("depends_on", [])]


def _duplicate_tasks(job: Job) -> Iterator[str]:
    for key, count in Counter(_keys(job)).items():
        if count > 1:
            yield f"{count} tasks have the task_key {key}"


def _unknown_tasks(job: Job) -> Iterator[str]:
    for task in _tasks(job):
        for key in _above(task):
            if key not in _keys(job):
                yield f"the task {task['task_key']} depends on {key}, and there is no such task"


def _cycles(job: Job) -> Iterator[str]:
    try:
        TopologicalSorter({task["task_key"]: _above(task) for task in _tasks(job)}).prepare()
    except CycleError as error:
        yield f"tasks depend on each other: {' → '.join(error.args[1])}"


def _unknown_compute(job: Job) -> Iterator[str]:
    for key, listed in (("environment_key", "environments"), ("job_cluster_key", "job_clusters")):
        known = {each[key] for each in job.get(listed, [])}
        for task in _tasks(job):
            if key in task and task[key] not in known:
                yield f"the task {task['task_key']} has the {key} {task[key]}, and {listed} does not"


_TRIGGERS = ("schedule", "continuous", "trigger")
_KINDS = ("file_arrival", "periodic", "table_update", "model", "sql_condition")


def _several_triggers(job: Job) -> Iterator[str]:
    found = [name for name in _TRIGGERS if name in job]
    found += [f"triggers[{index}]" for index, _ in enumerate(job.get("triggers", []))]
    kinds = [f"trigger.{kind}" for kind in _KINDS if kind in job.get("trigger", {})]
    for names in (found, kinds):
        if len(names) > 1:
            yield f"a job has one trigger, and this one has {', '.join(names)}"


def _arrival(job: Job) -> dict[str, Any]:
    arrival: dict[str, Any] = job.get("trigger", {}).get("file_arrival", {})
    return arrival


def _short_timers(job: Job) -> Iterator[str]:
    for name in ("min_time_between_triggers_seconds", "wait_after_last_change_seconds"):
        seconds = _arrival(job).get(name, 60)
        if seconds < 60:
            yield f"trigger.file_arrival.{name} is {seconds}, and the least is 60"


_URL = re.compile(r"(/Volumes/[^/]+/[^/]+/[^/]+|(s3|gs|abfss)://[^/]+)/(.*/)?")


def _bad_url(job: Job) -> Iterator[str]:
    if "file_arrival" not in job.get("trigger", {}):
        return
    url = _arrival(job).get("url")
    if not url:
        yield "trigger.file_arrival has no url: there is no folder to watch"
    elif any(letter in url for letter in "*?[]{}"):
        yield f"trigger.file_arrival.url {url} has a wildcard, and is watched literally"
    elif not _URL.fullmatch(url):
        what = "neither a folder in a volume (/Volumes/…/) nor one in a bucket (gs://…/)"
        yield f"trigger.file_arrival.url {url} is {what}"


_REFERENCE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_KNOWN = re.compile(
    r"""job\.(id|name|run_id|repair_count|trigger\.type|trigger\.file_arrival\.location)
      | job\.(start_time|trigger\.time)\.(iso_weekday|is_weekday|iso_date|iso_datetime
                                         |year|month|day|hour|minute|second|timestamp_ms)
      | task\.(name|run_id|execution_count|notebook_path)
      | workspace\.(id|url)
      | job\.parameters\.(?P<parameter>.+)
      | tasks\.(?P<task>[^.]+)\.(run_id|result_state|error_code|execution_count|notebook_path|values\..+)""",
    re.VERBOSE,
)


def _misspelt_references(job: Job) -> Iterator[str]:
    parameters = {each["name"] for each in job.get("parameters", [])}
    for text in dict.fromkeys(_strings(job)):
        for reference in _REFERENCE.findall(text):
            found = _KNOWN.fullmatch(reference.strip())
            if found is None:
                yield f"{{{{{reference}}}}} is no reference that Databricks knows, and stays as it is"
            elif found["parameter"] is not None and found["parameter"] not in parameters:
                yield f"{{{{{reference}}}}} names a parameter that the job does not have"
            elif found["task"] is not None and found["task"] not in _keys(job):
                yield f"{{{{{reference}}}}} names a task that the job does not have"
        if text.count("{{") != text.count("}}"):
            yield f"{text} has a reference without its end"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for below in value.values():
            yield from _strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from _strings(below)
    elif isinstance(value, str):
        yield value


def _both_forms(job: Job) -> Iterator[str]:
    for task in _tasks(job):
        wheel = task.get("python_wheel_task", {})
        if wheel.get("parameters") and wheel.get("named_parameters"):
            yield f"the task {task['task_key']} has both parameters and named_parameters"


_RULES: tuple[Callable[[Job], Iterator[str]], ...] = (
    _duplicate_tasks,
    _unknown_tasks,
    _cycles,
    _unknown_compute,
    _several_triggers,
    _short_timers,
    _bad_url,
    _misspelt_references,
    _both_forms,
)

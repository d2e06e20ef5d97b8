"""Projects with bundle targets, and the jobs that the Databricks CLI would make of what is written for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import yaml

from framework.databricks import BUNDLE_FILE, JOB_FILE
from tests.support import REPOSITORY, Project

EXAMPLE = os.path.join(REPOSITORY, "examples", "databricks")
SOURCES = '[project]\nname = "landfeed"\ndependencies = ["click>=8.1", "PyYAML>=6.0"]\n'
"""The pyproject.toml of a clone, as far as the bundle reads it."""
PROD = """\
engine: spark
variables: {landing: /Volumes/main/raw/landing, archive: /Volumes/main/raw/archive}
tables: {catalog: main}
databricks:
  mode: production
  run_as: {user_name: me@example.com}
"""


def project_of(root: str, environments: Mapping[str, str]) -> Project:
    """A clone with these environments and the feeds of the example."""
    project = Project(root)
    os.remove(project.path("pipelines_config", "environments", "local.yml"))
    for name, text in environments.items():
        project.write(f"pipelines_config/environments/{name}.yml", text)
    for name in ("orders", "user_activity"):
        with open(os.path.join(EXAMPLE, "pipelines_config", "feeds", f"{name}.yml"), encoding="utf-8") as stream:
            project.write(f"pipelines_config/feeds/{name}.yml", stream.read())
    project.write("pyproject.toml", SOURCES)
    return project


def root(folder: str) -> dict[str, Any]:
    """What databricks.yml in the folder says."""
    return _load(os.path.join(folder, BUNDLE_FILE))


def jobs(folder: str, key: str = "landfeed") -> dict[str, dict[str, Any]]:
    """Each target's job of a key. The CLI merges maps, tasks by their key, and joins all other lists."""
    common = _load(os.path.join(folder, JOB_FILE))["resources"]["jobs"][key]
    found = {}
    for name, target in root(folder)["targets"].items():
        own = target.get("resources", {}).get("jobs", {}).get(key, {})
        found[name] = _merge(common, own)
    return found


def _load(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as stream:
        document: dict[str, Any] = yaml.safe_load(stream)
    return document


def _merge(one: Any, other: Any, key: str = "") -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: _merge(one[name], other[name], name) for name in one if name in other}
        return {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list):
        if key != "tasks":
            return one + other
        own = {task["task_key"]: task for task in other}
        return [_merge(task, own.get(task["task_key"], {})) for task in one]
    return other

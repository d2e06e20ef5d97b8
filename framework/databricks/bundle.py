"""Bundle: the jobs of all targets as two documents, `databricks.yml` and the job's own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.databricks.job import KEY, LocalPath, Target, Tree, freshness_job, job, principal, upkeep_job
from framework.environment import BundleMode, DatabricksSettings, JobSource

__all__ = ["FRESHNESS", "JOB", "UPKEEP", "Bundle", "Places", "bundle", "split"]

JOB = "landfeed"
UPKEEP = "landfeed_upkeep"
FRESHNESS = "landfeed_freshness"
"""The jobs' keys among the bundle's resources."""
_CLI = ">= 0.262.0"
"""Older ones look for the paths of a target's job beside the job's file, not beside databricks.yml."""
_ROOT = "/Workspace/Users/{}/.bundle/${{bundle.name}}/${{bundle.target}}"
"""One copy, whoever deploys it, and where only its own identity and administrators write: who can write there can
have anything run as that identity."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, as seen from the folder of databricks.yml: the `config` folder; the same folder below the
    files in the workspace (`synced`); the folder of Landfeed's pyproject.toml (`sources`), None without."""

    config: str
    synced: str
    sources: str | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """`root` is what databricks.yml says, `job` what the jobs' file says, and `jobs` the whole jobs of each target, by
    their keys: what `job` and the target's part of `root` make together."""

    root: Tree
    job: Tree
    jobs: Mapping[str, Mapping[str, Tree]]


def bundle(name: str, targets: Sequence[Target], places: Places) -> Bundle:
    """The bundle of these targets; the first one for development is the default, or else the first."""
    made = {
        JOB: {target.name: job(target, places.synced) for target in targets},
        UPKEEP: {target.name: upkeep_job(target, places.synced) for target in targets},
    }
    parts = {key: split(jobs) for key, jobs in made.items()}
    rests = {
        target.name: {key: rest[target.name] for key, (_, rest) in parts.items() if rest[target.name]}
        for target in targets
    }
    # Not every target has a job that looks for late feeds, so nothing of it is shared.
    fresh = {target.name: freshness_job(target, places.synced) for target in targets}
    for target, late in fresh.items():
        rests[target] |= {} if late is None else {FRESHNESS: late}
    wheels = [target for target in targets if target.settings.source is JobSource.WHEEL]
    artifacts = {} if places.sources is None else {"artifacts": {KEY: _artifact(places.sources)}}
    every = len(wheels) == len(targets)
    first = next((each for each in targets if each.settings.mode is BundleMode.DEVELOPMENT), targets[0])
    root: Tree = {
        "bundle": {"name": name, "databricks_cli_version": _CLI},
        "include": [LocalPath("resources/landfeed.job.yml")],
        "sync": {"paths": [LocalPath(places.config)]},
        **(artifacts if every else {}),
        "targets": {
            target.name: {
                **({"default": True} if target is first else {}),
                **_target(target.settings),
                **(artifacts if target in wheels and not every else {}),
                **({"resources": {"jobs": rests[target.name]}} if rests[target.name] else {}),
            }
            for target in targets
        },
    }
    shared = {key: common for key, (common, _) in parts.items()}
    whole = {target.name: {key: jobs[target.name] for key, jobs in made.items()} for target in targets}
    for target, late in fresh.items():
        whole[target] |= {} if late is None else {FRESHNESS: late}
    return Bundle(root, {"resources": {"jobs": shared}}, whole)


def _artifact(sources: str) -> Tree:
    """The wheel is made anew for each deployment, under a name of its own, so that no older one is taken for it."""
    build = f"python3 -m pip wheel --quiet --no-deps --wheel-dir dist {shlex.quote(sources)}"
    return {"type": "whl", "path": LocalPath("."), "build": build, "dynamic_version": True}


def _target(settings: DatabricksSettings) -> Tree:
    found: Tree = {"mode": settings.mode.value}
    root = settings.root_path
    if root is None and settings.mode is BundleMode.PRODUCTION and settings.run_as is not None:
        root = _ROOT.format(settings.run_as.name)
    if root is not None:
        found["workspace"] = {"root_path": root}
    if settings.run_as is not None:
        found["run_as"] = principal(settings.run_as)
    return found


def split(jobs: Mapping[str, Tree]) -> tuple[Tree, dict[str, Tree]]:
    """What all jobs have in common, and the rest of each. The two merge as the Databricks CLI merges them: key by key,
    tasks by their `task_key`; a value below is in one of the two and never divided, as lists would be joined."""
    trees = list(jobs.values())
    shared = _shared(trees)
    rests = {target: _without(tree, shared) for target, tree in jobs.items()}
    tasks = [{task["task_key"]: task for task in tree["tasks"]} for tree in trees]
    if all(list(each) == list(tasks[0]) for each in tasks) and "tasks" not in shared:
        common = {key: _shared([each[key] for each in tasks]) for key in tasks[0]}
        shared["tasks"] = list(common.values())
        for rest, each in zip(rests.values(), tasks, strict=True):
            left = [{"task_key": key, **_without(task, common[key])} for key, task in each.items()]
            rest["tasks"] = [task for task in left if len(task) > 1]
            if not rest["tasks"]:
                del rest["tasks"]
    return shared, rests


def _shared(trees: Sequence[Tree]) -> Tree:
    return {k: v for k, v in trees[0].items() if all(k in tree and tree[k] == v for tree in trees)}


def _without(tree: Tree, shared: Tree) -> Tree:
    return {k: v for k, v in tree.items() if k not in shared}

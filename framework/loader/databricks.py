"""What a `databricks` block must fulfil beyond its JSON Schema, by itself and together with the feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from framework.environment import DatabricksSettings, Environment, JobTrigger
from framework.errors import Problem
from framework.feed import Feed
from framework.law.places import common_folder, inside, place
from framework.loader.nodes import Node
from framework.loader.paths import is_uri
from framework.loader.settings import PRINCIPALS, git_provider

__all__ = ["landing_problems", "problems", "watched_folder"]

_Found: TypeAlias = tuple[frozenset[str], Problem]

_WATCHABLE = re.compile(r"/Volumes/[^/]+/[^/]+/[^/]+/|(gs|s3|abfss)://[^/]+/")
_OLDEST_RUNTIME = (17, 0)
"""The first runtime with Spark 4, whose functions the Spark engine uses."""


def problems(tree: Node, written: Node) -> Iterator[Problem]:
    """What is wrong in the environment file of a bundle target. `tree` lacks what the schema has refused."""
    block = tree.get("databricks")
    if block is None:
        return
    for path, node in _scalars(block, "databricks"):
        if node.secret:
            message = "the value of an environment variable would be written into databricks.yml"
            yield node.problem(path, message, "write it out here")
    engine = tree.get("engine")
    if engine is not None and engine.text == "embedded":
        message = "the embedded engine does not run on Databricks"
        yield engine.problem("engine", message, "take engine: spark, or remove the databricks block")
    yield from _tables(tree)
    yield from _compute(block)
    yield from _git(block)
    yield from _trigger_path(block)
    yield from _principals(block)
    yield from _mode(block, written.map["databricks"])


def _scalars(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    for key, child in node.map.items():
        yield from _scalars(child, f"{path}.{key}")
    for index, child in enumerate(node.value if isinstance(node.value, list) else []):
        yield from _scalars(child, f"{path}[{index}]")
    if not isinstance(node.value, dict | list):
        yield path, node


def _tables(tree: Node) -> Iterator[Problem]:
    root = tree.get("tables", "root")
    if root is None:
        return
    if inside(root.text, "/Volumes") or inside(root.text, "/dbfs/Volumes"):
        message = "tables cannot live in a volume"
        yield root.problem("tables.root", message, "give tables.catalog, for example tables: {catalog: main}")
    elif not is_uri(root.text):
        message = "a folder on the machine that runs the job is gone after the run"
        yield root.problem("tables.root", message, "give tables.catalog, for example tables: {catalog: main}")


def _compute(block: Node) -> Iterator[Problem]:
    runtime = block.get("compute", "spark_version")
    number = re.match(r"(\d+)\.(\d+|x)", runtime.text) if runtime is not None else None
    if runtime is None or number is None:
        return
    minor = int(number[2]) if number[2] != "x" else 99
    if (int(number[1]), minor) < _OLDEST_RUNTIME:
        message = f"the runtime {runtime.shown} has a Spark older than 4.0"
        yield runtime.problem("databricks.compute.spark_version", message, "take 17.3.x-scala2.13 or a newer one")


def _git(block: Node) -> Iterator[Problem]:
    source, git = block.get("source"), block.get("git")
    from_git = source is not None and source.text == "git"
    if source is not None and from_git and git is None:
        hint = "add git: {url: https://…, branch: main}"
        yield source.problem("databricks.source", "source: git needs to know the repository", hint)
    if git is not None and not from_git:
        yield git.problem("databricks.git", "the job runs the wheel", "say source: git, or remove it", at_key=True)
    url = git.get("url") if git is not None else None
    if git is not None and url is not None and "provider" not in git.map and git_provider(url.text) is None:
        message = "the address does not tell which service it is"
        yield url.problem("databricks.git.url", message, "add provider, for example provider: gitHubEnterprise")


def _trigger_path(block: Node) -> Iterator[Problem]:
    node, trigger = block.get("trigger_path"), block.get("trigger")
    if node is None or node.broken:
        return
    if trigger is not None and trigger.text == "none":
        hint = "remove it, or say trigger: file_arrival"
        yield node.problem("databricks.trigger_path", "nothing is watched with trigger: none", hint, at_key=True)
    elif any(letter in node.text for letter in "*?[]{}"):
        yield node.problem("databricks.trigger_path", "a trigger takes no wildcard", "name the folder above")
    elif not _WATCHABLE.match(place(node.text)):
        message = f"a trigger cannot watch '{node.shown}'"
        hint = "give a folder in a volume, /Volumes/catalog/schema/volume/…, or in a bucket, gs://bucket/…"
        yield node.problem("databricks.trigger_path", message, hint)


def _mode(block: Node, written: Node) -> Iterator[Problem]:
    mode, root = block.get("mode"), block.get("root_path")
    if mode is not None and mode.text == "production" and not {"run_as", "root_path"} & written.map.keys():
        message = "a production target needs run_as, who the job runs as and whose home folder holds its files"
        hint = "add run_as: {service_principal_name: …}, or give root_path"
        yield mode.problem("databricks.mode", message, hint)
    elif root is not None and (mode is None or mode.text == "development"):
        message = "a development target is deployed to the home folder of who deploys it"
        yield root.problem("databricks.root_path", message, "remove it, or say mode: production")


def _principals(block: Node) -> Iterator[Problem]:
    for index, node in enumerate(block.map["permissions"].items if "permissions" in block.map else []):
        named = [kind for kind in PRINCIPALS if kind in node.map]
        if len(named) != 1:
            message = "a permission is for one user, group or service principal"
            hint = f"give one of {', '.join(PRINCIPALS)}"
            yield node.problem(f"databricks.permissions[{index}]", message, hint)


def watched_folder(databricks: DatabricksSettings, feeds: Sequence[Feed]) -> str | None:
    """What the trigger watches: the folder that is given, or the one that the feeds have in common."""
    if databricks.trigger_path is not None:
        return place(databricks.trigger_path)
    return common_folder(feed.source.path for feed in feeds)


def landing_problems(
    entries: Sequence[tuple[Feed, Node]], environment: Environment | None, tree: Node | None
) -> Iterator[_Found]:
    """Whether the folder that is watched can be watched, and only receives what is to be loaded; each problem with
    the names of the feeds that it concerns. Feeds that are not enabled count for nothing."""
    feeds = [feed for feed, _ in entries if feed.enabled]
    databricks = environment.databricks if environment is not None else None
    if environment is None or databricks is None or tree is None or not feeds:
        return
    if databricks.trigger is JobTrigger.NONE:
        return
    node = tree.get("databricks", "trigger_path") or tree.map["databricks"]
    path = "databricks.trigger_path" if databricks.trigger_path is not None else "databricks"
    for feed, feed_tree in entries if path == "databricks" else ():
        source = feed_tree.get("source", "path")
        if feed.enabled and source is not None and source.secret:
            message = f"the folder of the feed {feed.name} comes from an environment variable, which no bundle can hold"
            yield frozenset({feed.name}), node.problem(path, message, "give databricks.trigger_path", at_key=True)
    folder = watched_folder(databricks, feeds)
    if folder is None or not _WATCHABLE.match(folder):
        where = "lie below no folder" if folder in (None, "/") else f"have only {folder} in common, no folder"
        message = f"the feeds' source paths {where} that a trigger can watch"
        hint = "give trigger_path, a folder in a volume or in a bucket, or say trigger: none"
        yield frozenset(feed.name for feed in feeds), node.problem(path, message, hint, at_key=True)
        return
    yield from _not_only_data(feeds, environment, folder, node, path)


def _not_only_data(
    feeds: Sequence[Feed], environment: Environment, folder: str, node: Node, path: str
) -> Iterator[_Found]:
    """Files that Landfeed itself writes below the watched folder, which would start the job again."""
    at_key = path == "databricks"
    hint = "put it elsewhere, or give a trigger_path without it" if at_key else "put it elsewhere"
    archives = [
        (feed, f"archive.{key}")
        for feed in feeds
        for key, archive in (("path", feed.archive.path), ("rejected_path", feed.archive.rejected_path))
        if inside(archive, folder)
    ]
    if archives:
        (feed, key), others = archives[0], len({feed.name for feed, _ in archives}) - 1
        whose = f"{key} of the feed {feed.name}" + (f" (and {others} more feeds)" if others else "")
        message = f"archived files would start the job again: {folder} is watched and contains {whose}"
        yield frozenset(feed.name for feed, _ in archives), node.problem(path, message, hint, at_key=at_key)
    if environment.root is not None and inside(environment.root, folder):
        message = f"every load would start the job again: {folder} is watched and contains tables.root"
        yield frozenset(feed.name for feed in feeds), node.problem(path, message, hint, at_key=at_key)

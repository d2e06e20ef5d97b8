"""A config folder as a whole: every file read, every problem found, the selected feeds handed out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from framework.environment import Environment
from framework.errors import ConfigError, Problem
from framework.feed import Feed
from framework.loader import between, checks, databricks, expressions, schema
from framework.loader.build import build_feed
from framework.loader.environments import Settings, bundle_targets, load_environment
from framework.loader.files import Defaults, feed_files, merge, read
from framework.loader.nodes import Node
from framework.loader.substitute import substitute
from framework.loader.suggest import one_of
from framework.loader.validators import Kind
from framework.names import Secrets

__all__ = ["Project", "check_project", "environment_of", "feed_names", "load_project", "load_targets", "merged_tree"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Project:
    """One environment and the selected feeds that are enabled, in name order."""

    environment: Environment
    feeds: tuple[Feed, ...]
    secrets: Secrets = Secrets()


@dataclass(slots=True)
class _FeedFile:
    """What is known about one feed file. `tree` is merged and substituted, without what is wrong
    in it; `feed` is there when nothing is wrong."""

    file: str
    name: str | None = None
    tags: tuple[str, ...] = ()
    tree: Node | None = None
    feed: Feed | None = None
    problems: list[Problem] = field(default_factory=list)


def load_project(
    config: str, env: str, *, environ: Mapping[str, str], feeds: Sequence[str] = (), tags: Sequence[str] = ()
) -> Project:
    """The environment and the selected feeds, ready to run.

    No feed and no tag named means all. Raises ConfigError with every problem of the environment
    and of the selected feeds; a problem of a feed that is not selected stops nothing.
    """
    settings, files, problems = _load(config, env, environ, feeds, tags)
    if feeds:
        off = {file.name: file for file in files if file.feed is not None and not file.feed.enabled}
        for name in dict.fromkeys(feeds):
            node = off[name].tree if name in off else None
            if node is not None:
                place = node.get("enabled") or node
                problems.append(place.problem("enabled", f"the feed {name} is not enabled", "set enabled: true"))
    if problems or settings.environment is None:
        raise ConfigError(_ordered(problems))
    found = (file.feed for file in files if file.feed is not None and file.feed.enabled)
    return Project(settings.environment, tuple(sorted(found, key=lambda feed: feed.name)), _secrets(settings))


def _secrets(settings: Settings) -> Secrets:
    return Secrets({f"${{env:{name}}}": value for name, value in settings.scope.secrets.items()})


def environment_of(config: str, env: str, *, environ: Mapping[str, str]) -> Environment | None:
    """The environment by itself, whatever is wrong with feeds; None when it cannot be had."""
    return load_environment(config, env, environ, lambda _: None).environment


def check_project(
    config: str, env: str, *, environ: Mapping[str, str], feeds: Sequence[str] = (), tags: Sequence[str] = ()
) -> tuple[int, tuple[Problem, ...]]:
    """How many feeds were checked, and everything that is wrong. Reaches no engine, storage or network."""
    try:
        _, files, problems = _load(config, env, environ, feeds, tags)
    except ConfigError as error:
        return 0, error.problems
    return len(files), _ordered(problems)


def feed_names(config: str) -> list[str]:
    """The names of all feeds that can be read, in order; nothing is checked."""
    trees = (read(config, file, lambda _: None) for file in feed_files(config, lambda _: None))
    names = (tree.get("feed") for tree in trees if tree is not None)
    return sorted({name.text for name in names if name is not None and _NAME.fullmatch(name.text)})


def load_targets(config: str, *, environ: Mapping[str, str]) -> tuple[Project, ...]:
    """Every environment with a `databricks` block, with all feeds that are enabled, in name order.

    Raises ConfigError with every problem of each of them, and when there is none."""
    _require(config)
    projects: list[Project] = []
    problems: list[Problem] = []
    for env in bundle_targets(config):
        try:
            projects.append(load_project(config, env, environ=environ))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(_ordered(problems))
    if not projects:
        hint = "add one to the environment of the workspace, for example databricks: {mode: development}"
        raise ConfigError([Problem("environments", 1, 1, "", "no environment has a databricks block", hint)])
    return tuple(projects)


def merged_tree(config: str, env: str, name: str, *, environ: Mapping[str, str]) -> Node:
    """The feed as it stands after defaults and before substitution, each value with its origin.

    Raises ConfigError when there is no such feed or its file cannot be read."""
    problems: list[Problem] = []
    defaults = Defaults(config)
    settings = load_environment(config, env, environ, problems.append)
    files = [_read_feed(config, file, defaults, settings) for file in _feed_files(config, problems.append)]
    chosen = _select(files, [name], (), problems.append)
    for file in chosen:
        tree = read(config, file.file, lambda _: None)
        if tree is not None:
            base = defaults.of(file.file)
            return merge(base, tree) if base is not None else tree
    raise ConfigError(_ordered(problems + [p for file in chosen for p in file.problems]))


def _load(
    config: str, env: str, environ: Mapping[str, str], feeds: Sequence[str], tags: Sequence[str]
) -> tuple[Settings, list[_FeedFile], list[Problem]]:
    _require(config)
    problems: list[Problem] = []
    settings = load_environment(config, env, environ, problems.append)
    defaults = Defaults(config)
    files = [_read_feed(config, file, defaults, settings) for file in _feed_files(config, problems.append)]
    chosen = _select(files, feeds, tags, problems.append)
    _unique_names(files)
    good = [(file.feed, file.tree) for file in files if file.feed and file.tree]
    for names, problem in (
        *between.problems(good, settings.environment),
        *databricks.landing_problems(good, settings.environment, settings.tree),
    ):
        for file in chosen:
            if file.name in names:
                file.problems.append(problem)
    if not feeds and not tags:
        problems += defaults.check_all()
    for file in chosen:
        problems += file.problems
    return settings, chosen, problems


def _require(config: str) -> None:
    if not os.path.isdir(config):
        hint = "start it in the project folder, name the folder with --config, or begin one: landfeed init"
        raise ConfigError([Problem(config, 1, 1, "", "there is no such configuration folder", hint)])


def _feed_files(config: str, report: Callable[[Problem], None]) -> Iterable[str]:
    problems: list[Problem] = []
    found = list(feed_files(config, problems.append))
    for problem in problems:
        report(problem)
    if not found and not problems:
        report(
            Problem(
                "feeds",
                1,
                1,
                "",
                "there is no feed file below feeds/",
                "write one with `landfeed infer FILE` or `landfeed new NAME`",
            )
        )
    return found


def _read_feed(config: str, file: str, defaults: Defaults, settings: Settings) -> _FeedFile:
    found = _FeedFile(file)
    tree = read(config, file, found.problems.append)
    if tree is None:
        return found
    name = tree.get("feed")
    if name is not None and isinstance(name.value, str) and _NAME.fullmatch(name.value):
        found.name = name.value
    base = defaults.of(file)

    def report(problem: Problem) -> None:
        elsewhere = problem.file != file and problem.file.startswith("feeds/")
        found.problems.append(replace(problem, feed=found.name) if elsewhere else problem)

    for problem in defaults.problems(file):
        report(problem)
    if base is not None:
        tree = merge(base, tree)
    tree = substitute(tree, "", replace(settings.scope, feed=found.name or "feed"), report)
    if name is not None:
        tree.map["feed"] = name
    bad = schema.check(tree, Kind.FEED, report)
    pruned = schema.prune(tree, bad)
    found.tree = pruned
    found.tags = tuple(tag.text for tag in pruned.map["tags"].items) if "tags" in pruned.map else ()
    columns = tree.map["schema"].map if "schema" in tree.map else {}
    for problem in (*checks.problems(pruned, columns, settings, found.problems), *expressions.problems(tree, columns)):
        report(problem)
    if not found.problems and settings.environment is not None:
        archive = settings.scope.variables.get("archive")
        path = archive.text.replace("${feed}", found.name or "") if archive else None
        found.feed = build_feed(pruned, settings.environment, path)
    return found


def _select(
    files: Sequence[_FeedFile], feeds: Sequence[str], tags: Sequence[str], report: Callable[[Problem], None]
) -> list[_FeedFile]:
    """The files of the selected feeds. A file whose name cannot be read may be any of them."""
    known = {file.name: file for file in files if file.name}
    for name in dict.fromkeys(feeds):
        if name not in known:
            report(Problem("feeds", 1, 1, "", f"there is no feed '{name[:60]}'", one_of(name, sorted(known))))
    used = {tag for file in files for tag in file.tags}
    for tag in dict.fromkeys(tags):
        if tag not in used:
            report(Problem("feeds", 1, 1, "", f"no feed has the tag '{tag[:60]}'", one_of(tag, sorted(used))))
    return [
        file
        for file in files
        if file.name is None or ((not feeds or file.name in feeds) and (not tags or set(tags) & set(file.tags)))
    ]


def _unique_names(files: Iterable[_FeedFile]) -> None:
    first: dict[str, _FeedFile] = {}
    for file in files:
        if file.name is None or file.tree is None:
            continue
        other = first.setdefault(file.name, file)
        if other is not file:
            message = f"the feed '{file.name}' is also defined in {other.file}"
            node = file.tree.get("feed") or file.tree
            file.problems.append(node.problem("feed", message, "give one of them another name"))


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In file and line order; a problem in a defaults file once, with the first feed that it hits."""
    once: dict[tuple[str, int, int, str, str], Problem] = {}
    for problem in problems:
        key = (problem.file, problem.line, problem.column, problem.path, problem.message)
        if key not in once or (once[key].feed is None and problem.feed is not None):
            once[key] = problem
    return tuple(once[key] for key in sorted(once))

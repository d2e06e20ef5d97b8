"""One environment file → the Environment, and the variables that feeds may use."""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from framework.environment import Environment
from framework.errors import Problem
from framework.loader import databricks, schema
from framework.loader.files import read
from framework.loader.nodes import Node
from framework.loader.settings import build_environment
from framework.loader.substitute import Scope, Text, substitute
from framework.loader.suggest import one_of
from framework.loader.validators import Kind

__all__ = ["Settings", "bundle_targets", "environment_names", "load_environment", "zone_problem"]

_SUFFIXES = (".yml", ".yaml")
_ENVIRONMENT = re.compile(r"(?<!\$)\$\{env:([^{}]*)\}")
_REFERENCE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What an environment file gives: `environment` is None when something in it is wrong."""

    environment: Environment | None
    scope: Scope
    project: str
    tree: Node | None = None


def environment_names(config: str) -> list[str]:
    """The environments that there are, by file name."""
    folder = os.path.join(config, "environments")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(n.rsplit(".", 1)[0] for n in names if n.endswith(_SUFFIXES) and not n.startswith((".", "_")))


def bundle_targets(config: str) -> list[str]:
    """The environments with a `databricks` block. A file that cannot be read may have one."""
    files = {env: _file(config, env) for env in environment_names(config)}
    trees = {env: read(config, file, lambda _: None) for env, file in files.items() if file is not None}
    return [env for env, tree in trees.items() if tree is None or "databricks" in tree.map]


def load_environment(config: str, env: str, environ: Mapping[str, str], report: Callable[[Problem], None]) -> Settings:
    """Read `environments/<env>.yml`; everything wrong goes to `report`."""
    project = os.path.dirname(os.path.abspath(config))
    file = _file(config, env)
    unknown = Settings(
        None, Scope({}, environ, f"environments/{env}.yml", complete=False, allowed=frozenset()), project
    )
    if file is None:
        message = f"there is no environment '{env[:60]}'"
        known = environment_names(config)
        hint = one_of(env, known) if known else "write one with: landfeed init"
        report(Problem(f"environments/{env[:60]}.yml", 1, 1, "", message, hint))
        return unknown
    tree = read(config, file, report)
    if tree is None:
        return unknown
    problems: list[Problem] = []
    scope = _variables(tree, Scope({}, environ, file), problems.append)
    settings = substitute(_without_variables(tree), "", scope, problems.append)
    bad = schema.check(settings, Kind.ENVIRONMENT, problems.append)
    pruned = schema.prune(settings, bad)
    problems += _checks(pruned, settings)
    for problem in problems:
        report(problem)
    environment = None if problems else build_environment(pruned, env, project)
    allowed = pruned.get("env_allowed")
    names = frozenset(node.text for node in allowed.items) if allowed is not None else frozenset()
    return Settings(environment, replace(scope, allowed=names), project, pruned)


def _file(config: str, env: str) -> str | None:
    """The environment's file, relative to the config folder."""
    files = [f"environments/{env}{suffix}" for suffix in _SUFFIXES] if os.sep not in env else []
    return next((file for file in files if os.path.isfile(os.path.join(config, file))), None)


def _without_variables(tree: Node) -> Node:
    """The references among variables are resolved by `_variables`; their shape is still checked."""
    variables = tree.get("variables")
    if variables is None or not isinstance(variables.value, dict):
        return tree
    plain = {k: v._replace(value="x") if isinstance(v.value, str) else v for k, v in variables.value.items()}
    return tree._replace(value={**tree.map, "variables": variables._replace(value=plain)})


def _variables(tree: Node, scope: Scope, report: Callable[[Problem], None]) -> Scope:
    """The scope with every variable of the file, in whatever order they refer to each other."""
    given = tree.get("variables")
    nodes = given.map if given is not None else {}
    known: dict[str, Text] = {}
    broken: set[str] = set()

    def resolve(name: str, using: tuple[str, ...]) -> None:
        node, path = nodes[name], f"variables.{name}"
        if name in using:
            message = f"the variable refers to itself: {' → '.join((*using[using.index(name) :], name))}"
            report(node.problem(path, message, "write one of them out"))
            broken.update(using)
            return
        for other in _REFERENCE.findall(node.text):
            if other in nodes and other not in known and other not in broken:
                resolve(other, (*using, name))
        if name in broken or name in known:
            return
        here = replace(scope, variables={**known, "feed": Text("${feed}")}, broken=frozenset(broken), feed="${feed}")
        found = substitute(node, path, here, report)
        if found.broken or isinstance(found.value, dict | list) or found.value is None:
            broken.add(name)
        else:
            used = (scope.environ.keys() & set(_ENVIRONMENT.findall(node.text))) if found.secret else set()
            inherited = (known[other].secrets for other in _REFERENCE.findall(node.text) if other in known)
            known[name] = Text(found.text, tuple(dict.fromkeys([*sorted(used), *chain.from_iterable(inherited)])))

    for name in nodes:
        if name not in known and name not in broken:
            resolve(name, ())
    return replace(scope, variables=known, broken=frozenset(broken))


def _checks(tree: Node, written: Node) -> list[Problem]:
    """`tree` lacks what the schema has refused, `written` does not."""
    problems = []
    tables = tree.get("tables")
    if tables is not None and len(tables.map) != 1:
        what = "give one of root and catalog" if not tables.map else "give only one of root and catalog"
        problems.append(tables.problem("tables", "tables live either below a root or in a catalog", what))
    engine = tree.get("engine")
    embedded = engine is not None and engine.text == "embedded" and "databricks" not in tree.map
    if tables is not None and embedded and "catalog" in tables.map:
        catalog = tables.map["catalog"]
        message = "the embedded engine has no catalog"
        problems.append(catalog.problem("tables.catalog", message, "give tables.root, or take engine: spark"))
    zone = tree.get("timezone")
    if zone is not None and (problem := zone_problem(zone, "timezone")):
        problems.append(problem)
    return [*problems, *databricks.problems(tree, written)]


def zone_problem(node: Node, path: str) -> Problem | None:
    """What is wrong with the name of a time zone."""
    try:
        zoneinfo.ZoneInfo(node.text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        hint = one_of(node.shown, known, most=0) if not node.secret else ""
        hint = hint if hint.startswith("did") else "for example UTC or Europe/Rome"
        return node.problem(path, f"there is no time zone '{node.shown}'", hint)
    return None

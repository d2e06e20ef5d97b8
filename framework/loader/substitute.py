"""`${name}` and `${env:NAME}`: plain text substitution. No expressions, nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from framework.errors import Problem
from framework.loader.nodes import Node, scalar
from framework.loader.suggest import did_you_mean

__all__ = ["Scope", "substitute"]

_REFERENCE = re.compile(r"(\$?)\$\{([^{}]*)(\}?)")
_ENV = "env:"


class Text(NamedTuple):
    """A variable's value and the environment variables that are in it."""

    text: str
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What `${…}` can name here. `feed` is None outside feeds; `broken` are variables whose own
    definition is wrong, which has been reported already; without a readable environment file
    (`complete` is False) nothing can be said about any variable.

    `allowed` are the environment variables that feeds may name; None where all may be. `secrets` are those, with
    their values, that stand where no path and no name is: the values are to appear in no output."""

    variables: Mapping[str, Text]
    environ: Mapping[str, str]
    environment: str
    feed: str | None = None
    broken: frozenset[str] = field(default_factory=frozenset)
    complete: bool = True
    allowed: frozenset[str] | None = None
    secrets: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [*self.variables, *self.broken, *(["feed"] if self.feed is not None else [])]


def substitute(node: Node, path: str, scope: Scope, report: Callable[[Problem], None]) -> Node:
    """The tree with every reference replaced. An unknown one is reported; its node keeps the text as written."""
    value = node.value
    if isinstance(value, str):
        return _scalar(node, path, scope, report) if "${" in value else node
    if isinstance(value, dict):
        new = {k: substitute(v, f"{path}.{k}" if path else k, scope, report) for k, v in value.items()}
        return node._replace(value=new)
    if isinstance(value, list):
        return node._replace(value=[substitute(v, f"{path}[{i}]", scope, report) for i, v in enumerate(value)])
    return node


_DESCRIPTIONS = re.compile(r"description|owner|tags\b.*|target\.comment|schema\..*\.description")
"""Texts about a feed that are stored with its tables and shown everywhere: a secret stays as it is written."""
_USES = re.compile(r"filter|checks\[.*\]\.expr|schema\..*\.(expr|mask\b.*)|source\.null_values\b.*")
"""Where a feed can use a secret. All else becomes part of names, paths or rows."""
_PLACES = re.compile(
    r"(variables|tables|databricks)\b.*|control|reports|metrics|timezone|jobs|gcs\.(project|connector)"
)
"""Where an environment file says what is no secret: where things are."""


def _scalar(node: Node, path: str, scope: Scope, report: Callable[[Problem], None]) -> Node:
    secrets: list[str] = []
    bad = direct = False

    def replace(match: re.Match[str]) -> str:
        nonlocal bad, direct
        escaped, name, closed = match.groups()
        if escaped:
            return match.group()[1:]
        found = _find(name, scope) if closed else "a '${' without its '}'"
        if isinstance(found, Text):
            secrets.extend(found.secrets)
            direct |= name.startswith(_ENV)
            return found.text
        bad = True
        if found is not None:
            hint = "write $${ for the text ${ itself" if not closed else _hint(name, scope)
            report(node.problem(path, found, hint))
        return match.group()

    text = _REFERENCE.sub(replace, node.text)
    in_feed = scope.allowed is not None
    if secrets and in_feed and _DESCRIPTIONS.fullmatch(path):
        return node
    if not bad and direct and in_feed and not _USES.fullmatch(path):
        hint = f"it may stand in expr, filter, mask.key and null_values; define a variable in {scope.environment}"
        report(node.problem(path, f"{node.raw} is a secret, and this would be shown or stored", hint))
        bad = True
    if bad:
        return node._replace(secret=True, broken=True)
    if _USES.fullmatch(path) if in_feed else not _PLACES.fullmatch(path):
        scope.secrets.update({name: scope.environ[name] for name in secrets})
    return node._replace(value=scalar(text) if node.plain else text, text=text, secret=bool(secrets))


def _find(name: str, scope: Scope) -> Text | str | None:
    """The value, or a sentence about what is wrong, or None when that has been said before."""
    if name.startswith(_ENV):
        variable = name[len(_ENV) :]
        if variable and scope.allowed is not None and variable not in scope.allowed:
            return f"feeds may not name the environment variable {variable}"
        if variable in scope.environ:
            return Text(scope.environ[variable], (variable,))
        return f"the environment variable {variable or '(no name)'} is not set"
    if name == "feed":
        return Text(scope.feed) if scope.feed is not None else "${feed} has a meaning in feed files only"
    if name in scope.broken or (name not in scope.variables and not scope.complete):
        return None
    if name not in scope.variables:
        return f"unknown variable '{name[:60]}'"
    found = scope.variables[name]
    if "${feed}" in found.text:
        if scope.feed is None:
            return f"the variable '{name}' contains ${{feed}}, which has a meaning in feed files only"
        return Text(found.text.replace("${feed}", scope.feed), found.secrets)
    return found


def _hint(name: str, scope: Scope) -> str:
    if name.startswith(_ENV):
        variable = name[len(_ENV) :]
        if variable and scope.allowed is not None and variable not in scope.allowed:
            return f"add it to env_allowed in {scope.environment}"
        return "set it before the start"
    if name in scope.variables:
        return "use it in feed files only"
    return did_you_mean(name, scope.names()) or f"define it under variables in {scope.environment}"

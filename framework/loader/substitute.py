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
    """A variable's value and whether an environment variable is in it."""

    text: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What `${…}` can name here. `feed` is None outside feeds; `broken` are variables whose own
    definition is wrong, which has been reported already; without a readable environment file
    (`complete` is False) nothing can be said about any variable."""

    variables: Mapping[str, Text]
    environ: Mapping[str, str]
    environment: str
    feed: str | None = None
    broken: frozenset[str] = field(default_factory=frozenset)
    complete: bool = True

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


def _scalar(node: Node, path: str, scope: Scope, report: Callable[[Problem], None]) -> Node:
    secret = bad = False

    def replace(match: re.Match[str]) -> str:
        nonlocal secret, bad
        escaped, name, closed = match.groups()
        if escaped:
            return match.group()[1:]
        found = _find(name, scope) if closed else "a '${' without its '}'"
        if isinstance(found, Text):
            secret |= found.secret
            return found.text
        bad = True
        if found is not None:
            hint = "write $${ for the text ${ itself" if not closed else _hint(name, scope)
            report(node.problem(path, found, hint))
        return match.group()

    text = _REFERENCE.sub(replace, node.text)
    if bad:
        return node._replace(secret=True, broken=True)
    return node._replace(value=scalar(text) if node.plain else text, text=text, secret=secret)


def _find(name: str, scope: Scope) -> Text | str | None:
    """The value, or a sentence about what is wrong, or None when that has been said before."""
    if name.startswith(_ENV):
        variable = name[len(_ENV) :]
        if variable in scope.environ:
            return Text(scope.environ[variable], secret=True)
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
        return Text(found.text.replace("${feed}", scope.feed), found.secret)
    return found


def _hint(name: str, scope: Scope) -> str:
    if name.startswith(_ENV):
        return "set it before the start"
    if name in scope.variables:
        return "use it in feed files only"
    return did_you_mean(name, scope.names()) or f"define it under variables in {scope.environment}"

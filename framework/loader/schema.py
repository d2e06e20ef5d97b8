"""What the JSON Schemas have to say about a tree, in our words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from framework.errors import Problem
from framework.loader.elsewhere import ELSEWHERE
from framework.loader.nodes import Node, data
from framework.loader.suggest import did_you_mean, one_of
from framework.loader.validators import Kind, schema_of, sound, validator

if TYPE_CHECKING:
    from jsonschema import ValidationError

__all__ = ["Path", "check", "prune"]

Path: TypeAlias = tuple[str | int, ...]


def check(tree: Node, kind: Kind, report: Callable[[Problem], None]) -> set[Path]:
    """Report everything that the schema says about the tree; the paths of what is wrong.

    Values of defaults files are not substituted yet; those with a reference are left for later.
    """
    bad: set[Path] = set()
    missing: set[tuple[Path, str]] = set()
    document = data(tree)
    for error in () if sound(document, kind) else validator(kind).iter_errors(document):
        path: Path = tuple(error.absolute_path)
        node = _at(tree, path)
        if node.broken or (kind is Kind.DEFAULTS and node.plain and "${" in node.raw):
            continue
        for where, problem in _problems(error, path, node, missing):
            bad.add(where)
            report(problem)
    return bad | set(_broken(tree, ()))


def prune(tree: Node, bad: set[Path], path: Path = ()) -> Node:
    """The tree without the values at the bad paths, so that the rest can be checked further."""
    if not bad:
        return tree
    if isinstance(tree.value, dict):
        kept = {k: prune(v, bad, (*path, k)) for k, v in tree.value.items() if (*path, k) not in bad}
        return tree._replace(value=kept)
    if isinstance(tree.value, list):
        items = [prune(v, bad, (*path, i)) for i, v in enumerate(tree.value) if (*path, i) not in bad]
        return tree._replace(value=items)
    return tree


def written(path: Path) -> str:
    """`("target", "keys", 0)` as `target.keys[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _at(tree: Node, path: Path) -> Node:
    node = tree
    for part in path:
        node = node.map[part] if isinstance(part, str) else node.items[part]
    return node


def _broken(node: Node, path: Path) -> Iterator[Path]:
    if node.broken:
        yield path
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _broken(child, (*path, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _broken(child, (*path, index))


def _problems(
    error: ValidationError, path: Path, node: Node, missing: set[tuple[Path, str]]
) -> Iterator[tuple[Path, Problem]]:
    """The problems behind one error of jsonschema, in our words, with the path that each makes unusable."""
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    where = written(path)
    match error.validator:
        case "additionalProperties":
            for key, child in node.map.items():
                if key not in schema["properties"]:
                    below = (*path, key)
                    hint = _unknown_key_hint(key, path, schema)
                    yield below, child.problem(written(below), f"unknown key '{key[:60]}'", hint, at_key=True)
        case "required":
            for key in schema["required"]:
                if key not in node.map and (path, key) not in missing:
                    missing.add((path, key))
                    of = f" of {where}" if where else ""
                    yield (*path, key), node.problem(where, f"the key '{key}'{of} is missing", _example(schema, key))
        case "propertyNames" | "minLength" | "maxLength" | "pattern" if "propertyNames" in error.absolute_schema_path:
            key = str(error.instance)
            child = node.map[key]
            message, hint = f"'{key[:60]}' cannot be a name here", "use letters, digits and underscores"
            yield (*path, key), child.problem(written((*path, key)), message, hint, at_key=True)
        case "x-landfeed-supported":
            yield path, node.problem(where, "the key is not supported yet", "leave it out", at_key=True)
        case "x-landfeed-unsupported-values":
            words = [str(word) for word in schema["enum"] if word not in schema[error.validator]]
            hint = f"supported now: {', '.join(words)}"
            yield path, node.problem(where, f"'{node.shown}' is not supported yet", hint)
        case _:
            message, hint_ = _value_problem(error, node, schema)
            yield path, node.problem(where, message, hint_)


def _value_problem(error: ValidationError, node: Node, schema: Mapping[str, Any]) -> tuple[str, str | None]:
    limit: Any = error.validator_value
    example = _example_of(schema)
    match error.validator:
        case "type":
            wanted = [limit] if isinstance(limit, str) else list(limit)
            return f"expected {_wanted(wanted)}, found {_found(node)}", _type_hint(node, wanted) or example
        case "enum":
            words = [str(word) for word in limit]
            listed = ", ".join(words)
            return f"'{node.shown}' is not one of: {listed}", did_you_mean(node.shown, words)
        case "pattern":
            rule = schema.get("x-landfeed-rule", "text of another form")
            return f"'{node.shown}' cannot stand here", f"expected {rule}; {example}" if example else f"expected {rule}"
        case "minLength" | "minItems" | "minProperties":
            return "it is empty" if limit == 1 else f"it needs at least {limit}", example
        case "maxLength" if limit == 1:
            hint = f'write "{node.shown}" in double quotes' if node.text in {"\\t", "\\n"} else example
            return f"'{node.shown}' is more than one character", hint
        case "maxLength" | "maxItems":
            return f"it is longer than {limit}", "shorten it"
        case "maxProperties":
            return f"only {limit} of its keys can be given, not {len(node.map)}", "choose one"
        case "minimum" | "exclusiveMinimum":
            return f"{node.shown} is too small; the least is {limit}", example
        case "maximum" | "exclusiveMaximum":
            return f"{node.shown} is too large; the most is {limit}", example
        case _:
            return "the value is not valid here", example


_WANTED = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping (key: value)",
    "null": "nothing",
}


def _wanted(types: list[str]) -> str:
    words = [_WANTED[name] for name in types if name != "null"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _found(node: Node) -> str:
    match node.value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return f"the truth value {node.shown}"
        case int() | float():
            return f"the number {node.shown}"
        case text:
            return f"the text '{node.shown}'" if text else "empty text"


_YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def _type_hint(node: Node, wanted: list[str]) -> str | None:
    """What to do about the ways in which YAML reads other things than people write."""
    match node.value:
        case bool() | int() | float() if "string" in wanted:
            return f'put it in quotes: "{node.shown}"'
        case str() as text if "boolean" in wanted and text.lower() in _YES_NO:
            return f"write {_YES_NO[text.lower()]}"
        case str() as text if "boolean" in wanted and text.lower() in {"true", "false"}:
            return f"write {text.lower()} without quotes"
        case str() as text if {"integer", "number"} & set(wanted) and re.fullmatch(r"[\d_,' ]+", text):
            return f"write {re.sub('[^0-9]', '', text)} without quotes and separators" if not node.secret else None
        case dict() if "string" in wanted and node.map and all(v.value is None for v in node.map.values()):
            return "text that begins with { must stand in quotes"
        case _:
            return None


def _example_of(schema: Mapping[str, Any]) -> str | None:
    examples = schema.get("examples")
    return f"for example {json.dumps(examples[0], ensure_ascii=False)}" if examples else None


def _example(schema: Mapping[str, Any], key: str) -> str | None:
    """A line that could be added."""
    examples = schema.get("properties", {}).get(key, {}).get("examples")
    return f"add {key}, for example {key}: {json.dumps(examples[0], ensure_ascii=False)}" if examples else None


def _unknown_key_hint(key: str, path: Path, schema: Mapping[str, Any]) -> str | None:
    if key == "<<":
        return "YAML merge keys are not supported; put what feeds share into a _defaults.yml"
    if (key.rstrip().endswith((")", ">")) and key.count("(") < key.count(")")) or key.count("<") < key.count(">"):
        return 'put a type that contains a comma in quotes, as in {type: "decimal(12,2)"}'
    if key.lower() in ELSEWHERE and key not in schema["properties"]:
        return ELSEWHERE[key.lower()]
    near = did_you_mean(key, schema["properties"])
    if near is not None:
        return near
    elsewhere = [place for place in _places().get(key, ()) if place != written(path)]
    if elsewhere:
        return f"'{key}' belongs under {' or '.join(elsewhere)}"
    return one_of(key, schema["properties"])


@cache
def _places() -> dict[str, list[str]]:
    """Where in a feed file each key has its place."""
    found: dict[str, list[str]] = {}

    def walk(schema: Mapping[str, Any], path: str) -> None:
        for key, below in schema.get("properties", {}).items():
            found.setdefault(key, []).append(path or "the top level")
            walk(below, f"{path}.{key}" if path else key)
        below = schema.get("additionalProperties")
        if isinstance(below, dict):
            walk(below, f"{path}.<column>")

    walk(schema_of(Kind.FEED), "")
    return found

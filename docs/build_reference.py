"""Writes docs/reference.md from the JSON Schemas: `python docs/build_reference.py`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from framework.loader import Kind, schema_text

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.md")
INTRODUCTION = """\
# Reference

Every key of the configuration files, from their JSON Schemas (`landfeed schema feed`, `environment`, `defaults`).
A `_defaults.yml` in a folder of feeds takes the keys of a feed file but `feed`, for all feeds in the folder and
below; maps merge, everything else is replaced. `${name}` is a variable of the environment, `${feed}` the feed's
name, `${env:NAME}` an environment variable: in feed files one of those in `env_allowed`. Its value appears in no
output.

A key that is *not supported yet* is refused, never ignored.
"""


def keys(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Every key below a schema: its path, its schema, and whether it must be given."""
    for key, below in schema.get("properties", {}).items():
        where = f"{path}.{key}" if path else key
        yield where, below, key in schema.get("required", [])
        yield from keys(below, where)
        if isinstance(below.get("items"), dict):
            yield from keys(below["items"], f"{where}[]")
        if isinstance(below.get("additionalProperties"), dict):
            yield from keys(below["additionalProperties"], f"{where}.<column>")


def reference() -> str:
    """The text of docs/reference.md."""
    parts = [INTRODUCTION]
    for kind, title in ((Kind.FEED, "Feed files"), (Kind.ENVIRONMENT, "Environment files")):
        schema = json.loads(schema_text(kind))
        parts.append(f"## {title}\n\n{schema['description']}\n")
        parts += [_entry(path, below, required) for path, below, required in keys(schema)]
    return "\n".join(parts)


def _entry(path: str, schema: Mapping[str, Any], required: bool) -> str:
    facts = ["required" if required else f"default `{_shown(schema['default'])}`"]
    if "enum" in schema:
        facts.append("one of " + ", ".join(f"`{word}`" for word in schema["enum"]))
    if schema.get("x-landfeed-supported") is False:
        facts.append("**not supported yet**")
    if "x-landfeed-unsupported-values" in schema:
        words = ", ".join(f"`{word}`" for word in schema["x-landfeed-unsupported-values"])
        facts.append(f"not supported yet: {words}")
    return (
        f"### `{path}`\n\n{schema['description']}\n\n{'; '.join(facts)}. Example: `{_shown(schema['examples'][0])}`\n"
    )


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    with open(FILE, "w", encoding="utf-8") as out:
        out.write(reference())

"""The JSON Schemas as editors get them: the validator's own, with snippets, lists of words to choose from, and a note
at what this version does not do. Whatever the validator accepts, they accept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from framework.loader import Kind, schema_text
from framework.types import TYPE_ALIASES, TYPE_NAMES

__all__ = ["SCHEMA_FILES", "editor_schema", "schema_files"]

SCHEMA_FILES = {kind: f"{kind}.schema.json" for kind in Kind}
"""The names under which a project keeps them, in its configuration folder."""
_NOT_YET = "Not supported yet: the validator refuses it."
_WITH_MEMBERS = ("array", "map", "struct")
_FEED = {
    "label": "feed",
    "description": "A feed from CSV files into one table",
    "body": {
        "feed": "${1:orders}",
        "source": {"path": "\\${landing}/${1:orders}/", "format": "csv"},
        "schema": {"${2:order_id}": "bigint", "${3:updated_at}": "timestamp"},
        "target": {"table": "${4:main}.${1:orders}", "keys": ["${2:order_id}"], "sequence_by": "${3:updated_at}"},
    },
}
_COLUMN = {
    "label": "column",
    "description": "A column with a type and rules",
    "body": {"type": "${1:string}", "required": "^${2:true}", "description": "${3:what it holds}"},
}
_CHECK = {
    "label": "check",
    "description": "A rule about every row",
    "body": {
        "name": "${1:adult}",
        "expr": "${2:birth_date < '2010-01-01'}",
        "action": "${3|warn,quarantine,drop,fail|}",
    },
}


def editor_schema(kind: Kind) -> str:
    """The schema of a kind of files as text."""
    schema: dict[str, Any] = json.loads(schema_text(kind))
    _everywhere(schema, _note)
    if kind is not Kind.ENVIRONMENT:
        _feed_helps(schema, whole=kind is Kind.FEED)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_files() -> dict[str, str]:
    """All of them, by file name."""
    return {name: editor_schema(kind) for kind, name in SCHEMA_FILES.items()}


def _everywhere(schema: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a schema and all schemas below it; examples and the like are left alone."""
    if not isinstance(schema, dict):
        return
    change(schema)
    for below in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        _everywhere(below, change)


def _note(schema: dict[str, Any]) -> None:
    """Say at a key what this version does not do."""
    if schema.get("x-landfeed-supported") is False:
        schema["description"] = f"{_NOT_YET} {schema['description']}"
        schema["deprecationMessage"] = _NOT_YET
    words = schema.get("x-landfeed-unsupported-values")
    if words:
        schema["enumDescriptions"] = [_NOT_YET if word in words else "" for word in schema["enum"]]
        schema["description"] += f" Not supported yet: {', '.join(map(str, words))}."


def _feed_helps(schema: dict[str, Any], *, whole: bool) -> None:
    if whole:
        schema["defaultSnippets"] = [_FEED]
    column = schema["properties"]["schema"]["additionalProperties"]
    column["defaultSnippets"] = [_COLUMN]
    words = {"enum": [*TYPE_NAMES, "decimal(12,2)", "array<string>", "map<string,string>", "struct<name:string>"]}
    pattern = {"type": "string", "pattern": _type_pattern()}
    column["properties"]["type"]["anyOf"] = [words, pattern]
    column["anyOf"] = [words, pattern, {"type": "object"}]
    schema["properties"]["checks"]["items"]["defaultSnippets"] = [_CHECK]


def _type_pattern() -> str:
    """What a type looks like, in any case; a reference may stand for it. The validator knows the rest."""
    plain = "|".join(map(_any_case, (*TYPE_NAMES, *TYPE_ALIASES)))
    numbers = "|".join(map(_any_case, ("decimal", "dec", "numeric"))) + r")\s*(\(\s*\d+\s*(,\s*\d+\s*)?\)"
    nested = "|".join(map(_any_case, _WITH_MEMBERS))
    return rf"^\s*(({plain})|({numbers})?|({nested})\s*<.+>)\s*$|\$\{{"


def _any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)

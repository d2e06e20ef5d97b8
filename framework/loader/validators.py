"""The JSON Schemas of the three kinds of files, and the libraries that hold a document to them.

Two keywords are Landfeed's own: `x-landfeed-supported: false` marks a key that the contract has and
this version does not do yet, `x-landfeed-unsupported-values` the same for words. Taking the marker
out of the schema is all it needs to let a key through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["Kind", "schema_of", "schema_text", "sound", "validator"]


class Kind(StrEnum):
    """The kinds of configuration files."""

    FEED = "feed"
    ENVIRONMENT = "environment"
    DEFAULTS = "defaults"


def schema_text(kind: Kind) -> str:
    """The JSON Schema (draft 2020-12) as published."""
    return resources.files("framework").joinpath(f"schemas/{kind}.schema.json").read_text("utf-8")


@cache
def schema_of(kind: Kind) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text(kind))
    return schema


def sound(document: Any, kind: Kind) -> bool:
    """Whether jsonschema-rs finds nothing wrong with it: it needs a tenth of the time, but tells less of what is wrong.
    Where it is not installed nothing is known to be sound."""
    fast = _fast_validator(kind)
    try:
        return fast is not None and bool(fast.is_valid(document))
    except ValueError:  # a value that JSON has not
        return False


@cache
def _fast_validator(kind: Kind) -> Any:
    try:
        from jsonschema_rs import Draft202012Validator
    except ImportError:
        return None
    return Draft202012Validator(_standard(schema_of(kind)))


def _standard(schema: Any) -> Any:
    """The schema with our own keywords said in those of the standard."""
    match schema:
        case dict():
            found = {key: _standard(value) for key, value in schema.items()}
            refused: list[Any] = [{}] if schema.get("x-landfeed-supported") is False else []
            if words := schema.get("x-landfeed-unsupported-values"):
                refused.append({"enum": words})
            return found | ({"not": {"anyOf": refused}} if refused else {})
        case list():
            return [_standard(value) for value in schema]
        case _:
            return schema


@cache
def validator(kind: Kind) -> Any:
    """A validator of jsonschema, which also knows our own keywords."""
    from jsonschema import Draft202012Validator, ValidationError, validators

    def _not_supported(_: Any, supported: bool, _instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if not supported:
            yield ValidationError("not supported yet")

    def _values_not_supported(_: Any, words: list[Any], instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if instance in words:
            yield ValidationError("not supported yet")

    extended = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {"x-landfeed-supported": _not_supported, "x-landfeed-unsupported-values": _values_not_supported},
    )
    return extended(schema_of(kind))

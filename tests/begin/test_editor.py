"""The schemas for editors: whatever the validator accepts they accept, and they say what it does not do."""

from __future__ import annotations

import glob
import json
import os
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from framework.begin import editor_schema
from framework.loader import Kind
from tests.loader.test_schemas import every_key
from tests.support import REPOSITORY


def validator(kind: Kind) -> Any:
    schema = json.loads(editor_schema(kind))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def files(*names: str) -> list[str]:
    return [file for name in names for file in sorted(glob.glob(os.path.join(REPOSITORY, name)))]


FEEDS = files("pipelines_config/feeds/*.yml", "tests/loader/complete/feed*.yml", "examples/*/pipelines_config/feeds/*")
ENVIRONMENTS = files("pipelines_config/environments/*.yml", "tests/loader/complete/environment*.yml")


@pytest.mark.parametrize("kind", list(Kind))
def test_it_accepts_what_the_validator_accepts(kind: Kind) -> None:
    paths = {Kind.FEED: FEEDS, Kind.ENVIRONMENT: ENVIRONMENTS, Kind.DEFAULTS: []}[kind]
    check = validator(kind)
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            content = json.loads(json.dumps(yaml.safe_load(stream), default=str))  # to editors a day is a text
        errors = [error.message for error in check.iter_errors(content)]
        assert errors == [], path


@pytest.mark.parametrize(
    ("type_", "fine"),
    [
        *((name, True) for name in ("bigint", "BIGINT", "long", "decimal(12,2)", "Decimal", "numeric( 5 )", "${type}")),
        *((name, True) for name in ("array<string>", "map<string, array<int>>", "struct<a:int,b:string>")),
        *((name, False) for name in ("varchar", "bigints", "decimal(a)", "array", "datetime")),
    ],
)
def test_types_are_words_to_choose_from_or_have_a_form(type_: str, fine: bool) -> None:
    feed: dict[str, Any] = {"feed": "a", "source": {"path": "x", "format": "csv"}, "target": {"table": "a.b"}}
    check = validator(Kind.FEED)
    for column in (type_, {"type": type_}):
        assert check.is_valid(feed | {"schema": {"id": column}}) is fine


def test_it_says_what_this_version_does_not_do() -> None:
    shown = json.loads(editor_schema(Kind.FEED))
    for kind, path, schema, _ in every_key():
        if kind != Kind.FEED:
            continue
        at = shown
        for part in path.split("."):
            name = part.removesuffix("[]")
            at = at["additionalProperties"] if name == "<column>" else at["properties"][name]
            at = at["items"] if part.endswith("[]") else at
        unsupported = schema.get("x-landfeed-supported") is False
        assert unsupported == ("deprecationMessage" in at), path
        assert unsupported == at["description"].startswith("Not supported yet"), path
        for word in schema.get("x-landfeed-unsupported-values", ()):
            assert "Not supported yet: " in at["description"]
            assert str(word) in at["description"]


def test_snippets_for_a_feed_a_column_and_a_check() -> None:
    schema = json.loads(editor_schema(Kind.FEED))
    column = schema["properties"]["schema"]["additionalProperties"]
    check = schema["properties"]["checks"]["items"]
    labels = [snippet["label"] for place in (schema, column, check) for snippet in place["defaultSnippets"]]
    assert labels == ["feed", "column", "check"]

"""Every key of the JSON Schemas explains itself, stands in the reference, and is used by a test."""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import json
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import yaml

from framework.loader import Kind, schema_text
from tests.support import REPOSITORY, Project


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", os.path.join(REPOSITORY, "docs", "build_reference.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every_key() -> list[tuple[str, str, Any, bool]]:
    """(kind of file, path, schema, required) of every key."""
    keys = builder().keys
    return [(kind.value, *key) for kind in Kind for key in keys(json.loads(schema_text(kind)))]


def used(kind: str) -> set[str]:
    """The keys that the configuration files of the tests have."""
    names = ["complete/feed*.yml", "golden/*.yml"] if kind == "feed" else ["complete/environment*.yml"]
    files = [file for name in names for file in glob.glob(os.path.join(REPOSITORY, "tests", "loader", name))]
    found: set[str] = set()
    for file in files:
        # Some files test that YAML is broken, or that it contains itself.
        with open(file, encoding="utf-8") as stream, contextlib.suppress(yaml.YAMLError, RecursionError):
            found |= set(paths(yaml.safe_load(stream), ""))
    return found


def paths(value: Any, path: str) -> Iterator[str]:
    """Each key's path, with columns under one name as in the schema."""
    if isinstance(value, list):
        for item in value:
            yield from paths(item, f"{path}[]")
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{path}.<column>" if path == "schema" else f"{path}.{key}" if path else str(key)
            yield below
            yield from paths(item, below)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_key_has_a_description_an_example_and_a_default(kind: Kind) -> None:
    for of, path, schema, required in every_key():
        if of == kind:
            assert len(schema["description"]) > 5, path
            assert schema["examples"], path
            assert required or "default" in schema, path


@pytest.mark.parametrize("kind", ["feed", "environment"])
def test_every_key_is_used_by_a_test(kind: str) -> None:
    missing = {path for of, path, _, _ in every_key() if of == kind} - used(kind)
    assert missing == set()


def test_the_reference_is_up_to_date() -> None:
    """`python docs/build_reference.py` writes it."""
    module = builder()
    with open(module.FILE, encoding="utf-8") as stream:
        text = stream.read()
    assert text == module.reference()
    assert all(f"### `{path}`" in text for of, path, _, _ in every_key() if of != "defaults")


def test_defaults_have_the_keys_of_feeds() -> None:
    keys = {kind: {path for of, path, _, _ in every_key() if of == kind} for kind in Kind}
    assert keys[Kind.DEFAULTS] == keys[Kind.FEED] - {"feed"}
    given, whole = (json.loads(schema_text(kind))["properties"] for kind in (Kind.DEFAULTS, Kind.FEED))
    assert given["schema_contract"] == whole["schema_contract"]  # what is supported in one is in the other


def complete(name: str) -> str:
    with open(os.path.join(REPOSITORY, "tests", "loader", "complete", name), encoding="utf-8") as stream:
        return stream.read()


COUNTRIES = """\
feed: countries
source: {path: "${landing}/countries/", format: csv}
schema: {code: string}
target: {table: crm.countries, keys: [code]}
"""


def test_a_feed_with_every_supported_key_runs(project: Project) -> None:
    project.feed("complete", complete("feed.yml"))
    assert project.cli("validate").document["problems"] == []
    header = "customer_id;MAIL;status;birth_date;balance;address;updated_at\n"
    row = '1;a@b;I;31.12.1999;5.00;\'{"zip": "1"}\';2026-01-01 12:00\n'
    project.land("complete", "2026/customers_20260101_a.csv", header + "#no row\n" + row + "2;x;I;;;;2026-01-01\n")
    project.feed("countries", COUNTRIES)
    project.land("countries", "1.csv", "code\nIT\n")
    assert project.cli("run", "countries").code == 0
    report = project.cli("run", "complete").feed
    assert (report["rows"]["inserted"], report["rows"]["quarantined"]) == (1, 1)
    columns = "customer_id, birth_date, address, updated_at, business_date"
    expected = ("1", "1999-12-31", "{'street': NULL, 'zip': 1}", "2026-01-01 11:00:00+00", "2026-01-01")
    assert project.rows("crm.customers", columns) == [expected]
    assert len(project.rows("crm.bad_customers")) == 1
    assert project.files("archive/crm/customers")


@pytest.mark.parametrize("name", ["environment.yml", "environment_other.yml"])
def test_environments_are_checked_without_being_reached(project: Project, name: str) -> None:
    project.write("pipelines_config/environments/prod.yml", complete(name))
    assert project.cli("--env", "prod", "validate").document["problems"] == []


def test_keys_that_exclude_others(project: Project) -> None:
    project.feed("other", complete("feed_other.yml"))
    project.land("other", "a.csv", "id\n1\n")
    assert project.cli("run", "other").feed["warnings"] == [
        "a.csv: skipped: it is not ready: its marker a.csv.done is not there"
    ]

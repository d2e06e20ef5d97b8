"""docs/recipes.md: every feed in it loads the files of examples/recipes, on every engine: one run for all."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

import pytest

from tests.support import REPOSITORY, Project

pytestmark = pytest.mark.engines

with open(os.path.join(REPOSITORY, "docs", "recipes.md"), encoding="utf-8") as _stream:
    FEEDS = {
        re.findall(r"^feed: (\w+)", text)[0]: text for text in re.findall(r"```yaml\n(.*?)```", _stream.read(), re.S)
    }
FILES = os.path.join(REPOSITORY, "examples", "recipes")
ROWS: dict[str, list[tuple[str | None, ...]]] = {
    "oracle_orders": [
        ("17", "Müller, Söhne", "1234.50", "2026-01-01", "2026-01-01 09:30:00.123456+00"),
        ("18", 'say "hi"', "-0.75", "2025-12-31", "2025-12-31 23:59:59+00"),
        ("19", None, None, None, "2026-01-02 00:00:00+00"),
    ],
    "sap_stock": [
        ("A-100", "1000", "-1250.00", "EUR", "2026-01-31"),
        ("A-200", "1000", "3.10", "EUR", "2026-02-01"),
        ("Ä-300", "2000", "12000.00", "EUR", "2026-02-02"),
    ],
    "postgres_users": [
        ("1", "Zoë", "true", "{a,b}", "{'k': 1}", "2026-01-31 09:11:12.345+00"),
        ("2", "", "false", "{}", None, "2026-06-30 22:00:00+00"),
        ("3", None, None, None, None, None),
    ],
    "bigquery_events": [
        ("e1", "7", "12.5", "2026-01-31", "2026-01-31 10:11:12.345678+00"),
        ("e2", None, None, None, "2026-01-31 10:11:12+00"),
    ],
    "excel_prices": [
        ("Mutter", "-0.10", "100.0", "2026-02-01", "00007"),
        ("Schraube", "1234.50", "12.5", "2026-01-31", "00123"),
    ],
    "excel_unicode": [("1", "Zoë", "two\nlines"), ("2", "名前", None)],
    "excel_book": [("17", "Müller", "1234.50", "2026-01-01"), ("18", "Zoë", "3.00", "2026-02-01")],
    "pandas_frame": [
        ("a", "1", "0.1", "true", "2026-01-31 10:11:12.345678+00"),
        ("b", None, "nan", "false", "2026-01-31 00:00:00+00"),
        ("c", "12", "1e-05", None, None),
    ],
    "firehose_clicks": [
        ("1", "/a", "2026-01-31 10:11:12.123+00"),
        ("2", "/c", "2026-01-31 11:00:00+00"),
    ],
}


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    project = Project(os.fspath(tmp_path_factory.mktemp("recipes")), engine=engine)
    for name, text in FEEDS.items():
        project.feed(name, text)
        shutil.copytree(os.path.join(FILES, name), project.path("landing", name), dirs_exist_ok=True)
    assert project.cli("validate").document["problems"] == []
    document = project.cli("run").document
    return project, {feed["feed"]: feed for feed in document["feeds"]}


@pytest.mark.embedded
def test_every_recipe_has_files_and_rows() -> None:
    assert FEEDS.keys() == ROWS.keys() == set(os.listdir(FILES))


@pytest.mark.rarely
@pytest.mark.parametrize("name", FEEDS)
def test_a_recipe(loaded: tuple[Project, dict[str, Any]], name: str) -> None:
    project, feeds = loaded
    assert feeds[name]["status"] == "succeeded", feeds[name]
    assert project.rows(f"recipes.{name}") == ROWS[name]
    assert feeds[name]["rows"]["quarantined"] == 0
    assert project.files(f"landing/{name}") == []

"""Places: one folder written in several ways, and which feeds a location is about."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from framework.feed import Feed
from framework.law.places import common_folder, inside, narrowed, place
from framework.loader import load_project
from tests.support import REPOSITORY


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/Volumes/main/raw/landing", "/Volumes/main/raw/landing/"),
        ("/Volumes/main/raw/landing//", "/Volumes/main/raw/landing/"),
        ("dbfs:/Volumes/main/raw/landing/", "/Volumes/main/raw/landing/"),
        ("DBFS:/Volumes/main/raw/landing", "/Volumes/main/raw/landing/"),
        ("dbfs:///Volumes/main/raw", "/Volumes/main/raw/"),
        ("dbfs:/mnt/raw", "dbfs:/mnt/raw/"),
        ("GS://Bucket/Landing", "gs://Bucket/Landing/"),
        (" gs://bucket ", "gs://bucket/"),
    ],
)
def test_spellings(written: str, meant: str) -> None:
    assert place(written) == meant
    assert place(meant) == meant


def test_inside() -> None:
    assert inside("gs://bucket/a", "gs://bucket/a/")
    assert inside("dbfs:/Volumes/c/s/v/a", "/Volumes/c/s/v")
    assert not inside("gs://bucket/ab", "gs://bucket/a")
    assert not inside("gs://bucket/a", "gs://bucket/a/b")


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        (["gs://b/l/x/", "gs://b/l/y/"], "gs://b/l/"),
        (["gs://b/l/x/"], "gs://b/l/x/"),
        (["gs://b/l/x/", "gs://b/l/"], "gs://b/l/"),
        (["gs://b/lx/", "gs://b/ly/"], "gs://b/"),
        (["gs://a/x/", "gs://b/x/"], "gs://"),
        (["gs://a/x/", "/Volumes/c/s/v/"], None),
        (["/data/x", "/Volumes/c/s/v/"], "/"),
        ([], None),
    ],
)
def test_common_folder(paths: list[str], folder: str | None) -> None:
    assert common_folder(paths) == folder


def feeds() -> list[Feed]:
    """Feeds that land in crm/, crm/old/ and erp/ of a volume."""
    config = os.path.join(REPOSITORY, "examples", "databricks", "pipelines_config")
    feed = load_project(config, "prod", environ={}).feeds[0]
    paths = {"crm": "crm/", "old": "crm/old/", "erp": "erp/"}
    return [
        replace(feed, name=name, source=replace(feed.source, path=f"/Volumes/main/raw/landing/{path}"))
        for name, path in paths.items()
    ]


@pytest.mark.parametrize(
    ("location", "names"),
    [
        ("/Volumes/main/raw/landing/crm/", "crm old"),
        ("dbfs:/Volumes/main/raw/landing/crm", "crm old"),
        ("/Volumes/main/raw/landing/crm/old/2026/", "crm old"),
        ("/Volumes/main/raw/landing/erp", "erp"),
        ("/Volumes/main/raw/landing/", "crm old erp"),
        ("/Volumes/main/raw/landing/er", "crm old erp"),
        ("gs://elsewhere/", "crm old erp"),
        (None, "crm old erp"),
    ],
)
def test_narrowed(location: str | None, names: str) -> None:
    assert [feed.name for feed in narrowed(feeds(), location)] == names.split()

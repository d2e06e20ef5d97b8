"""Files of every format in every kind of trouble, in whole runs: each is rejected with why, or all its records are rows
or in the quarantine; and nothing of it is lost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

import pytest

from tests.broken_files import FORMATS, changed, feed_text, torn, troubles
from tests.support import Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

Landed = Mapping[str, Mapping[str, bytes]]


def loaded(project: Project, landed: Landed) -> dict[str, dict[str, Any]]:
    """What a run says of these files, by feed."""
    for name, files in landed.items():
        project.feed(name, feed_text(name, name))
        for file, content in files.items():
            project.land(name, file, content)
    document = project.cli("run", *landed).document
    return {feed["feed"]: feed for feed in document["feeds"]}


def nothing_lost(project: Project, landed: Landed, feeds: Mapping[str, Mapping[str, Any]]) -> None:
    """Every file is somewhere, whole, and told of; every record that was read is in a table."""
    for name, files in landed.items():
        feed = feeds[name]
        assert feed["error"] is None, feed["error"]
        there: dict[str, bytes] = {}
        for path in project.files("archive"):
            if path.startswith((f"{name}/", f"_rejected/{name}/")):
                with open(project.path("archive", path), "rb") as file:
                    there[os.path.basename(path)] = file.read()
        assert there == dict(files)
        assert project.files(f"landing/{name}") == []
        told = {os.path.basename(each["file"]).partition("!")[0] for each in feed["files"]}
        assert told == set(files)
        for each in feed["files"]:
            assert each["status"] in ("archived", "rejected"), each
            assert (each["reason"] is None) is (each["status"] == "archived"), each
        rows = feed["rows"]
        assert (
            rows["read"]
            == rows["staged"] + rows["quarantined"] + rows["filtered"]
            == sum(each["rows_read"] for each in feed["files"])
        )
        assert len(project.rows(f"s.{name}", "_source_file")) == rows["staged"] == rows["inserted"]
        assert len(project.rows(f"s.{name}__quarantine", "_line")) == rows["quarantined"]
    assert project.cli("run", *landed).document["status"] == "nothing_to_do"


@pytest.fixture(scope="module")
def troubled(engine: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, dict[str, Any]]]:
    project = Project(os.fspath(tmp_path_factory.mktemp("broken")), engine=engine)
    return project, loaded(project, all_troubles())


@cache
def all_troubles() -> Landed:
    return {format_: dict((*troubles(format_), *torn(format_, 60))) for format_ in FORMATS}


def test_nothing_is_lost(troubled: tuple[Project, dict[str, dict[str, Any]]]) -> None:
    nothing_lost(troubled[0], all_troubles(), troubled[1])


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_said(troubled: tuple[Project, dict[str, dict[str, Any]]], format_: str) -> None:
    reasons = {
        os.path.basename(file["file"]).rpartition("!")[0].partition(".")[0] or os.path.basename(file["file"]): file
        for file in troubled[1][format_]["files"]
    }
    by_stem = {name.partition(".")[0]: file["reason"] for name, file in reasons.items()}
    assert "0 bytes" in by_stem["empty"]
    assert (by_stem["good"], by_stem["packed"], by_stem["long"]) == (None, None, None)
    assert by_stem["wide"] is None
    assert "HTML page" in by_stem["page"] or "DOCTYPE" in by_stem["page"]
    for packed, word in (("gz", "gzip"), ("bz2", "bzip2"), ("zst", "zstd"), ("zip", "zip archive")):
        assert word in by_stem[f"is_{packed}"], by_stem[f"is_{packed}"]
    assert "not a complete" in by_stem["before"]
    if "pages" in by_stem:
        assert by_stem["pages"].startswith("the file is not a complete Parquet file")
    if "collide" in by_stem:
        assert "more than once, or in several spellings" in by_stem["collide"]
    if "utf-16" in by_stem and format_ != "xml":
        assert "UTF-16" in by_stem["utf-16"]
    for other in ("excel", "parquet", "avro", "orc"):
        if other != format_:
            assert by_stem[f"is_{other}"].startswith(f"the file is no {format_} file but"), by_stem[f"is_{other}"]


@pytest.mark.torture
def test_torn_at_every_tenth_byte(project: Project) -> None:
    landed = {format_: dict(torn(format_, 10)) for format_ in FORMATS}
    nothing_lost(project, landed, loaded(project, landed))


def some(seed: int, number: int) -> Landed:
    dice = Random(seed)
    return {format_: dict(changed(format_, dice, at) for at in range(number)) for format_ in FORMATS}


def test_a_few_changed_files(project: Project) -> None:
    landed = some(1, 6)
    nothing_lost(project, landed, loaded(project, landed))


@pytest.mark.embedded
@pytest.mark.torture
@pytest.mark.parametrize("seed", range(12))
def test_changed_files(project: Project, seed: int) -> None:
    landed = some(seed + 100, 40)
    nothing_lost(project, landed, loaded(project, landed))

"""A manifest that somebody put into a table moves no files but the feed's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.batch import Batch, FileOutcome, Manifest
from framework.feed import Archive, Feed, Format, Quarantine, Source, Target
from framework.law.manifests import mistrust
from framework.names import File, Table
from tests.support import HEADER, Project


def feed(path: str = "/landing/a/") -> Feed:
    target = Target(Table("s.a"), Table("s.a__staging"))
    quarantine = Quarantine(Table("s.a__quarantine"))
    return Feed("a", Source(path, Format.CSV), (), target, quarantine, Archive("/archive/a/", "/archive/_rejected/a/"))


def manifest(*names: str, root: str = "/landing/a/") -> Manifest:
    files = tuple(File(root + name, name, 1, 1, 1) for name in names)
    return Manifest.of(Batch("a", 1, files), datetime(2026, 1, 1, tzinfo=UTC), map(FileOutcome, files), 0.0)


@pytest.mark.parametrize("root", ["/landing/a/", "gs://bucket/landing/a/"])
def test_what_a_run_writes_is_trusted(root: str) -> None:
    ours = manifest("a.csv", "sub/b c.csv", "..c..csv", root=root)
    assert mistrust(feed(root), ours) is None
    read = Manifest.from_json(ours.to_json())
    assert read is not None
    assert mistrust(feed(root), read) is None
    assert mistrust(feed("gs://b/"), manifest("a//b.csv", root="gs://b/")) is None


@pytest.mark.parametrize(
    "name", ["../b/a.csv", "sub/../../b.csv", "..", "./a.csv", "a//b.csv", "/etc/passwd", "", "b/"]
)
def test_names_that_lead_out_of_the_landing_folder(name: str) -> None:
    assert "does not lie in /landing/a/" in str(mistrust(feed(), manifest("good.csv", name)))


def test_other_paths_feeds_and_ids() -> None:
    elsewhere = manifest("passwd", root="/etc/")
    assert mistrust(feed(), elsewhere) == "the file '/etc/passwd' does not lie in /landing/a/"
    assert mistrust(feed(), replace(manifest("a.csv"), batch_id="../../x")) == "its batch id is not that of its files"
    other = replace(manifest("a.csv"), batch=Batch("b", 1, manifest("a.csv").batch.files))
    assert mistrust(feed(), other) == "it is of the feed 'b'"


def forge(project: Project, table: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest of a table's last commit, as somebody can who may write its folder."""
    log = project.path("tables", *table.split("."), "_delta_log")
    path = os.path.join(log, max(name for name in os.listdir(log) if name.endswith(".json")))
    with open(path, encoding="utf-8") as text:
        actions = [json.loads(line) for line in text]
    (commit,) = (action["commitInfo"] for action in actions if "commitInfo" in action)
    document = json.loads(commit["userMetadata"])
    change(document)
    commit["userMetadata"] = json.dumps(document)
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(action) + "\n" for action in actions)


def test_a_forged_batch_stops_the_feed_and_moves_nothing(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    assert project.cli("stage").code == 0
    victim = project.write("private/secret.csv", "key\n")
    status = os.stat(victim)

    def change(document: dict[str, Any]) -> None:
        outside = File(victim, "../../../moved.csv", status.st_mtime_ns, status.st_size, 0)
        document["files"].append({"file": asdict(outside), "rows": {}, "rejected": None})
        files = [File(**entry["file"]) for entry in document["files"]]
        document["batch_id"] = Batch("activity", document["seq"], tuple(files)).id

    forge(project, "analytics.activity__staging", change)
    before = project.files(".")
    report = project.cli("run")
    assert (report.code, report.feed["error"]["code"]) == (1, "manifest")
    assert f"the file '{victim}' does not lie in" in report.feed["error"]["message"]
    assert [name for name in project.files(".") if not name.startswith("tables/")] == [
        name for name in before if not name.startswith("tables/")
    ]

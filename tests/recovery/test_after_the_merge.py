"""From the merge on a batch is done with, whatever becomes of its files and of the target: it is archived, once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from deltalake import DeltaTable

from framework.batch import Manifest
from tests.support import HEADER, Project

TARGET, QUARANTINE = "analytics.activity", "analytics.activity__quarantine"


@pytest.fixture
def merged(project: Project) -> Project:
    """The second batch, with a bad row, is merged and not archived; the first one, with another, is over."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\nx,bad,2026-01-01\n")
    assert project.cli("run").code == 0
    project.land("activity", "2.csv", HEADER + "1,a2,2026-01-02\n2,b,2026-01-02\ny,bad,2026-01-02\n")
    for task in ("stage", "merge"):
        assert project.cli(task).code == 0
    return project


def history_cleaned(project: Project) -> None:
    """Another writer commits, and the entries that told of the batch are cleaned away behind a checkpoint."""
    path = project.path("tables", *TARGET.split("."))
    table = DeltaTable(path)
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 1 days"})
    table = DeltaTable(path)
    table.create_checkpoint()
    log = os.path.join(path, "_delta_log")
    for name in sorted(os.listdir(log)):
        if name.endswith(".json") and name != f"{table.version():020}.json":
            os.remove(os.path.join(log, name))
    told = [Manifest.from_json(entry.get("userMetadata")) for entry in DeltaTable(path).history()]
    assert [manifest for manifest in told if manifest is not None] == []


def unwritable(project: Project) -> None:
    """Somebody turns a feature on that this engine cannot write."""
    log = project.path("tables", *TARGET.split("."), "_delta_log")
    features = {"writerFeatures": ["deletionVectors"], "readerFeatures": ["deletionVectors"]}
    entry = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}}
    with open(os.path.join(log, f"{project.version(TARGET) + 1:020}.json"), "w", encoding="utf-8") as out:
        out.write(json.dumps({"commitInfo": {"timestamp": 1, "operation": "UPGRADE PROTOCOL"}}) + "\n")
        out.write(json.dumps(entry) + "\n")


def files_gone(project: Project) -> None:
    os.remove(project.path("landing", "activity", "2.csv"))


def nothing(_: Project) -> None:
    pass


def states(project: Project) -> list[tuple[Any, ...]]:
    columns = "recorded_at, inserted, updated, rows_quarantined, state"
    return [row[1:] for row in project.rows("_landfeed.batches", columns, order="recorded_at, inserted")]


@pytest.mark.parametrize(
    ("happens", "files", "task"),
    [
        (history_cleaned, nothing, "archive"),
        (history_cleaned, files_gone, "run"),
        (unwritable, nothing, "run"),
        (unwritable, files_gone, "archive"),
        (unwritable, nothing, "stage"),
    ],
)
def test_a_merged_batch_is_archived(
    merged: Project, happens: Callable[[Project], None], files: Callable[[Project], None], task: str
) -> None:
    """Not abandoned, not loaded again, and its figures are those of the merge, by the ledger where the target does not
    tell them any more."""
    before = merged.rows(TARGET), merged.rows(QUARANTINE)
    happens(merged)
    files(merged)
    result = merged.cli(task)
    assert (result.code, result.feed["error"]) == (0, None)
    (file,) = result.feed["files"]
    if files is files_gone:
        assert (file["status"], file["moved_to"]) == ("archived", None)
        assert file["reason"] == "the file was removed from landing"
    else:
        assert (file["status"], file["reason"]) == ("archived", None)
        assert os.path.exists(file["moved_to"])
    assert (result.feed["rows"]["inserted"], result.feed["rows"]["updated"]) == (1, 1)
    assert states(merged)[3:] == [
        ("0", "0", "1", "staged"),
        ("1", "1", "1", "merged"),
        ("1", "1", "1", "archived"),
    ]
    assert (merged.rows(TARGET), merged.rows(QUARANTINE)) == before
    assert merged.files("landing") == []
    files_of_2 = [
        row for row in merged.rows("_landfeed.files", "parse_filename(file) AS f, state") if row[0] == "2.csv"
    ]
    assert files_of_2 == [("2.csv", "archived"), ("2.csv", "merged"), ("2.csv", "staged")]
    assert merged.cli("run").document["status"] == "nothing_to_do"


def test_what_cannot_be_written_stops_the_next_batch(merged: Project) -> None:
    """It is told before anything of that batch is written; the one before is archived."""
    unwritable(merged)
    merged.land("activity", "3.csv", HEADER + "3,c,2026-01-03\n")
    result = merged.cli("run")
    assert (result.code, result.feed["error"]["code"]) == (1, "table_feature")
    assert [(os.path.basename(file["file"]), file["status"]) for file in result.feed["files"]] == [
        ("2.csv", "archived")
    ]
    assert merged.files("landing") == ["activity/3.csv"]
    assert [row[0] for row in merged.rows("analytics.activity__staging", "event")] == ["a2", "b"]

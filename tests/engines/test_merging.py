"""What guards a merge: counts that disagree, batches out of order, writers in between. Over real tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from framework.batch import Manifest
from framework.engine import Merged
from framework.engines.delta import DeltaTables
from framework.engines.embedded import EmbeddedEngine
from framework.engines.embedded.compacting import SMALL_FILES
from framework.engines.embedded.writing import Writer, write_rows
from framework.errors import Conflict, LandfeedError
from framework.feed import Feed
from framework.law.change import (
    Case,
    Change,
    Delete,
    Differs,
    Insert,
    Is,
    Kind,
    NoPartner,
    Nothing,
    Older,
    Outcome,
    Update,
)
from framework.law.counts import Counts, Written
from framework.law.modes import change_of
from framework.loader import load_project
from framework.names import Table
from framework.plan.tables import target_columns
from framework.steps import CreateTable, Merge
from tests.engines.driving import Drive
from tests.support import HEADER, Project

FIRST = "1,login,2026-01-01\n2,login,2026-01-01\n"
SECOND = "1,buy,2026-01-02\n3,login,2026-01-02\n"


def load(project: Project) -> Feed:
    return load_project(project.path("pipelines_config"), "local", environ={}).feeds[0]


class Staged:
    """A target with a first batch, and a second batch that is staged."""

    def __init__(self, project: Project, write: Writer | None = None) -> None:
        project.land("activity", "1.csv", HEADER + FIRST)
        assert project.cli("run").code == 0
        project.land("activity", "2.csv", HEADER + SECOND)
        assert project.cli("stage").code == 0
        self.feed, self.engine = load(project), EmbeddedEngine(project.path("tables"), write=write)
        found = self.engine.manifest(self.feed.target.staging, "activity", 2)
        assert found is not None
        self.manifest, self.version = found

    def __enter__(self) -> Staged:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def merge(self, manifest: Manifest | None = None) -> Merged:
        manifest, target = manifest or self.manifest, self.feed.target
        step = Merge(change_of(self.feed), target.staging, target.table, manifest.batch)
        return self.engine.merge(step, manifest, self.version)


def test_a_writer_that_writes_something_else(project: Project) -> None:
    def write(
        target: DeltaTable, rows: duckdb.DuckDBPyRelation, change: Change, counts: Counts, properties: CommitProperties
    ) -> Written:
        written = write_rows(target, rows, change, counts, properties)
        return replace(written, updated=written.updated + 1)

    wrong = pytest.raises(LandfeedError, match="1 rows were inserted, 2 updated and 0 deleted")
    with Staged(project, write) as staged, wrong as raised:
        staged.merge()
    assert raised.value.code == "conservation"


def test_a_key_that_is_in_the_target_twice_is_not_merged(project: Project) -> None:
    again = duckdb.default_connection().sql(
        "SELECT 1::BIGINT AS user_id, 'again' AS event, TIMESTAMPTZ '2026-01-01' AS event_time"
    )
    with Staged(project) as staged:
        write_deltalake(project.path("tables", "analytics", "activity"), again, mode="append")
        before = project.version("analytics.activity")
        with pytest.raises(LandfeedError, match="2 rows with the key user_id = 1,") as raised:
            staged.merge()
    assert raised.value.code == "key_twice"
    assert project.version("analytics.activity") == before


def test_a_batch_that_is_older_than_the_target(project: Project) -> None:
    with Staged(project) as staged:
        staged.merge()
        first = replace(staged.manifest, batch=replace(staged.manifest.batch, seq=1))
        with pytest.raises(LandfeedError, match="has batch 2 already") as raised:
            staged.merge(first)
    assert raised.value.code == "superseded"


class Interrupted(DeltaTables):
    """Another writer commits to the target after it was opened and before it is written, once."""

    other: Callable[[str], None] | None = None

    def records(self, table: Table, version: int) -> int:
        other, self.other = self.other, None
        if other is not None:
            other(self.uri(table))
        return super().records(table, version)


@pytest.mark.parametrize("write", [None, write_rows], ids=["duckdb", "delta-rs"])
def test_a_writer_in_between_is_a_conflict_and_the_next_attempt_sees_its_rows(
    project: Project, write: Writer | None
) -> None:
    row = duckdb.default_connection().sql(
        "SELECT 3::BIGINT AS user_id, 'other' AS event, TIMESTAMPTZ '2026-03-01' AS event_time"
    )
    with Staged(project, write) as staged:
        staged.engine.tables = tables = Interrupted(project.path("tables"), {})
        tables.other = lambda uri: write_deltalake(uri, row, mode="append")
        with pytest.raises(Conflict):
            staged.merge()
        rows = staged.merge().rows
    assert (rows.inserted, rows.updated, rows.stale) == (0, 1, 1)
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "buy"), ("2", "login"), ("3", "other")]


@pytest.mark.engines
@pytest.mark.parametrize("odd", ["odd`name", 'odd"name', "it's"])
@pytest.mark.rarely
def test_a_column_with_marks_in_its_name(project: Project, odd: str) -> None:
    quoted = odd.replace("'", "''")
    project.feed(
        "activity",
        "feed: activity\nsource: {path: '${landing}/activity/', format: csv}\n"
        f"schema: {{user_id: bigint, '{quoted}': string, event_time: timestamp}}\n"
        "target: {table: analytics.activity, keys: [user_id], sequence_by: event_time}\n",
    )
    header = HEADER.replace("event,", f"{odd},".replace('"', '""') if '"' not in odd else '"odd""name",', 1)
    for name, rows in (("1.csv", FIRST), ("2.csv", SECOND)):
        project.land("activity", name, header + rows)
        result = project.cli("run")
        assert result.code == 0, result.document
    assert [row[:2] for row in project.rows("analytics.activity")] == [("1", "buy"), ("2", "login"), ("3", "login")]


def test_what_is_not_written_to_the_target_is_not_in_its_files(project: Project) -> None:
    """A first load may take staging's files over only where they hold nothing else."""
    with Staged(project) as staged:
        target = replace(staged.feed.target, table=Table("analytics.part"), except_columns=("event",))
        part = replace(staged.feed, target=target)
        staged.engine.create(CreateTable(target.table, target_columns(part)))
        step = Merge(change_of(part), target.staging, target.table, staged.manifest.batch)
        assert staged.engine.merge(step, staged.manifest, staged.version).rows.inserted == 2
    table = project.table("analytics.part")
    assert table is not None
    (path,) = table.file_uris()
    names = {name for (name,) in duckdb.execute(f"SELECT name FROM parquet_schema('{path}')").fetchall()}
    assert "user_id" in names
    assert "event" not in names


GONE = """\
feed: both
source: {path: "${landing}/both/", format: csv}
schema: {id: bigint, name: string, at: timestamp, gone: boolean}
target: {table: s.both, keys: [id], sequence_by: at, apply_as_deletes: gone, audit_columns: true}
"""
BEFORE = "".join(f"{key},old,2026-01-05,\n" for key in range(20))
AFTER = {
    "inserted": "100,new,2026-01-01,\n101,,2026-01-09,false\n",
    "updated": "1,new,2026-01-06,\n2,,2026-01-06,\n3,new,2026-01-05,false\n",
    "deleted": "4,old,2026-01-06,true\n5,new,2026-01-05,true\n",
    "unchanged": "6,old,2026-01-06,\n7,old,2026-01-05,\n102,gone before,2026-01-06,true\n",
    "stale": "8,new,2026-01-04,\n9,old,2026-01-01,true\n",
}
"""Rows by what they come to."""


@pytest.mark.torture
@pytest.mark.spark
def test_on_spark_a_large_batch_comes_to_the_same_as_a_small_one(tmp_path: Path, spark: object) -> None:
    """… of which the cases are told before the MERGE, and not by it; whatever they come to."""
    del spark
    drive = Drive("spark", os.fspath(tmp_path / "small"))
    feed = drive.feed(GONE)
    drive.load(feed, 1, [drive.land(feed, "1.csv", "id,name,at,gone\n" + BEFORE)])
    staged = drive.stage(feed, 2, [drive.land(feed, "2.csv", "id,name,at,gone\n" + "".join(AFTER.values()))])
    columns = tuple(column.name for column in target_columns(feed))
    change = replace(
        change_of(feed),
        cases=(
            Case((NoPartner(), Is(Kind.DELETE)), Outcome.UNCHANGED, Nothing()),
            Case((NoPartner(),), Outcome.INSERTED, Insert(columns)),
            Case((Older(("at",)),), Outcome.STALE, Nothing()),
            Case((Is(Kind.DELETE),), Outcome.DELETED, Delete()),
            Case((Differs(feed.columns[1:2]),), Outcome.UPDATED, Update(columns)),
            Case((), Outcome.UNCHANGED, Nothing()),
        ),
        memory=None,
    )
    other = drive.crashed(feed, drive.commits(feed), os.fspath(tmp_path / "large"))
    small = drive.merge_on_spark(feed, staged, change, small=1000)
    large = other.merge_on_spark(feed, staged, change, small=-1)
    assert small.rows == large.rows
    assert {what: getattr(small.rows, what) for what in AFTER} == {
        what: len(rows.splitlines()) for what, rows in AFTER.items()
    }
    assert drive.rows(feed.target.table) == other.rows(feed.target.table)
    assert len(drive.rows(feed.target.table)) == 20
    merges = [world.version(feed.target.table) for world in (drive, other)]
    assert merges[0] == merges[1], "as many commits"


def test_small_files_of_a_target_are_written_together(project: Project) -> None:
    """Every batch adds a row; the last one is the one too many."""
    with Staged(project) as staged:
        staged.merge()
        uri = project.path("tables", "analytics", "activity")
        for number in range(100, 100 + SMALL_FILES):
            row = f"SELECT {number}::BIGINT AS user_id, 'x' AS event, TIMESTAMPTZ '2026-01-01' AS event_time"
            write_deltalake(uri, duckdb.default_connection().sql(row), mode="append")
    assert project.cli("archive").code == 0
    before = project.rows("analytics.activity")
    project.land("activity", "3.csv", HEADER + "500,new,2026-02-01\n")
    assert project.cli("run").feed["rows"]["inserted"] == 1
    assert project.rows("analytics.activity") == [*before, ("500", "new", "2026-02-01 00:00:00+00")]
    table = project.table("analytics.activity")
    assert table is not None
    assert len(table.file_uris()) == 1
    assert project.cli("run").document["status"] == "nothing_to_do"


def test_only_files_with_rows_that_change_are_written_anew(project: Project) -> None:
    """… and a file from before a column was there gets it."""
    with Staged(project) as staged:
        uri = project.path("tables", "analytics", "activity")
        (first,) = DeltaTable(uri).file_uris()
        row = "SELECT 50::BIGINT AS user_id, 'x' AS event, TIMESTAMPTZ '2026-01-01' AS event_time, 'new' AS more"
        write_deltalake(uri, duckdb.default_connection().sql(row), mode="append", schema_mode="merge")
        (second,) = set(DeltaTable(uri).file_uris()) - {first}
        rows = staged.merge().rows
    assert (rows.inserted, rows.updated) == (1, 1)
    files = set(DeltaTable(uri).file_uris())
    assert second in files
    assert first not in files
    found = project.rows("analytics.activity", "user_id, event, more")
    assert found == [("1", "buy", None), ("2", "login", None), ("3", "login", None), ("50", "x", "new")]

"""Landfeed's own tables: every implementation of the seam does the same, and what cannot be read is told."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable

from framework.control import COMPACT_FROM, Control
from framework.engines.control import DeltaControl
from framework.engines.delta import DeltaTables
from framework.engines.memory import MemoryControl
from framework.errors import LandfeedError
from framework.ledger import FileEvent, Ledger
from framework.names import BatchState, FileState, Table
from framework.runs.recording import Recording
from framework.storages.local_leases import LocalLeases
from tests.support import HEADER, Project

START = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = FileEvent(START, "r", "b", "f", "/landing/f/1.csv", 1, 1, FileState.STAGED, 1, 1, 0, 0, 0)


@pytest.fixture(params=["memory", "delta", pytest.param("catalog", marks=pytest.mark.spark)])
def control(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> Iterator[tuple[Control, Table]]:
    """A control and a table that is not there yet."""
    match request.param:
        case "memory":
            yield MemoryControl(), Table("c.files")
        case "delta":
            yield DeltaControl(DeltaTables(os.fspath(tmp_path), {})), Table("c.files")
        case _:
            from framework.engines.spark.catalog import CatalogTables
            from framework.engines.spark.control import CatalogControl

            spark, schema = request.getfixturevalue("spark"), f"s{uuid.uuid4().hex[:12]}"
            yield CatalogControl(CatalogTables(lambda: spark, "spark_catalog")), Table(f"{schema}.files")
            spark.sql(f"DROP SCHEMA IF EXISTS spark_catalog.{schema} CASCADE")


def row(minute: int, **values: object) -> dict[str, object]:
    return {"recorded_at": START + timedelta(minutes=minute), **values}


def test_rows_come_newest_first_and_chosen(control: tuple[Control, Table]) -> None:
    rows, table = control
    assert rows.select(table, {"feed": ["a"]}) == []
    rows.append(table, [row(1, feed="a", rows_read=1), row(3, feed="b", rows_read=3)])
    rows.append(table, [row(2, feed="a", rows_read=None)])
    assert [(found["feed"], found["rows_read"]) for found in rows.select(table, {})] == [
        ("b", 3),
        ("a", None),
        ("a", 1),
    ]
    assert [found["recorded_at"] for found in rows.select(table, {"feed": ["a"]})] == [
        START + timedelta(minutes=2),
        START + timedelta(minutes=1),
    ]
    assert [found["feed"] for found in rows.select(table, {"feed": ["a", "b", "it's"]}, limit=2)] == ["b", "a"]
    newest = rows.select(table, {}, latest_by="feed")
    assert [(found["feed"], found["rows_read"]) for found in newest] == [("b", 3), ("a", None)]
    late = START + timedelta(minutes=2)
    assert [found["rows_read"] for found in rows.select(table, {}, since=late)] == [3, None]
    newest = rows.select(table, {}, latest_by="feed", since=late + timedelta(seconds=30))
    assert [found["feed"] for found in newest] == ["b"]


@pytest.mark.rarely
def test_the_newest_rows_of_those_that_are_wanted(control: tuple[Control, Table]) -> None:
    rows, table = control
    states = ["merged", "merged", "failed", "merged"]
    rows.append(table, [row(n, feed="a", state=state, rows_read=n) for n, state in enumerate(states)])
    rows.append(table, [row(9, feed="b", state="failed", rows_read=9)])
    for newest, expected in ((1, [3]), (2, [3, 1]), (9, [3, 1, 0])):
        found = rows.select(table, {"state": ["merged"]}, latest_by="feed", newest=newest)
        assert [each["rows_read"] for each in found] == expected
        assert "rank_" not in found[0]
    assert rows.select(table, {}, columns=("feed", "none"), limit=1) == [{"feed": "b"}]


def test_tables_grow_and_older_writers_go_on(control: tuple[Control, Table]) -> None:
    """A newer version adds a column; an older one neither knows it nor takes offence."""
    rows, table = control
    rows.append(table, [row(1, feed="a")])
    assert rows.select(table, {"batch_id": ["x"]}) == []
    rows.append(table, [row(2, feed="a", batch_id="x")])
    rows.append(table, [row(3, feed="a")])
    found = rows.select(table, {})
    assert [entry["batch_id"] for entry in found] == [None, "x", None]
    assert [entry["recorded_at"] for entry in rows.select(table, {"batch_id": ["x"]})] == [START + timedelta(minutes=2)]


@pytest.mark.rarely
def test_upkeep_of_any_control_leaves_the_rows(control: tuple[Control, Table]) -> None:
    rows, table = control
    rows.compact(table)
    rows.append(table, [row(1, feed="a")])
    rows.compact(table)
    assert [found["feed"] for found in rows.select(table, {})] == ["a"]


def test_upkeep_leaves_few_files_and_the_same_rows(tmp_path: os.PathLike[str]) -> None:
    """Appends write no more than themselves; the upkeep writes their files together, once that is due."""
    root = os.fspath(tmp_path)
    ledger = Ledger(DeltaControl(DeltaTables(root, {})), "c")

    def files() -> int:
        return len(DeltaTable(os.path.join(root, "c", "files")).file_uris())

    for number in range(COMPACT_FROM - 1):
        ledger.record_files([replace(EVENT, recorded_at=START + timedelta(seconds=number), rows_read=number)])
    ledger.upkeep()
    assert files() == COMPACT_FROM - 1
    ledger.record_files([replace(EVENT, recorded_at=START + timedelta(days=1))] * 3)
    before = ledger.file_events()
    assert (files(), len(before)) == (COMPACT_FROM, COMPACT_FROM + 2)
    ledger.upkeep()
    assert files() == 1
    assert ledger.file_events() == before
    assert Ledger(DeltaControl(DeltaTables(root, {})), "c").file_events() == before


def test_a_process_that_appended_nothing_has_no_upkeep(tmp_path: os.PathLike[str]) -> None:
    tables = DeltaTables(os.fspath(tmp_path), {})
    for _ in range(COMPACT_FROM):
        DeltaControl(tables).append(Table("c.files"), [row(1, feed="a")])
    Ledger(DeltaControl(tables), "c").upkeep()
    assert len(DeltaTable(tables.uri(Table("c.files"))).file_uris()) == COMPACT_FROM


def test_events_are_read_by_name() -> None:
    """Columns that are unknown are passed over, those that are missing are zero or None, and a state of a newer
    version is UNKNOWN in its own row only."""
    memory = MemoryControl()
    memory.append(Table("c.batches"), [row(1, feed="a", state="archived", rows_read=2)])
    memory.append(Table("c.batches"), [row(2, feed="b", state="folded", rows_folded=7, batch_id="x")])
    memory.append(Table("c.files"), [row(1, feed="a", file="f", state="scanned", virus="none")])
    ledger = Ledger(memory, "c")
    latest = ledger.latest()
    assert [(latest[feed].state, latest[feed].rows.read) for feed in "ab"] == [
        (BatchState.ARCHIVED, 2),
        (BatchState.UNKNOWN, 0),
    ]
    assert (latest["a"].batch_id, latest["a"].target_version, latest["a"].seconds_stage) == ("", None, None)
    assert [(event.state, event.file_size, event.moved_to) for event in ledger.file_events()] == [
        (FileState.UNKNOWN, 0, None)
    ]


def test_a_torn_data_file_is_told_with_the_tables_name(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    folder = project.path("tables", "_landfeed", "batches")
    for name in os.listdir(folder):
        if name.endswith(".parquet"):
            os.truncate(os.path.join(folder, name), 100)
    with pytest.raises(LandfeedError, match=r"^table _landfeed\.batches: ") as caught:
        Ledger(DeltaControl(DeltaTables(project.path("tables"), {})), "_landfeed").latest()
    assert caught.value.code == "table"
    for command in ("status", "history"):
        refused = project.cli(command)
        assert (refused.code, refused.document["error"]["code"]) == (1, "table"), command
    run = project.cli("run")
    assert (run.code, run.document["status"]) == (0, "nothing_to_do")
    assert run.feed["warnings"][0].startswith("table _landfeed.batches: its last commit was half-written")
    assert project.cli("history").code == 0


def test_control_tables_that_cannot_be_looked_at_are_not_missing(project: Project) -> None:
    """A folder that leads back to itself cannot be looked at by anybody, also not by root."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    os.makedirs(project.path("tables", "_landfeed"))
    os.symlink("batches", project.path("tables", "_landfeed", "batches"))
    for command in ("status", "history", "run"):
        refused = project.cli(command)
        assert (refused.code, refused.document["error"]["code"]) == (1, "storage"), command
        assert "_landfeed.batches" in refused.document["error"]["message"]


@pytest.mark.parametrize("action", ["move", "keep"])
def test_a_file_from_the_year_2300(project: Project, action: str) -> None:
    """Its time in nanoseconds is beyond 64 bits."""
    path = project.path("pipelines_config", "feeds", "activity.yml")
    with open(path, "a") as feed:
        feed.write(f"archive: {{on_success: {action}}}\n")
    landed = project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    os.utime(landed, (10_413_792_000, 10_413_792_000))
    if os.stat(landed).st_mtime_ns < 2**63:
        pytest.skip("this file system has no such times")
    assert project.cli("run").document["status"] == "succeeded"
    assert {found[0] for found in project.rows("_landfeed.files", "file_version")} == {str(2**63 - 1)}
    assert project.cli("run").document["status"] == "nothing_to_do"


def test_what_gathers_is_read_before_it_is_written_and_written_once() -> None:
    memory = MemoryControl()
    ledger, table = Ledger(memory, "c", gathers=True), Table("c.files")
    ledger.record_files([replace(EVENT, recorded_at=START, file="early"), replace(EVENT, feed="g")])
    assert memory.select(table, {}) == []
    assert [event.file for event in ledger.file_events(feeds=["f"])] == ["early"]
    ledger.write("h")
    assert memory.select(table, {}) == []
    ledger.write("g")
    ledger.write()
    ledger.record_files([replace(EVENT, recorded_at=START + timedelta(days=1), file="late")])
    assert len(memory.select(table, {})) == 2
    assert [event.file for event in ledger.file_events(feeds=["f"])] == ["late", "early"]


class Broken(MemoryControl):
    """Takes nothing while it is `down`."""

    down = True

    def append(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        if self.down:
            raise LandfeedError(f"table {table}: no")
        super().append(table, rows)


def test_a_feed_that_cannot_be_recorded_has_failed_and_its_lease_counts_as_left(tmp_path: os.PathLike[str]) -> None:
    broken, leases = Broken(), LocalLeases(os.fspath(tmp_path))
    ledger = Ledger(broken, "c", gathers=True)
    recording = Recording(ledger)
    lease = ExitStack()
    lease.enter_context(leases.hold("f", 0))
    ledger.record_files([EVENT])
    recording.add("f", lease)
    recording.write()
    assert str(recording.failed["f"]) == "table c.files: no"
    assert leases.left() == {"f"}
    broken.down = False
    with leases.hold("f", 0):
        ledger.write()
    assert leases.left() == frozenset()
    assert [event.file for event in ledger.file_events()] == [EVENT.file]


def test_leases_are_given_back_when_the_ledger_has_waited_long_enough(tmp_path: os.PathLike[str]) -> None:
    leases, now = LocalLeases(os.fspath(tmp_path)), [0.0]
    recording = Recording(Ledger(MemoryControl(), "c", gathers=True), lambda: now[0])
    for moment, left in ((0.0, {"f0"}), (1.0, {"f0", "f1"}), (2.0, set())):
        now[0] = moment
        lease = ExitStack()
        lease.enter_context(leases.hold(f"f{moment:.0f}", 0))
        recording.add(f"f{moment:.0f}", lease)
        assert leases.left() == left

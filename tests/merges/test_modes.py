"""Modes other than plain upserts: what tables hold, what is quarantined, and what counts as what."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deltalake import DeltaTable

from framework.batch import Manifest
from framework.engines.delta import DeltaTables
from framework.engines.embedded import EmbeddedEngine
from framework.errors import Conflict
from framework.names import Rows, Table
from tests.engines.driving import Drive, reasons
from tests.merges.driven import History, figures
from tests.merges.model import Event

DELETES = "apply_as_deletes: \"op = 'D'\""


@pytest.fixture(scope="module", params=["embedded", pytest.param("spark", marks=pytest.mark.spark)])
def drive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    if request.param == "spark":
        request.getfixturevalue("spark")
    made = Drive(request.param, os.fspath(tmp_path_factory.mktemp(request.param)))
    yield made
    made.close()


def upsert(key: int, seq: int, a: str | None, b: str | None = None) -> Event:
    return Event("U", (key,), seq, (a, b))


def delete(key: int, seq: int) -> Event:
    return Event("D", (key,), seq)


FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv}}
schema: {{k: int, a: string}}
target: {{table: s.{name}, mode: {mode}, {more}audit_columns: true}}
"""


@pytest.mark.rarely
def test_append_adds_every_row(drive: Drive) -> None:
    feed = drive.feed(FEED.format(name="appended", mode="append", more=""))
    files = [drive.land(feed, name, text) for name, text in (("1.csv", "k,a\n1,x\n1,x\n"), ("2.csv", "k,a\n,z\ny,z\n"))]
    staged, merged = drive.load(feed, 1, files)
    assert merged.rows == Rows(read=4, staged=3, quarantined=1, inserted=3)
    assert drive.merge(feed, staged).version == merged.version, "a batch that is there is not added again"
    drive.load(feed, 2, [drive.land(feed, "3.csv", "k,a\n1,x\n")])
    assert drive.rows(feed.target.table, "k, a") == [("1", "x"), ("1", "x"), ("1", "x"), (None, "z")]


def test_insert_only_leaves_what_is_there(drive: Drive) -> None:
    feed = drive.feed(FEED.format(name="inserted", mode="insert_only", more="keys: [k], "))
    files = [
        drive.land(feed, name, text) for name, text in (("1.csv", "k,a\n1,x\n1,y\n"), ("2.csv", "k,a\n1,z\n2,z\n"))
    ]
    _, merged = drive.load(feed, 1, files)
    assert merged.rows == Rows(read=4, staged=2, deduplicated=2, inserted=2)
    _, merged = drive.load(feed, 2, [drive.land(feed, "3.csv", "k,a\n2,new\n3,new\n")])
    assert merged.rows == Rows(read=2, staged=2, inserted=1, unchanged=1)
    assert drive.rows(feed.target.table, "k, a") == [("1", "x"), ("2", "z"), ("3", "new")]


@pytest.mark.rarely
def test_insert_only_takes_the_first_by_sequence(drive: Drive) -> None:
    history = History(drive, "first", "mode: insert_only")
    assert history.load([upsert(1, 5, "later"), upsert(1, 3, "first"), upsert(2, 1, "x")]) == {
        "inserted": 2,
        "deduplicated": 1,
    }
    assert history.load([upsert(1, 1, "earlier")]) == {"unchanged": 1}
    assert history.rows("k, n, a") == [("1", "3", "first"), ("2", "1", "x")]


def test_nulls_that_change_nothing(drive: Drive) -> None:
    """Cases 31 to 33, and a late row, which is stale as a whole."""
    history = History(drive, "nulls", f"{DELETES}, ignore_null_updates: true")
    rows = [upsert(31, 1, "1"), upsert(31, 2, None, "2"), upsert(32, 1, "a", "x"), upsert(33, 1, "a", "b")]
    assert history.load(rows) == {"inserted": 3, "deduplicated": 1}
    more = [upsert(32, 2, None, "y"), delete(33, 2), upsert(33, 3, None, "c"), upsert(31, 1, "late")]
    assert history.load(more) == {"updated": 2, "stale": 1, "deduplicated": 1}
    assert history.rows("k, a, b") == [("31", "1", "2"), ("32", "a", "y"), ("33", None, "c")]
    assert history.load([delete(32, 3)], [upsert(31, 9, None)]) == {"deleted": 1, "updated": 1}
    assert history.load([upsert(32, 4, None, "z"), upsert(31, 9, None)]) == {"inserted": 1, "unchanged": 1}
    assert history.rows("k, n, a, b") == [("31", "9", "1", "2"), ("32", "4", None, "z"), ("33", "3", None, "c")]


@pytest.mark.rarely
def test_nulls_that_change_nothing_in_some_columns_of_rows_that_stay(drive: Drive) -> None:
    history = History(drive, "some_nulls", f"{DELETES}, delete_mode: soft, ignore_null_updates: [a]")
    history.load([upsert(1, 1, "a", "b"), upsert(2, 1, "a", "b"), upsert(3, 5, "a", "b")])
    assert history.load([upsert(1, 2, None), delete(2, 2), delete(3, 4), delete(4, 7)]) == {
        "updated": 1,
        "deleted": 2,
        "stale": 1,
    }
    assert history.rows("k, n, a, b, _deleted_at d") == [
        ("1", "2", "a", None, None),
        ("2", "1", "a", "b", "2"),
        ("3", "5", "a", "b", None),
        ("4", None, None, None, "7"),
    ]
    again = [upsert(2, 3, None), upsert(4, 6, "late"), delete(2, 2), delete(1, 3), delete(1, 4)]
    assert history.load(again[:2], again[2:]) == {"updated": 1, "stale": 1, "deleted": 1, "deduplicated": 2}
    assert history.load([delete(1, 4)], [delete(4, 8)]) == {"unchanged": 1, "updated": 1}
    assert history.rows("k, n, a, _deleted_at d") == [
        ("1", "2", "a", "4"),
        ("2", "3", None, None),
        ("3", "5", "a", None),
        ("4", None, None, "8"),
    ]


@pytest.mark.rarely
def test_truncates(drive: Drive) -> None:
    """Cases 34 and 35."""
    truncates = f"{DELETES}, apply_as_truncates: \"op = 'T'\""
    truncate = Event("T", (0,), 3)
    for name, batches in (("after", [[1, 5], [truncate]]), ("before", [[truncate], [1, 5]])):
        history = History(drive, f"truncate_{name}", truncates)
        rows = [upsert(1, 1, "a"), upsert(2, 5, "b")]
        for batch in batches:
            history.load([truncate] if batch == [truncate] else rows)
        assert history.rows("k, a") == [("2", "b")], name


@pytest.mark.rarely
def test_a_delete_needs_its_key_and_its_sequence_only(drive: Drive) -> None:
    feed = drive.feed(
        "feed: lenient\n"
        'source: {path: "${landing}/lenient/", format: csv}\n'
        "schema:\n  k: int\n  n: int\n  op: {type: string, accepted_values: [U, D]}\n"
        "  a: {type: int, required: true, min: 5}\n"
        "target: {table: s.lenient, keys: [k], sequence_by: n, apply_as_deletes: \"op <> 'U'\"}\n"
    )
    drive.load(feed, 1, [drive.land(feed, "1.csv", "k,n,op,a\n1,1,U,7\n2,1,U,8\n3,1,U,\n4,1,D,junk\n")])
    text = "k,n,op,a\n1,2,D,junk\n2,,D,9\n,2,D,9\n2,3,X,\n5,x,D,9\n6,1,,1\n"
    staged, merged = drive.load(feed, 2, [drive.land(feed, "2.csv", text)])
    assert figures(merged.rows) == {"deleted": 2, "quarantined": 4}
    assert drive.rows(feed.target.table, "k, a") == []
    assert drive.rows(feed.target.staging, "k, n, op, a, _change") == [
        ("1", "2", None, None, "delete"),
        ("2", "3", None, None, "delete"),
    ]
    assert [(row[2], row[3], row[4]) for row in reasons(drive, feed) if row[0] == "2.csv"] == [
        ("2,,D,9", "null_sequence", "n"),
        (",2,D,9", "null_key", "k"),
        ("5,x,D,9", "bad_value", "n"),
        ("6,1,,1", "out_of_range", "a"),
    ]
    assert staged.manifest.rows.read == 6


@pytest.mark.rarely
def test_null_keys_that_match_are_deleted_and_have_a_history(drive: Drive) -> None:
    for name, more in (("null_rows", ""), ("null_versions", "scd_type: 2, ")):
        feed = drive.feed(
            f"feed: {name}\n"
            f'source: {{path: "${{landing}}/{name}/", format: csv}}\n'
            "schema: {k: int, j: int, n: int, op: string, a: string}\n"
            f"target: {{table: s.{name}, keys: [k, j], null_keys: match, sequence_by: n, {more}"
            "except_columns: op, apply_as_deletes: \"op = 'D'\"}\n"
        )
        drive.load(feed, 1, [drive.land(feed, "1.csv", "k,j,n,op,a\n1,,1,U,x\n,,1,U,y\n1,2,1,U,z\n")])
        drive.load(feed, 2, [drive.land(feed, "2.csv", "k,j,n,op,a\n1,,3,D,\n,,2,U,new\n")])
        _, merged = drive.load(feed, 3, [drive.land(feed, "3.csv", "k,j,n,op,a\n1,,2,U,late\n")])
        if more:
            assert figures(merged.rows) == {"updated": 1}
            found = drive.rows(feed.target.table, "k, j, a, __START_AT s, __END_AT e")
            assert found == [
                ("1", "2", "z", "1", None),
                ("1", None, "late", "2", "3"),
                ("1", None, "x", "1", "2"),
                (None, None, "new", "2", None),
                (None, None, "y", "1", "2"),
            ]
        else:
            assert figures(merged.rows) == {"stale": 1}
            assert drive.rows(feed.target.table, "k, j, a") == [("1", "2", "z"), (None, None, "new")]


class Interrupted(DeltaTables):
    """Another writer changes the target after what has to be remembered was committed, once."""

    other: Callable[[], object] | None = None

    def append(self, table: Table, delta: DeltaTable | None, rows: Any, manifest: Manifest) -> int:
        appended = super().append(table, delta, rows, manifest)
        other, self.other = self.other, None
        if other is not None:
            other()
        return appended


def test_a_writer_in_between_adds_to_what_has_to_be_remembered(tmp_path: os.PathLike[str]) -> None:
    drive = Drive("embedded", os.fspath(tmp_path))
    history = History(drive, "between", f"{DELETES}, scd_type: 2, except_columns: [op, m, n]")
    history.load([upsert(1, 1, "a"), upsert(2, 1, "a")])
    engine = drive.engine
    assert isinstance(engine, EmbeddedEngine)
    engine.tables = tables = Interrupted(engine.tables.root, {})
    target = history.feed.target.table
    tables.other = lambda: drive.write(target, a="CASE WHEN k = 2 THEN 'b' ELSE a END")
    with pytest.raises(Conflict):
        history.load([upsert(1, 2, "a"), upsert(2, 2, "b")])
    history.again()
    assert drive.rows(Table(history.remembered), "k, _sequence s, a") == [
        ("1", "1", "a"),
        ("1", "2", "a"),
        ("2", "1", "b"),
        ("2", "2", "b"),
    ]
    drive.close()

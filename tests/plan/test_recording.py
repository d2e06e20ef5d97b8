"""What the ledger is told of a batch and its files, and when, over tables in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engine import Merged
from framework.engines.memory import MemoryControl
from framework.ledger import Ledger
from framework.names import BatchState, ChangeKind, File, FileState, Rows, SchemaChange, Table
from framework.plan.archiving import Moves
from framework.plan.recording import Done, record_batch, record_checks, record_files
from framework.plan.world import World
from tests.feeds import made_feed

FEED = made_feed()
NOW = datetime(2026, 1, 31, tzinfo=UTC)
STAGED, MERGED, ARCHIVED = BatchState.STAGED, BatchState.MERGED, BatchState.ARCHIVED
GOOD, MORE, BAD = (File(f"/landing/orders/{name}", name, 5, 6, 7) for name in ("good", "more", "bad"))
READ = Rows(9, 4, 1, 2, 2)
CHECKED = Checked("adult", "row", "warn", 3, None, False)
MANIFEST = Manifest.of(
    Batch("orders", 7, (GOOD, MORE, BAD)),
    NOW,
    [FileOutcome(GOOD, READ), FileOutcome(MORE, Rows(1, 1)), FileOutcome(BAD, rejected="it is empty")],
    0.5,
    checks=[CHECKED],
)
AFTER = Rows(10, 5, 1, 2, 2, 1, 1, 1, 1, 1)


def world(control: MemoryControl | None = None) -> World:
    """… in which a second passes between two looks at the clock."""
    seconds = iter(range(1_000))
    nothing: Any = None
    ledger = Ledger(control or MemoryControl(), "c")
    return World(nothing, nothing, ledger, "embedded", "run", lambda: NOW + timedelta(seconds=next(seconds)))


def done(*, merged: bool = False, moves: Moves | None = None) -> Done:
    seconds = {"merge": 0.25, "archive": 0.125}
    return Done(MANIFEST, Merged(4, AFTER) if merged else None, moves or Moves(), seconds)


MOVES = Moves({GOOD: "/archive/good", MORE: None, BAD: "/rejected/bad"}, {MORE: "it was replaced", BAD: "it is empty"})


@pytest.mark.parametrize(
    ("merged", "recorded", "last", "told"),
    [
        (False, (), None, [STAGED]),
        (True, (), None, [STAGED, MERGED]),
        (True, (STAGED,), None, [MERGED]),
        (True, (STAGED, MERGED), None, []),
        (True, (), ARCHIVED, [STAGED, MERGED, ARCHIVED]),
        (True, (STAGED, MERGED), ARCHIVED, [ARCHIVED]),
        (False, (STAGED,), BatchState.ABANDONED, [BatchState.ABANDONED]),
        (False, (), BatchState.FAILED, [STAGED, BatchState.FAILED]),
        (True, (MERGED,), BatchState.FAILED, [STAGED, BatchState.FAILED]),
    ],
)
def test_states_that_are_not_recorded_yet_are(
    merged: bool, recorded: Collection[BatchState], last: BatchState | None, told: list[BatchState]
) -> None:
    here = world()
    known = record_batch(here, FEED, done(merged=merged), frozenset(recorded), last, "why" if last else None)
    found = here.ledger.batch_events()[::-1]
    assert [event.state for event in found] == told
    assert known == {*recorded, *told}
    assert [event.error for event in found] == [("why" if event.state is last else None) for event in found]


def test_an_event_has_the_figures_of_its_moment() -> None:
    here = world()
    record_batch(here, FEED, done(merged=True), frozenset(), ARCHIVED)
    archived, merged, staged = here.ledger.batch_events()
    assert (staged.rows, merged.rows, archived.rows) == (MANIFEST.rows, AFTER, AFTER)
    about = [(e.run_id, e.batch_id, e.feed, e.engine, e.files, e.target) for e in (staged, merged, archived)]
    assert about == [("run", MANIFEST.batch_id, "orders", "embedded", 3, "shop.orders")] * 3
    assert [e.target_version for e in (staged, merged, archived)] == [None, 4, 4]
    seconds = [(e.seconds_stage, e.seconds_merge, e.seconds_archive) for e in (staged, merged, archived)]
    assert seconds == [(0.5, None, None), (0.5, 0.25, None), (0.5, 0.25, 0.125)]


def test_checks_are_recorded_with_the_batch_once() -> None:
    control, table = MemoryControl(), Table("c.checks")
    here = world(control)
    record_batch(here, FEED, done(), frozenset())
    record_batch(here, FEED, done(merged=True), frozenset({STAGED}), ARCHIVED)
    (row,) = control.select(table, {})
    told: dict[str, object] = {
        "run_id": "run",
        "batch_id": MANIFEST.batch_id,
        "feed": "orders",
        "check": "adult",
        "scope": "row",
    }
    told |= {"action": "warn", "rows_failed": 3, "value": None, "passed": False}
    assert {name: row[name] for name in told} == told
    record_checks(here, FEED, "x", [CHECKED, replace(CHECKED, check="other")])
    assert [row["check"] for row in control.select(table, {"batch_id": ["x"]})] == ["adult", "other"]


def test_changes_are_recorded_once_those_of_the_target_when_it_is_merged() -> None:
    control, table = MemoryControl(), Table("c.schema_changes")
    here, file = world(control), SchemaChange("/l/1", ChangeKind.NEW_COLUMN, "x", None, "string", "add")
    added = SchemaChange(None, ChangeKind.ADDED, "x", None, "string", "add_column")
    manifest = replace(MANIFEST, changes=(file, added))
    for merged, recorded in ((False, frozenset[BatchState]()), (False, frozenset()), (True, frozenset({STAGED}))):
        record_batch(here, FEED, replace(done(merged=merged), manifest=manifest), recorded)
        rows = control.select(table, {})
        assert sorted(str(row["kind"]) for row in rows) == ["added", "new_column"][0 if merged else 1 :]
    (told, *_) = (event for event in here.ledger.schema_changes([manifest.batch_id]) if event.kind == "new_column")
    assert told.as_dict() == file.as_dict()
    assert (told.run_id, told.feed) == ("run", "orders")


def files(here: World) -> list[tuple[str, FileState, str | None, str | None]]:
    found = here.ledger.file_events()[::-1]
    return [(event.file.rsplit("/", 1)[-1], event.state, event.moved_to, event.reason) for event in found]


F_STAGED, F_MERGED, F_ARCHIVED, F_REJECTED = (
    FileState.STAGED, FileState.MERGED, FileState.ARCHIVED, FileState.REJECTED,
)  # fmt: skip


def test_files_are_recorded_as_far_as_they_came() -> None:
    here = world()
    record_files(here, FEED, done(), from_here=True)
    assert files(here) == [("good", F_STAGED, None, None), ("more", F_STAGED, None, None)]
    here = world()
    record_files(here, FEED, done(merged=True), from_here=True)
    assert [each[:2] for each in files(here)] == [(n, s) for n in ("good", "more") for s in (F_STAGED, F_MERGED)]
    here = world()
    record_files(here, FEED, done(merged=True, moves=MOVES), from_here=True)
    assert files(here) == [
        ("good", F_STAGED, None, None),
        ("good", F_MERGED, None, None),
        ("good", F_ARCHIVED, "/archive/good", None),
        ("more", F_STAGED, None, None),
        ("more", F_MERGED, None, None),
        ("more", F_ARCHIVED, None, "it was replaced"),
        ("bad", F_REJECTED, "/rejected/bad", "it is empty"),
    ]
    (event, *_) = here.ledger.file_events(files=[GOOD.path])
    assert (event.file_version, event.file_size, event.run_id, event.feed) == (5, 6, "run", "orders")
    figures = (event.rows_read, event.rows_staged, event.rows_quarantined, event.rows_filtered, event.rows_deduplicated)
    assert figures == (9, 4, 1, 2, 2)


def test_what_an_earlier_process_recorded_of_files_is_not_recorded_again() -> None:
    here = world()
    record_files(here, FEED, done(), from_here=True)
    record_files(here, FEED, done(merged=True, moves=MOVES), from_here=False)
    assert [each[:2] for each in files(here)] == [
        ("good", F_STAGED), ("more", F_STAGED),
        ("good", F_MERGED), ("good", F_ARCHIVED), ("more", F_MERGED), ("more", F_ARCHIVED), ("bad", F_REJECTED),
    ]  # fmt: skip


def test_another_batch_of_the_same_files_is_recorded_for_itself() -> None:
    here = world()
    record_files(here, FEED, done(), from_here=False)
    again = replace(MANIFEST, batch=replace(MANIFEST.batch, seq=8), batch_id="another")
    record_files(here, FEED, replace(done(), manifest=again), from_here=False)
    assert [each[:2] for each in files(here)] == [("good", F_STAGED), ("more", F_STAGED)] * 2

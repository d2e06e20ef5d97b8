"""The facts about a feed, from what its tables, its ledger and its landing folder say: each as they may be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.batch import Batch, FileOutcome, Manifest, Seen
from framework.engine import TableState
from framework.engines.memory import MemoryControl
from framework.errors import Failure, LandfeedError
from framework.feed import Feed
from framework.keeping import Kept
from framework.law.discovery import Listing
from framework.ledger import BatchEvent, Ledger
from framework.names import BatchState, File, Rows, Skipped, Table
from framework.plan.observe import Facts, Unfinished, observe
from framework.storages.memory import MemoryStorage
from tests.feeds import made_feed

FEED = made_feed()
STAGING, TARGET, QUARANTINE = FEED.target.staging, FEED.target.table, FEED.quarantine.table
COLUMNS = (("id", "int"),)
NOW = datetime(2026, 1, 31, tzinfo=UTC)
NO_ROWS = Rows()
Batches = Mapping[int, Manifest]


@dataclass
class Tables:
    """An engine of which only is known what its tables say: each the number of its last batch, and manifests."""

    seqs: Mapping[Table, int | None]
    found: Mapping[Table, Batches] = field(default_factory=dict)
    unwritable: Mapping[Table, Failure] = field(default_factory=dict)

    def state(self, table: Table, feed: str) -> TableState | None:
        assert feed == "orders"
        if table not in self.seqs:
            return None
        return TableState(3, COLUMNS, self.seqs[table], self.unwritable.get(table))

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        assert feed == "orders"
        found = self.found.get(table, {}).get(seq)
        return (found, 10 + seq) if found is not None else None

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        assert (table, feed) == (STAGING, "orders")
        return [each for _, each in sorted(self.found.get(table, {}).items(), reverse=True)]


class Damaged(Kept):
    def damage(self, table: Table) -> str | None:
        return f"table {table} is damaged"


def file(name: str, version: int = 1) -> File:
    return File(f"/landing/orders/{name}", name, version, 1, 1)


def batch(seq: int, *outcomes: FileOutcome, rows: Rows = NO_ROWS) -> Manifest:
    found = outcomes or (FileOutcome(file(f"{seq}.csv")),)
    made = Manifest.of(Batch("orders", seq, tuple(each.file for each in found)), NOW, found, 0.5)
    return replace(made, rows=rows)


def events(manifest: Manifest, *states: BatchState) -> list[BatchEvent]:
    none = (None,) * 4
    return [
        BatchEvent(
            NOW + timedelta(seconds=n),
            "r",
            manifest.batch_id,
            "orders",
            state,
            "e",
            1,
            *(0,) * 10,
            "shop.orders",
            *none,
        )
        for n, state in enumerate(states)
    ]


STAGED, MERGED, ARCHIVED, ABANDONED = (
    BatchState.STAGED, BatchState.MERGED, BatchState.ARCHIVED, BatchState.ABANDONED,
)  # fmt: skip


def look(
    tables: Tables,
    *recorded: BatchEvent,
    pending: Sequence[File] = (),
    skipped: Sequence[File] = (),
    storage: MemoryStorage | None = None,
    keeping: Kept | None = None,
    feed: Feed = FEED,
) -> Facts:
    ledger = Ledger(MemoryControl(), "c")
    ledger.record_batches(recorded)
    listing = Listing(tuple(pending), tuple(Skipped(each, "why") for each in skipped))
    engine: Any = tables
    return observe(feed, storage or MemoryStorage(), ledger, engine, listing, keeping)


def three(staging: int | None, target: int | None, quarantine: int | None, **more: Any) -> Tables:
    """The three tables by their last batches; a table that is not there is None."""
    seqs = {STAGING: staging, TARGET: target, QUARANTINE: quarantine}
    there = {table: seq for table, seq in seqs.items() if seq is not None}
    return Tables(there, **more)


SEVEN = batch(7)


def held(seq: int = 7, *tables: Table, manifest: Manifest | None = None) -> dict[str, Any]:
    """The batch's manifest in these tables."""
    return {"found": {table: {seq: manifest or batch(seq)} for table in tables}}


def test_a_feed_of_which_nothing_is_there() -> None:
    listing = Listing((file("a"),))
    assert look(three(None, None, None), pending=listing.pending) == Facts(listing, None, 0, None, None)


def test_tables_that_no_batch_was_committed_to() -> None:
    facts = look(Tables({STAGING: None, TARGET: None, QUARANTINE: None}))
    assert (facts.last_seq, facts.unfinished, facts.orphan, facts.doubled) == (0, None, None, None)
    assert facts.target == TableState(3, COLUMNS)


@pytest.mark.parametrize(
    ("staging", "target", "quarantine", "last"),
    [(7, 7, 7, 7), (9, 8, 5, 9), (None, 8, None, 8), (None, 7, 8, 8), (3, 8, 2, 8), (None, None, 4, 4)],
)
def test_the_last_number_of_any_table_counts(staging: int, target: int, quarantine: int, last: int) -> None:
    assert look(three(staging, target, quarantine)).last_seq == last


# The batch that staging holds


def test_a_batch_that_is_staged_and_no_more() -> None:
    facts = look(three(7, 6, None, **held(7, STAGING)), *events(SEVEN, STAGED), pending=[file("7.csv")])
    recorded = facts.unfinished.recorded if facts.unfinished else ()
    assert [event.state for event in recorded] == [STAGED]
    assert facts.unfinished == Unfinished(SEVEN, 17, COLUMNS, (), None, recorded)
    assert (facts.unfinished.merged, facts.unfinished.again) == (False, False)
    assert (facts.lost, facts.notes) == (None, ())


def test_a_batch_that_the_ledger_knows_nothing_of() -> None:
    facts = look(three(7, None, None, **held(7, STAGING)), pending=[file("7.csv")])
    assert facts.unfinished == Unfinished(SEVEN, 17, COLUMNS, (), None, ())


@pytest.mark.parametrize("state", [STAGED, MERGED, BatchState.FAILED])
def test_a_merged_batch_has_its_figures_from_the_target(state: BatchState) -> None:
    merged = SEVEN.merged(Rows(inserted=5))
    found = {STAGING: {7: SEVEN}, TARGET: {7: merged}}
    unfinished = look(three(7, 7, None, found=found), *events(SEVEN, state)).unfinished
    assert unfinished is not None
    assert (unfinished.target, unfinished.held, unfinished.changed) == ((merged, 17), True, ())
    assert (unfinished.merged, unfinished.again) == (True, False)


def test_a_merged_batch_of_which_the_target_tells_no_more_than_that() -> None:
    unfinished = look(three(7, 7, None, **held(7, STAGING)), *events(SEVEN, STAGED, MERGED)).unfinished
    assert unfinished is not None
    assert (unfinished.target, unfinished.held, unfinished.merged) == (None, True, True)
    assert unfinished.changed == (), "what has become of its files is of no interest any more"


@pytest.mark.parametrize("end", [ARCHIVED, ABANDONED])
def test_a_batch_that_is_over_is_not_unfinished(end: BatchState) -> None:
    facts = look(three(7, 7, None, **held(7, STAGING)), *events(SEVEN, STAGED, MERGED, end))
    assert (facts.unfinished, facts.lost, facts.last_seq) == (None, None, 7)


def test_a_batch_that_only_the_ledger_says_is_merged() -> None:
    facts = look(three(7, 6, None, **held(7, STAGING)), *events(SEVEN, STAGED, MERGED), pending=[file("7.csv")])
    assert facts.unfinished is not None
    assert (facts.unfinished.merged, facts.unfinished.again) == (False, True)
    said = f"table shop.orders had lost batch {SEVEN.batch_id}, which is merged again; look what else it lacks"
    assert facts.notes == (said,)


@pytest.mark.parametrize(
    ("there", "changed"),
    [("pending", False), ("skipped", False), ("not listed", False), ("gone", True), ("another", True)],
)
def test_whether_a_file_of_the_batch_has_changed(there: str, changed: bool) -> None:
    storage = MemoryStorage()
    mine = storage.write("/landing/orders/7.csv", b"1")
    other = FileOutcome(storage.write("/landing/orders/6.csv", b"2"))
    manifest = batch(7, other, FileOutcome(replace(mine, name="7.csv")))
    if there in ("gone", "another"):
        storage.delete(mine)
    if there == "another":
        storage.write("/landing/orders/7.csv", b"3")
    listed: Any = {"pending": {"pending": [mine]}, "skipped": {"skipped": [mine]}}.get(there, {})
    tables = three(7, 6, None, **held(7, STAGING, manifest=manifest))
    unfinished = look(tables, storage=storage, **listed).unfinished
    assert unfinished is not None
    assert [each.path for each in unfinished.changed] == ([mine.path] if changed else [])


def test_a_batch_that_another_feed_wrote_is_not_finished() -> None:
    elsewhere = batch(7, FileOutcome(File("/landing/others/7.csv", "7.csv", 1, 1, 1)))
    tables = three(7, 6, None, **held(7, STAGING, manifest=elsewhere))
    with pytest.raises(LandfeedError, match="was not written by this feed") as error:
        look(tables)
    assert error.value.code == "manifest"
    assert look(tables, *events(elsewhere, ARCHIVED)).unfinished is None, "it is over, and nothing is done to its files"


# What is lost

BAD = batch(7, rows=Rows(read=2, staged=1, quarantined=1))


@pytest.mark.parametrize(
    ("target", "quarantine", "broken"), [(6, 6, True), (6, None, True), (6, 7, False), (7, 6, True)]
)
def test_bad_rows_that_the_quarantine_has_lost(target: int, quarantine: int | None, broken: bool) -> None:
    tables = three(7, target, quarantine, **held(7, STAGING, manifest=BAD))
    facts = look(tables, *events(BAD, STAGED), pending=[file("7.csv")])
    assert facts.unfinished is not None
    why = "table shop.orders__quarantine has lost the batch's bad rows"
    assert facts.unfinished.broken == (why if broken else None)
    assert facts.notes == ((f"batch {BAD.batch_id} is staged again: {why}",) if broken else ())
    assert facts.lost is None, "its file is in landing"


def test_bad_rows_that_are_lost_together_with_their_files() -> None:
    tables = three(7, 7, 6, **held(7, STAGING, manifest=BAD))
    lost = look(tables, *events(BAD, STAGED, MERGED)).lost
    assert lost is not None
    assert lost.code == "table_lost"
    assert f"batch {BAD.batch_id}, whose files are not in landing any more" in lost.message
    not_merged = look(three(7, 6, 6, **held(7, STAGING, manifest=BAD)), *events(BAD, STAGED))
    assert not_merged.lost is None, "nobody has been told that it was loaded"


def test_bad_rows_of_a_batch_that_is_over() -> None:
    facts = look(three(7, 7, 6, **held(7, STAGING, manifest=BAD)), *events(BAD, ARCHIVED))
    assert facts.notes == (f"table shop.orders__quarantine has lost the 1 bad rows of batch {BAD.batch_id}",)
    assert facts.lost is None
    assert look(three(7, 7, 7, **held(7, STAGING, manifest=BAD)), *events(BAD, ARCHIVED)).notes == ()
    assert look(three(7, 6, 6, **held(7, STAGING, manifest=BAD)), *events(BAD, ABANDONED)).notes == ()


def test_damaged_staging_counts_until_the_merge() -> None:
    found = held(7, STAGING)
    facts = look(three(7, 6, None, **found), pending=[file("7.csv")], keeping=Damaged())
    assert facts.unfinished is not None
    assert facts.unfinished.broken == "table shop.orders__staging is damaged"
    facts = look(three(7, 7, None, **found), keeping=Damaged())
    assert facts.unfinished is not None
    assert facts.unfinished.broken is None


@pytest.mark.parametrize(("target", "lost"), [(7, False), (8, False), (6, True), (None, True)])
def test_a_target_without_a_batch_that_is_in_the_archive(target: int | None, lost: bool) -> None:
    found = look(three(7, target, None, **held(7, STAGING)), *events(SEVEN, STAGED, MERGED, ARCHIVED)).lost
    assert (found is not None) == lost
    if found is not None:
        what = f"table shop.orders does not hold batch {SEVEN.batch_id}, which was merged and archived"
        assert (found.code, found.message) == ("table_lost", f"feed orders: {what}")
        assert "shop.orders__staging" in (found.hint or "")
        assert "/archive/orders/" in (found.hint or "")
    abandoned = look(three(7, target, None, **held(7, STAGING)), *events(SEVEN, STAGED, ABANDONED))
    assert abandoned.lost is None


@pytest.mark.parametrize(("target", "lost"), [(6, False), (5, True), (4, True)])
def test_a_target_without_an_earlier_batch_that_is_in_the_archive(target: int, lost: bool) -> None:
    five, six = batch(5), batch(6)
    found = {STAGING: {5: five, 6: six, 7: SEVEN}}
    recorded = [*events(five, ARCHIVED), *events(six, ARCHIVED), *events(SEVEN, STAGED)]
    facts = look(three(7, target, None, found=found), *recorded, pending=[file("7.csv")])
    assert (facts.lost is not None) == lost
    if facts.lost is not None:
        assert f"does not hold batch {six.batch_id}, which is in the archive" in facts.lost.message
    given_up = [*events(five, ARCHIVED), *events(six, ABANDONED), *events(SEVEN, STAGED)]
    there = look(three(7, 5, None, found=found), *given_up, pending=[file("7.csv")])
    assert there.lost is None, "what was given up is missing nowhere"


# What the quarantine has alone

EIGHT = batch(8, rows=Rows(read=1, quarantined=1))


@pytest.mark.parametrize(("staging", "target"), [(7, 7), (7, 6), (None, None), (None, 7)])
def test_a_batch_of_which_only_bad_rows_are_there(staging: int | None, target: int | None) -> None:
    found = {QUARANTINE: {8: EIGHT}, STAGING: {7: SEVEN}}
    facts = look(three(staging, target, 8, found=found), *events(SEVEN, ARCHIVED))
    assert (facts.orphan, facts.doubled) == (EIGHT, None)


@pytest.mark.parametrize(("quarantine", "target"), [(7, 7), (6, 7), (6, 8)])
def test_bad_rows_of_a_batch_that_the_tables_have_are_no_orphan(quarantine: int, target: int) -> None:
    found = {QUARANTINE: {quarantine: batch(quarantine)}, STAGING: {7: SEVEN}}
    facts = look(three(7, target, quarantine, found=found), *events(SEVEN, ARCHIVED))
    assert (facts.orphan, facts.doubled) == (None, None)


@pytest.mark.parametrize(("recorded", "doubled"), [((), True), ((STAGED, MERGED), True), ((ARCHIVED,), False)])
def test_a_batch_that_was_merged_and_that_staging_has_lost(recorded: Sequence[BatchState], doubled: bool) -> None:
    facts = look(three(None, 8, 8, found={QUARANTINE: {8: EIGHT}}), *events(EIGHT, *recorded))
    assert (facts.orphan, facts.doubled) == (None, EIGHT if doubled else None)
    newer = look(three(None, 9, 8, found={QUARANTINE: {8: EIGHT}}), *events(EIGHT, *recorded))
    assert (newer.orphan, newer.doubled) == (None, None), "later batches went on without bad rows"


def test_an_orphan_of_another_feed_is_left_alone() -> None:
    elsewhere = batch(8, FileOutcome(File("/landing/others/8.csv", "8.csv", 1, 1, 1)))
    with pytest.raises(LandfeedError, match="was not written by this feed"):
        look(three(7, 7, 8, found={QUARANTINE: {8: elsewhere}}))


# What else is to be known


@pytest.mark.parametrize("tables", [(TARGET, STAGING, QUARANTINE), (STAGING, QUARANTINE), (QUARANTINE,)])
def test_the_first_table_that_cannot_be_written_is_told(tables: Sequence[Table]) -> None:
    refusals = {table: Failure("table_feature", table.name) for table in tables}
    facts = look(three(7, 7, 7, unwritable=refusals))
    assert facts.unwritable == refusals[tables[0]]
    assert look(three(7, 7, 7)).unwritable is None


def test_the_table_beside_the_target() -> None:
    feed = made_feed(target={"sequence_by": ("at",), "apply_as_deletes": "item = 'x'"})
    beside = Table("shop.orders__cdc")
    refusal = Failure("table_feature", "no")
    tables = Tables({TARGET: 7, beside: 6}, unwritable={beside: refusal})
    facts = look(tables, feed=feed)
    assert (facts.memory, facts.unwritable) == (TableState(3, COLUMNS, 6, refusal), refusal)
    assert look(Tables({TARGET: 7}), feed=feed).memory is None
    assert look(tables).memory is None, "a feed that needs none does not look for it"


def test_the_header_of_the_file_that_was_loaded_last() -> None:
    one, two = FileOutcome(file("1"), seen=Seen(header=("a",))), FileOutcome(file("2"), seen=Seen(header=("b",)))
    bare = FileOutcome(file("3"))
    refused = FileOutcome(file("4"), rejected="no", seen=Seen(header=("c",)))

    def header(**found: Manifest) -> tuple[str, ...]:
        batches = {int(seq[1:]): manifest for seq, manifest in found.items()}
        return look(three(7, 7, None, found={STAGING: batches}), *events(found["_7"], ARCHIVED)).header

    assert header(_7=batch(7, one, two)) == ("b",)
    assert header(_7=batch(7, two, one, bare)) == ("a",)
    assert header(_7=batch(7, one, refused)) == ("a",)
    assert header(_7=batch(7, refused), _6=batch(6, two)) == ("b",), "the batch loaded nothing"
    assert header(_7=batch(7, bare), _6=batch(6, two)) == (), "what it loaded had none"
    assert header(_7=batch(7, refused)) == ()
    assert look(three(None, 7, None)).header == ()


def test_the_last_batch_in_the_target() -> None:
    six = batch(6)
    found = {STAGING: {7: SEVEN}, TARGET: {6: six}}
    assert look(three(7, 6, None, found=found), pending=[file("7.csv")]).loaded == six
    assert look(three(7, 7, None, found=found), *events(SEVEN, ARCHIVED)).loaded == SEVEN, "staging's tells as much"
    assert look(three(None, 6, None, found=found)).loaded == six
    assert look(three(None, 5, None, found=found)).loaded is None, "its history does not tell"
    assert look(three(7, None, None, found=found), pending=[file("7.csv")]).loaded is None

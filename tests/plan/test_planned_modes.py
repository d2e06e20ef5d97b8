"""Facts to steps for every mode: which files make a batch, which tables it needs, what its target must have been."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from framework.engine import TableState
from framework.errors import LandfeedError
from framework.feed import DeleteMode, Feed, MissingColumns, Mode, NullKeys, SchemaContract, Snapshot, loaded_as
from framework.law.change import Match
from framework.law.modes import change_of, stale
from framework.names import File, Table
from framework.plan.compile import compile_plan
from framework.plan.tables import ignored, memory_columns, target_columns
from framework.steps import Abandon, AddColumns, CreateTable, Discard, Merge, Stage, Step
from tests.feeds import column, made_feed
from tests.plan.test_steps import FINISH, NEW, NEXT, OLD, TARGET, TASKS, facts, manifest, steps, unfinished

COLUMNS = (column("id", "int"), column("no", "bigint"), column("at", "timestamp"), column("item"))
CDC = Table("shop.orders__cdc")


def feed_of(mode: Mode = Mode.MERGE, **target: Any) -> Feed:
    return made_feed(*COLUMNS, target={"mode": mode, **target})


def planned(feed: Feed, *pending: File, **more: Any) -> tuple[Step, ...]:
    target = TableState(3, tuple((each.name, str(each.type)) for each in target_columns(feed)), 7)
    return compile_plan(feed, replace(facts(pending, target=target), **more)).steps


def only(steps: tuple[Step, ...], kind: type[Any]) -> Any:
    (found,) = (step for step in steps if isinstance(step, kind))
    return found


# Which files make a batch


def files(*names: str, modified: int = 0) -> tuple[File, ...]:
    return tuple(File(f"/landing/orders/{name}", name, 1, 1, modified + n) for n, name in enumerate(names))


def snapshot(by: str | None = "day", **more: Any) -> Feed:
    feed = feed_of(Mode.SNAPSHOT, snapshot=Snapshot(by=by), **more)
    return replace(feed, source=replace(feed.source, files="{day:yyyyMMdd}_*.csv"))


def test_the_files_of_the_oldest_picture_make_a_batch() -> None:
    pending = files("20260102_a.csv", "20260101_a.csv", "20260102_b.csv", "20260101_b.csv")
    (stage, merge, _) = planned(snapshot(), *pending)
    assert isinstance(stage, Stage)
    assert [file.name for file in stage.batch.files] == ["20260101_a.csv", "20260101_b.csv"]
    assert stage.pictured == Match(("id",))
    assert isinstance(merge, Merge)
    assert merge.change == change_of(snapshot(), "2026-01-01")
    alone = only(planned(snapshot(by=None), *reversed(pending)), Stage)
    assert [file.name for file in alone.batch.files] == ["20260102_a.csv"], "the one that was modified first"
    nulls = only(planned(snapshot(null_keys=NullKeys.MATCH), *pending), Stage)
    assert nulls.pictured == Match(("id",), nulls_match=True)
    assert only(planned(feed_of(), NEW), Stage).pictured is None


@pytest.mark.parametrize(
    ("last", "stays"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-01-02", True), (None, False)],
)
def test_a_picture_that_is_not_newer_than_the_last_one_changes_nothing(last: str | None, stays: bool) -> None:
    feed, (file,) = snapshot(), files("20260101_a.csv")
    steps = planned(feed, file, loaded=replace(manifest(), picture=last))
    assert only(steps, Merge).change == (stale() if stays else change_of(feed, "2026-01-01"))
    assert only(steps, Stage).pictured == (None if stays else Match(("id",)))


def test_the_first_picture_has_none_before_it() -> None:
    feed = snapshot()
    assert only(planned(feed, *files("20260101_a.csv"), loaded=None), Merge).change == change_of(feed, "2026-01-01")


def test_all_pending_files_take_the_place_of_what_is_there() -> None:
    feed = feed_of(Mode.OVERWRITE)
    feed = replace(feed, source=replace(feed.source, path="gs://bucket/orders/"))
    large = tuple(replace(file, size=9 << 30) for file in files("a", "b", "c"))
    assert only(planned(feed, *large), Stage).batch.files == large


def test_files_of_which_each_keeps_what_it_lacks_are_batches_of_their_own() -> None:
    feed = replace(feed_of(), schema_contract=SchemaContract(missing_columns=MissingColumns.KEEP))
    assert only(planned(feed, NEW, OLD), Stage).batch.files == (NEW,)


@pytest.mark.parametrize("feed", [feed_of(), feed_of(ignore_null_updates=("item",)), feed_of(Mode.APPEND, keys=())])
def test_staging_is_told_which_row_of_a_key_counts(feed: Feed) -> None:
    steps = planned(feed, NEW)
    assert only(steps, Stage).survivor == change_of(feed).survivor
    merge = only(steps, Merge)
    assert (merge.change, merge.staging, merge.target) == (change_of(feed), feed.target.staging, feed.target.table)


# Which tables and columns

AUDIT = ["_source_file", "_batch_id", "_loaded_at"]
SEQUENCED: dict[str, Any] = {"sequence_by": ("at",)}
PAIR: dict[str, Any] = {"sequence_by": ("at", "no")}
BOTH = "struct<at:timestamp,no:bigint>"


@pytest.mark.parametrize(
    ("feed", "more"),
    [
        (feed_of(), []),
        (feed_of(audit_columns=True), [*AUDIT]),
        (feed_of(scd_type=2, **SEQUENCED), ["__START_AT timestamp", "__END_AT timestamp"]),
        (feed_of(scd_type=2, audit_columns=True, **PAIR), [*AUDIT, f"__START_AT {BOTH}", f"__END_AT {BOTH}"]),
        (feed_of(delete_mode=DeleteMode.SOFT, apply_as_deletes="no = 0"), ["_deleted_at timestamp"]),
        (feed_of(delete_mode=DeleteMode.SOFT, apply_as_deletes="no = 0", **PAIR), [f"_deleted_at {BOTH}"]),
        (snapshot(delete_mode=DeleteMode.SOFT), ["_deleted_at date"]),
        (snapshot(scd_type=2), ["__START_AT date", "__END_AT date"]),
        (snapshot(by=None, scd_type=2), ["__START_AT timestamp", "__END_AT timestamp"]),
    ],
)
def test_the_columns_of_a_target(feed: Feed, more: list[str]) -> None:
    types = {"_source_file": "string", "_batch_id": "string", "_loaded_at": "timestamp"}
    wanted = ["id int", "no bigint", "at timestamp", "item string"]
    wanted += [f"{name} {types[name]}" if name in types else name for name in more]
    columns = target_columns(feed)
    assert [f"{each.name} {each.type}" for each in columns] == wanted
    assert all(each.comment for each in columns[4:]), "those that nobody declared are explained"
    create = only(compile_plan(feed, facts(files("20260101_a.csv"), target=None)).steps[:2], CreateTable)
    assert create.columns == columns


def test_a_new_target_is_as_the_feed_says() -> None:
    properties = (("delta.enableChangeDataFeed", "true"),)
    how: dict[str, Any] = {
        "comment": "orders",
        "partition_by": ("item",),
        "cluster_by": ("no",),
        "table_properties": properties,
    }
    create = only(compile_plan(feed_of(**how), facts((NEW,), target=None)).steps, CreateTable)
    told = (create.table, create.comment, create.partition_by, create.cluster_by, create.properties)
    assert told == (Table("shop.orders"), "orders", ("item",), ("no",), properties)
    said = "target.cluster_by is ignored: the embedded engine does not cluster tables"
    assert list(ignored(feed_of(**how), "embedded")) == [said]
    assert list(ignored(feed_of(**how), "spark")) == list(ignored(feed_of(), "embedded")) == []


REMEMBERED = ["_feed string", "_batch bigint", "_batch_id string", "_change string"]


@pytest.mark.parametrize(
    ("feed", "more"),
    [
        (feed_of(apply_as_deletes="no = 0", **SEQUENCED), ["_sequence timestamp", "id int"]),
        (
            feed_of(apply_as_deletes="no = 0", keys=("id", "item"), **PAIR),
            [f"_sequence {BOTH}", "id int", "item string"],
        ),
        (feed_of(apply_as_truncates="no = 0", audit_columns=True, **SEQUENCED), ["_sequence timestamp", "id int"]),
        (
            feed_of(scd_type=2, except_columns=("item",), **SEQUENCED),
            ["_sequence timestamp", "id int", "no bigint", "at timestamp"],
        ),
        (
            feed_of(scd_type=2, audit_columns=True, **SEQUENCED),
            [
                "_sequence timestamp",
                "id int",
                "no bigint",
                "at timestamp",
                "item string",
                "_source_file string",
                "_loaded_at timestamp",
            ],
        ),
    ],
)
def test_the_table_beside_the_target(feed: Feed, more: list[str]) -> None:
    columns = memory_columns(feed)
    assert [f"{each.name} {each.type}" for each in columns] == REMEMBERED + more
    steps = planned(feed, NEW)
    create = only(steps, CreateTable)
    assert (create.table, create.columns, only(steps, Merge).memory) == (CDC, columns, CDC)
    assert create.comment == "What later rows of shop.orders may need and it does not show"
    there = TableState(1, tuple((each.name, str(each.type)) for each in columns), 7)
    assert [type(step).__name__ for step in planned(feed, NEW, memory=there)] == ["Stage", "Merge", "Archive"]
    lacks = replace(there, columns=there.columns[:-1])
    add = only(planned(feed, NEW, memory=lacks), AddColumns)
    assert (add.table, add.columns) == (CDC, columns[-1:])


@pytest.mark.parametrize(
    "feed",
    [
        feed_of(**SEQUENCED),
        feed_of(apply_as_deletes="no = 0"),
        feed_of(apply_as_deletes="no = 0", delete_mode=DeleteMode.SOFT, **SEQUENCED),
        feed_of(Mode.APPEND, keys=()),
        snapshot(),
        snapshot(scd_type=2),
    ],
)
def test_feeds_that_remember_nothing(feed: Feed) -> None:
    (file,) = files("20260101_a.csv")
    steps = planned(feed, file)
    assert [type(step).__name__ for step in steps] == ["Stage", "Merge", "Archive"]
    assert only(steps, Merge).memory is None


def test_what_is_remembered_of_a_batch_that_is_given_up_is_forgotten() -> None:
    feed = feed_of(apply_as_deletes="no = 0", **SEQUENCED)
    there = TableState(1, tuple((each.name, str(each.type)) for each in memory_columns(feed)), 7)
    gone = unfinished(changed=True)
    batch = gone.manifest.batch_id
    quarantine = Discard(feed.quarantine.table, "orders", batch)
    steps = planned(feed, unfinished=gone, memory=there)
    assert [steps[0], type(steps[1]), steps[2]] == [Discard(CDC, "orders", batch), Abandon, quarantine]
    without = planned(feed, unfinished=gone, memory=None)
    assert [type(without[0]), without[1]] == [Abandon, quarantine], "there is no such table"
    plain = planned(feed_of(), unfinished=gone, memory=there)
    assert [type(plain[0]), plain[1]] == [Abandon, quarantine], "the feed does not have one any more"


# What the target was loaded as


def loaded(feed: Feed) -> Any:
    return replace(manifest(), loaded_as=loaded_as(feed))


@pytest.mark.parametrize(
    ("then", "was", "says"),
    [
        (feed_of(keys=("id", "no")), "keys [id, no]", "[id]"),
        (feed_of(Mode.APPEND), "mode append", "merge"),
        (feed_of(scd_type=2), "scd_type 2", "1"),
        (feed_of(Mode.SNAPSHOT, keys=("no",)), "mode snapshot and keys [no]", "merge and [id]"),
        (feed_of(**SEQUENCED), None, None),
        (feed_of(apply_as_deletes="no = 0"), None, None),
        (feed_of(), None, None),
    ],
)
def test_a_target_that_was_loaded_otherwise(then: Feed, was: str | None, says: str | None) -> None:
    now, before = feed_of(), loaded(then)
    if was is None:
        assert planned(now, NEW, loaded=before)
        return
    message = f"feed orders: shop.orders was loaded with {was}, and the feed now says {says}"
    for more in ({}, {"unfinished": unfinished(changed=True)}, {"unfinished": unfinished()}):
        with pytest.raises(LandfeedError) as error:
            planned(now, NEW, loaded=before, **more)
        assert (error.value.message, error.value.code) == (message, "loaded_otherwise")
        assert "landfeed rebuild orders, and then with --swap" in (error.value.hint or "")
    done = replace(facts((NEW,), unfinished=unfinished(in_target=True)), loaded=before)
    assert steps(done) == FINISH[1:], "what is merged is archived, whatever the feed says now"


def test_older_versions_did_not_tell_what_a_target_was_loaded_as() -> None:
    assert planned(feed_of(Mode.APPEND), NEW, loaded=manifest())
    assert steps(replace(facts((NEW,)), loaded=manifest())) == NEXT


@pytest.mark.parametrize(
    ("then", "what"),
    [
        ({"sequence_by": ("no",)}, "target.sequence_by was [no] and is []"),
        ({"ignore_null_updates": ("item", "no")}, "target.ignore_null_updates was [item, no] and is []"),
        ({"apply_as_deletes": "no = 0"}, "target.apply_as_deletes is another one"),
        ({"apply_as_truncates": "no = 0"}, "target.apply_as_truncates is another one"),
        ({"mode": Mode.INSERT_ONLY}, "target.mode was insert_only and is merge"),
    ],
)
def test_a_batch_that_was_staged_for_another_merge_is_staged_again(then: dict[str, Any], what: str) -> None:
    staged = unfinished(columns=tuple((each.name, str(each.type)) for each in COLUMNS))
    other = replace(staged, manifest=replace(staged.manifest, loaded_as=loaded_as(feed_of(**then))))
    (abandon, *_) = planned(feed_of(), NEW, unfinished=other)
    assert isinstance(abandon, Abandon)
    assert abandon.reason == f"the schema was changed before the merge: {what}"
    same = replace(staged, manifest=replace(staged.manifest, loaded_as=loaded_as(feed_of())))
    assert isinstance(planned(feed_of(), NEW, unfinished=same)[0], Merge)
    with pytest.raises(LandfeedError, match="was staged before the schema was changed"):
        compile_plan(feed_of(), facts((NEW,), unfinished=other), TASKS["merge"])


# Columns of the target that take no NULL


@pytest.mark.parametrize(
    ("name", "more", "refused"),
    [
        ("at", {"sequence_by": ("at",)}, False),
        ("at", {}, True),
        ("id", {}, False),
        ("id", {"null_keys": NullKeys.MATCH}, True),
        ("_LOADED_AT", {"audit_columns": True}, False),
        ("_loaded_at", {}, True),
    ],
)
def test_what_may_be_null_in_a_column_that_takes_none(name: str, more: dict[str, Any], refused: bool) -> None:
    feed = feed_of(**more)
    given = TableState(3, (*TARGET.columns, ("no", "bigint"), ("_loaded_at", "timestamp")), 7, not_null=(name,))
    if not refused:
        assert only(compile_plan(feed, facts((NEW,), target=given)).steps, Stage)
        return
    with pytest.raises(LandfeedError) as error:
        compile_plan(feed, facts((NEW,), target=given))
    what = "the feed has no such column" if name == "_loaded_at" else "rows of the feed may have no value for it"
    assert error.value.message == f"column {name} of shop.orders is NOT NULL, and {what}"
    assert (error.value.hint or "").endswith(f"or: ALTER TABLE shop.orders ALTER COLUMN {name} DROP NOT NULL")

"""Facts to steps, as a table: a plan is data, made from facts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from framework.batch import Batch, FileOutcome, Manifest
from framework.engine import Staged, TableState
from framework.errors import Failure, LandfeedError
from framework.feed import Feed
from framework.law.discovery import Listing
from framework.ledger import BatchEvent
from framework.names import BatchState, File, Skipped, Table
from framework.plan.compile import ALL_TASKS, Task, compile_plan
from framework.plan.observe import Facts, Unfinished
from framework.plan.tables import target_columns
from framework.steps import Abandon, AddColumns, Archive, CreateTable, Discard, Merge, Stage, Step, WidenColumns
from tests.feeds import column, made_feed

FEED = made_feed()
NOW = datetime(2026, 1, 31, tzinfo=UTC)
OLD, NEW, OTHER = (File(f"/landing/orders/{name}", name, 1, 1, 1) for name in ("old", "new", "other"))
TARGET = TableState(3, (("id", "int"), ("at", "timestamp"), ("item", "string")), 7)
TASKS = {
    "run": ALL_TASKS,
    "stage": frozenset({Task.STAGE}),
    "merge": frozenset({Task.MERGE}),
    "archive": frozenset({Task.ARCHIVE}),
}


def manifest(seq: int = 7, *files: File) -> Manifest:
    return Manifest.of(Batch("orders", seq, files or (OLD,)), NOW, [FileOutcome(file) for file in files or (OLD,)], 0)


def event(state: BatchState) -> BatchEvent:
    none = (None, None, None, None)
    return BatchEvent(NOW, "r", "b", "orders", state, "embedded", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "shop.orders", *none)


def unfinished(
    *,
    changed: bool = False,
    in_target: bool = False,
    in_ledger: bool = False,
    columns: tuple[tuple[str, str], ...] = TARGET.columns,
    held: bool = False,
    broken: str | None = None,
) -> Unfinished:
    staged = manifest()
    recorded = (event(BatchState.STAGED), *([event(BatchState.MERGED)] if in_ledger else []))
    target = (staged, 3) if in_target else None
    return Unfinished(staged, 1, columns, (OLD,) if changed else (), target, recorded, held, broken)


def facts(
    pending: tuple[File, ...] = (),
    *,
    target: TableState | None = TARGET,
    last_seq: int = 7,
    unfinished: Unfinished | None = None,
    orphan: Manifest | None = None,
    unwritable: Failure | None = None,
) -> Facts:
    return Facts(Listing(pending), target, last_seq, unfinished, orphan, unwritable)


def shown(step: Step) -> str:
    """A step in one word, with the batch that it is about."""
    match step:
        case Stage(batch=batch) | Merge(batch=batch) | Archive(batch=batch):
            files = "+".join(file.name for file in batch.files)
            return f"{type(step).__name__.lower()} {batch.seq} {files}"
        case Abandon(_, gone, _):
            return f"abandon {gone.batch.seq}"
        case Discard(table, feed, batch_id):
            assert (table, feed) == (FEED.quarantine.table, "orders")
            known = {manifest(*of).batch_id: name for name, of in {"7 old": (7, OLD), "8 new": (8, NEW)}.items()}
            known[manifest(7, NEW).batch_id] = "7 new"
            return f"discard {known[batch_id]}"
        case CreateTable(table):
            return f"create {table}"
        case AddColumns(table, columns):
            return f"add {table} {'+'.join(column.name for column in columns)}"
        case WidenColumns(table, columns):
            return f"widen {table} {'+'.join(column.name for column in columns)}"


def steps(given: Facts, tasks: str = "run", feed: Feed = FEED) -> list[str]:
    plan = compile_plan(feed, given, TASKS[tasks])
    assert plan.feed is feed
    assert all(getattr(step, "feed", feed) in (feed, feed.name) for step in plan.steps), "each step knows its feed"
    return [shown(step) for step in plan.steps]


GONE = ["abandon 7", "discard 7 old"]
NEXT = ["stage 8 new", "merge 8 new", "archive 8 new"]
FINISH = ["merge 7 old", "archive 7 old"]

TABLE = [
    # what there is                                                run, stage, merge, archive
    (facts(), [], [], [], []),
    (facts((NEW,)), NEXT, NEXT[:1], [], []),
    (facts(unfinished=unfinished()), FINISH, [], FINISH[:1], []),
    (facts((NEW,), unfinished=unfinished()), FINISH, [], FINISH[:1], []),
    (facts((NEW,), unfinished=unfinished(changed=True)), GONE + NEXT, GONE + NEXT[:1], GONE, []),
    (facts(unfinished=unfinished(changed=True)), GONE, GONE, GONE, []),
    (facts((NEW,), unfinished=unfinished(in_target=True)), FINISH[1:], FINISH[1:], [], FINISH[1:]),
    (facts((NEW,), unfinished=unfinished(held=True)), FINISH[1:], FINISH[1:], [], FINISH[1:]),
    # A merge that only the ledger knows of has been lost, and is done again.
    (facts((NEW,), unfinished=unfinished(in_ledger=True)), FINISH, [], FINISH[:1], []),
    (facts((NEW,), unfinished=unfinished(changed=True, in_ledger=True)), FINISH, [], FINISH[:1], []),
    # What staging has lost is staged again.
    (facts((NEW,), unfinished=unfinished(broken="x")), GONE + NEXT, GONE + NEXT[:1], GONE, []),
    (facts((NEW,), unfinished=unfinished(broken="x", in_ledger=True)), GONE + NEXT, GONE + NEXT[:1], GONE, []),
    (facts((NEW,), unfinished=unfinished(broken="x", in_target=True)), GONE + NEXT, GONE + NEXT[:1], GONE, []),
    # Merged counts more than changed: after the merge the files are gone sooner or later, by whomever.
    (facts((NEW,), unfinished=unfinished(changed=True, in_target=True)), FINISH[1:], FINISH[1:], [], FINISH[1:]),
    # So it does where the schema was changed since.
    (
        facts((NEW,), unfinished=unfinished(in_target=True, columns=(("id", "int"),))),
        FINISH[1:],
        FINISH[1:],
        [],
        FINISH[1:],
    ),
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("row", range(len(TABLE)))
def test_what_each_task_does(row: int, task: str) -> None:
    given, *wanted = TABLE[row]
    assert steps(given, task) == wanted[list(TASKS).index(task)]


def test_a_batch_has_the_number_after_the_last_one() -> None:
    assert steps(facts((NEW,), last_seq=0)) == ["stage 1 new", "merge 1 new", "archive 1 new"]


@pytest.mark.parametrize(
    ("pending", "wanted"),
    [
        ((NEW,), NEXT),  # the same batch once more: its rows in the quarantine are there already
        ((NEW, OTHER), NEXT),
        ((OTHER, NEW), NEXT),
        ((OTHER,), ["discard 8 new", "stage 9 other", "merge 9 other", "archive 9 other"]),
        ((replace(NEW, version=2),), ["discard 8 new", "stage 9 new", "merge 9 new", "archive 9 new"]),
        ((replace(NEW, size=2),), ["discard 8 new", "stage 9 new", "merge 9 new", "archive 9 new"]),
        ((), ["discard 8 new"]),
    ],
)
def test_a_batch_of_which_only_the_quarantine_is_there(pending: tuple[File, ...], wanted: list[str]) -> None:
    orphan = facts(pending, last_seq=8, orphan=manifest(8, NEW))
    assert steps(orphan) == wanted
    assert steps(orphan, "stage") == [step for step in wanted if step.startswith(("discard", "stage"))]
    assert steps(orphan, "merge") == steps(orphan, "archive") == []


def test_an_orphan_needs_all_its_files() -> None:
    both = facts((NEW,), last_seq=8, orphan=manifest(8, NEW, OTHER))
    (first, *_) = compile_plan(FEED, both).steps
    assert first == Discard(FEED.quarantine.table, "orders", manifest(8, NEW, OTHER).batch_id)


def test_bad_rows_of_a_batch_that_staging_has_lost_do_not_come_twice() -> None:
    doubled = manifest(7, NEW)
    again = ["abandon 7", "discard 7 new", *NEXT]
    assert steps(replace(facts((NEW, OTHER)), doubled=doubled))[:2] == again[:2]
    assert steps(replace(facts((NEW,)), doubled=doubled)) == again
    assert steps(replace(facts((OTHER,)), doubled=doubled))[0] == "stage 8 other", "the file of those rows is elsewhere"


@pytest.mark.parametrize("task", TASKS)
def test_what_is_lost_stops_every_step(task: str) -> None:
    with pytest.raises(LandfeedError) as error:
        compile_plan(FEED, replace(facts(unfinished=unfinished(in_target=True)), lost=REFUSAL), TASKS[task])
    assert error.value.failure == REFUSAL


REFUSAL = Failure("read_only", "it cannot be written", "ask its owner")


@pytest.mark.parametrize(("row", "task"), list(product(range(len(TABLE)), TASKS)))
def test_what_cannot_be_written_stops_every_step_but_the_archive(row: int, task: str) -> None:
    given, *wanted = TABLE[row]
    planned = wanted[list(TASKS).index(task)]
    refused = replace(given, unwritable=REFUSAL)
    if all(step.startswith("archive") for step in planned):
        assert steps(refused, task) == planned
        return
    with pytest.raises(LandfeedError) as error:
        compile_plan(FEED, refused, TASKS[task])
    assert error.value.failure == REFUSAL


def test_stage_and_merge_without_archive_leave_the_files_and_the_other_way_round() -> None:
    stage_merge = frozenset({Task.STAGE, Task.MERGE})
    assert [shown(step) for step in compile_plan(FEED, facts((NEW,)), stage_merge).steps] == NEXT[:2]
    merge_archive = frozenset({Task.MERGE, Task.ARCHIVE})
    assert [shown(step) for step in compile_plan(FEED, facts((NEW,)), merge_archive).steps] == []
    stage_archive = frozenset({Task.STAGE, Task.ARCHIVE})
    assert [shown(step) for step in compile_plan(FEED, facts((NEW,)), stage_archive).steps] == NEXT[:1]
    assert [shown(step) for step in compile_plan(FEED, facts(unfinished=unfinished()), merge_archive).steps] == FINISH


def test_a_target_that_is_not_there_is_made_before_it_is_merged_into_and_after_staging() -> None:
    feed = made_feed(target={"comment": "all orders"})
    assert steps(facts((NEW,), target=None)) == [NEXT[0], "create shop.orders", *NEXT[1:]]
    assert steps(facts(target=None, unfinished=unfinished()), "merge") == ["create shop.orders", "merge 7 old"]
    (create,) = (s for s in compile_plan(feed, facts((NEW,), target=None)).steps if isinstance(s, CreateTable))
    assert create == CreateTable(Table("shop.orders"), target_columns(feed), "all orders")


def with_columns(*columns: tuple[str, str]) -> TableState:
    return replace(TARGET, columns=columns)


def test_columns_that_the_target_lacks_are_added_in_the_order_of_the_schema() -> None:
    assert steps(facts((NEW,), target=with_columns(("at", "timestamp")))) == [
        NEXT[0],
        "add shop.orders id+item",
        *NEXT[1:],
    ]
    assert steps(facts((NEW,), target=with_columns(*TARGET.columns, ("extra", "date")))) == NEXT


def test_columns_are_the_same_whatever_their_case() -> None:
    theirs = with_columns(("ID", "int"), ("At", "timestamp"), ("ITEM", "string"))
    assert steps(facts((NEW,), target=theirs)) == NEXT
    ours = made_feed(column("ID", "int"), column("At", "timestamp"), column("Item"))
    assert steps(facts((NEW,)), feed=ours) == NEXT


def test_a_column_of_another_type_is_refused_before_anything_is_staged() -> None:
    theirs = with_columns(("ID", "bigint"), ("at", "timestamp"), ("item", "string"))
    with pytest.raises(LandfeedError, match=r"column id of shop\.orders is bigint and the feed says int") as error:
        compile_plan(FEED, facts((NEW,), target=theirs))
    assert error.value.code == "schema"
    with pytest.raises(LandfeedError):
        compile_plan(FEED, facts((NEW,), target=theirs), TASKS["stage"])
    with pytest.raises(LandfeedError):
        compile_plan(made_feed(column("Id", "int")), facts((NEW,), target=with_columns(("id", "bigint"))))
    assert steps(facts(target=theirs)) == [], "nothing is refused while there is nothing to do"
    assert steps(facts(target=theirs, unfinished=unfinished(in_target=True))) == FINISH[1:]


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ((("id", "int"), ("at", "timestamp")), "column item is new"),
        ((("id", "tinyint"), ("at", "timestamp"), ("item", "string")), "column id was tinyint and is int"),
        ((), "column id is new"),
    ],
)
def test_a_batch_that_was_staged_by_another_schema_is_staged_again(
    columns: tuple[tuple[str, str], ...], what: str
) -> None:
    given = facts((NEW,), unfinished=unfinished(columns=columns))
    for task in ("run", "stage"):
        assert steps(given, task) == steps(facts((NEW,), unfinished=unfinished(changed=True)), task)
    (abandon, *_) = compile_plan(FEED, given).steps
    assert abandon == Abandon(FEED, manifest(), f"the schema was changed before the merge: {what}")
    with pytest.raises(LandfeedError) as error:
        compile_plan(FEED, given, TASKS["merge"])
    batch = manifest().batch_id
    assert error.value.message == f"feed orders: batch {batch} was staged before the schema was changed: {what}"
    assert error.value.hint == "run `landfeed stage` or `landfeed run`: it stages the batch's files again"
    assert steps(given, "archive") == []


def test_columns_that_only_staging_has_do_no_harm() -> None:
    more = (("gone", "date"), *((name.upper(), type_) for name, type_ in TARGET.columns))
    assert steps(facts((NEW,), unfinished=unfinished(columns=more))) == FINISH


@pytest.mark.parametrize("target", [TARGET, None, replace(TARGET, columns=TARGET.columns[:1])])
def test_a_task_at_a_time_gives_the_same_steps(target: TableState | None) -> None:
    """… as the plan of all tasks shows."""
    given = facts((NEW,), target=target)
    shown_at_once = steps(given)
    (stage,) = steps(given, "stage")
    staged = manifest(8, NEW)
    given = given.staged(Staged(staged, 5, TARGET.columns))
    merge = steps(given, "merge")
    given = given.merged(staged, 4)
    assert shown_at_once == [stage, *merge, *steps(given, "archive")]


def test_a_new_target_has_its_columns_as_the_feed_spells_them() -> None:
    feed = made_feed(column("Id", "int"), column("orderItem", description="what was bought"), target={"keys": ("Id",)})
    (create,) = (s for s in compile_plan(feed, facts((NEW,), target=None)).steps if isinstance(s, CreateTable))
    assert [(each.name, each.comment) for each in create.columns] == [("Id", None), ("orderItem", "what was bought")]
    theirs = with_columns(("ID", "int"), ("ORDERITEM", "string"))
    assert steps(facts((NEW,), target=theirs), feed=feed) == NEXT, "a table made elsewhere has them as it spells them"
    with pytest.raises(LandfeedError, match=r"column orderItem of shop\.orders is date and the feed says string"):
        compile_plan(feed, facts((NEW,), target=with_columns(("ID", "int"), ("ORDERITEM", "date"))))


def test_what_is_so_once_a_batch_is_staged_and_merged() -> None:
    before = replace(facts((NEW,), orphan=manifest(8, NEW)), doubled=manifest(7, NEW))
    staged = before.staged(Staged(manifest(8, NEW), 5, TARGET.columns))
    wanted = Unfinished(manifest(8, NEW), 5, TARGET.columns, (), None, ())
    assert staged == replace(before, last_seq=8, unfinished=wanted, orphan=None, doubled=None)
    assert staged.merged(manifest(8), 4) == replace(staged, unfinished=replace(wanted, target=(manifest(8), 4)))


def test_audit_columns_and_columns_that_are_left_out() -> None:
    feed = made_feed(target={"audit_columns": True, "except_columns": ("at",)})
    assert [(each.name, str(each.type)) for each in target_columns(feed)] == [
        ("id", "int"),
        ("item", "string"),
        ("_source_file", "string"),
        ("_batch_id", "string"),
        ("_loaded_at", "timestamp"),
    ]
    described = made_feed(column("id", "int", description="the number on the receipt"))
    assert [each.comment for each in target_columns(described)] == ["the number on the receipt"]


def sizes(*sizes: int) -> tuple[File, ...]:
    return tuple(File(f"/landing/orders/{n}", str(n), 1, size, 1) for n, size in enumerate(sizes))


def first(feed: Feed, pending: tuple[File, ...]) -> int:
    """How many files the next batch has."""
    (stage, *_) = compile_plan(feed, facts(pending)).steps
    assert isinstance(stage, Stage)
    assert stage.batch.files == pending[: len(stage.batch.files)]
    return len(stage.batch.files)


GIB = 1 << 30


@pytest.mark.parametrize(
    ("files", "most", "bucket", "wanted"),
    [
        (sizes(1, 1, 1), None, False, 3),
        (sizes(1, 1, 1), 2, False, 2),
        (sizes(1, 1, 1), 3, False, 3),
        (sizes(99 * GIB, 99 * GIB), None, False, 2),
        (sizes(5 * GIB, 5 * GIB, 1), None, True, 2),
        (sizes(5 * GIB, 5 * GIB + 1), None, True, 1),
        (sizes(10 * GIB + 1, 1), None, True, 1),
        (sizes(1, 1, 1), 2, True, 2),
        (sizes(0, 0), None, True, 2),
    ],
)
def test_how_many_files_make_a_batch(files: tuple[File, ...], most: int | None, bucket: bool, wanted: int) -> None:
    path = "gs://bucket/landing/" if bucket else "/landing/orders/"
    assert first(made_feed(source={"path": path, "max_files_per_batch": most}), files) == wanted


def test_skipped_files_are_no_work() -> None:
    listing = Listing((), (Skipped(NEW, "it is not ready"),))
    assert compile_plan(FEED, replace(facts(), listing=listing)).steps == ()


@pytest.mark.parametrize(
    ("not_null", "more", "said"),
    [
        ("ID", {}, None),
        ("item", {}, "column item of shop.orders is NOT NULL, and rows of the feed may have no value for it"),
        ("item", {"required": True}, None),
        ("item", {"default": "x"}, None),
        ("other", {}, "column other of shop.orders is NOT NULL, and the feed has no such column"),
    ],
)
def test_a_column_of_the_target_that_takes_no_null(not_null: str, more: dict[str, Any], said: str | None) -> None:
    feed = made_feed(column("id", "int"), column("at", "timestamp"), column("item", **more))
    target = replace(TARGET, columns=(*TARGET.columns, ("other", "string")), not_null=(not_null,))
    if said is None:
        assert compile_plan(feed, facts((NEW,), target=target)).steps
        return
    with pytest.raises(LandfeedError, match=said) as raised:
        compile_plan(feed, facts((NEW,), target=target))
    assert raised.value.code == "schema"
    assert "DROP NOT NULL" in (raised.value.hint or "")

"""What a merge does to each row, evaluated over tables of a few rows."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from framework.errors import LandfeedError
from framework.feed import Archive, Column, Feed, Format, NullKeys, Quarantine, Source, Target
from framework.law.change import (
    Case,
    Change,
    Delete,
    Differs,
    Insert,
    Is,
    Kind,
    Match,
    NoPartner,
    Nothing,
    Older,
    Outcome,
    Update,
)
from framework.law.counts import Written, check_written, counted, counts_from_writes, expected_writes
from framework.law.dialects import DUCKDB
from framework.law.merging import CASE, classify, survivor_order
from framework.law.modes import change_of
from framework.law.survivors import OneRow, Pick
from framework.names import Rows, Table
from framework.types import parse_type

INSERTED, UPDATED, DELETED, UNCHANGED, STALE = Outcome
Row = tuple[object, ...]


def columns(text: str) -> tuple[Column, ...]:
    pairs = (each.split(":") for each in text.split())
    return tuple(Column(name, parse_type(type_), (name,)) for name, type_ in pairs)


def feed(schema: str, *, keys: str = "k", sequence: str = "", null_keys: NullKeys = NullKeys.QUARANTINE) -> Feed:
    target = Target(
        Table("a.t"), Table("a.s"), keys=tuple(keys.split()), null_keys=null_keys, sequence_by=tuple(sequence.split())
    )
    return Feed(
        "f", Source("/landing/", Format.CSV), columns(schema), target, Quarantine(Table("a.q")), Archive("/a/", "/r/")
    )


def outcomes(change: Change, schema: str, source: Sequence[Row], target: Sequence[Row]) -> list[Outcome]:
    """The outcome of each source row, in order of all columns."""
    with duckdb.connect() as connection:
        for name, rows in (("s", source), ("t", target)):
            listed = ", ".join(f"{each.name} {DUCKDB.type(each.type)}" for each in columns(schema))
            connection.execute(f"CREATE TABLE {name} ({listed})")
            for row in rows:
                connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
        names = [each.name for each in columns(schema)]
        query = f"SELECT * EXCLUDE ({CASE}), {CASE} FROM ({classify(change, 's', 't', names, DUCKDB)}) ORDER BY ALL"
        found = connection.execute(query)
        return [change.cases[row[-1]].outcome for row in found.fetchall()]


KV, KSV, KSSV = "k:int v:string", "k:int n:int v:string", "k:int n:int m:int v:string"


@pytest.mark.parametrize(
    ("source", "target", "outcome"),
    [
        ((1, "a"), (2, "a"), INSERTED),
        ((1, "a"), (1, "b"), UPDATED),
        ((1, "a"), (1, "a"), UNCHANGED),
        ((1, None), (1, "a"), UPDATED),
        ((1, "a"), (1, None), UPDATED),
        ((1, None), (1, None), UNCHANGED),
        ((None, "a"), (None, "a"), INSERTED),
    ],
)
def test_without_a_sequence(source: Row, target: Row, outcome: Outcome) -> None:
    assert outcomes(change_of(feed(KV)), KV, [source], [target]) == [outcome]


@pytest.mark.parametrize(
    ("source", "target", "outcome"),
    [
        ((1, 5, "a"), (1, 4, "b"), UPDATED),
        ((1, 5, "a"), (1, 5, "b"), UPDATED),
        ((1, 5, "a"), (1, 5, "a"), UNCHANGED),
        ((1, 5, "a"), (1, 4, "a"), UPDATED),
        ((1, 5, "a"), (1, 6, "b"), STALE),
        ((1, 5, "a"), (1, 6, "a"), STALE),
        ((1, 5, "a"), (1, None, "b"), UPDATED),
        ((1, None, "a"), (1, None, "b"), UPDATED),
        ((1, None, "a"), (1, 5, "b"), UPDATED),
        ((2, 1, "a"), (1, 5, "b"), INSERTED),
    ],
)
def test_by_one_sequence_column(source: Row, target: Row, outcome: Outcome) -> None:
    assert outcomes(change_of(feed(KSV, sequence="n")), KSV, [source], [target]) == [outcome]


@pytest.mark.parametrize(
    ("source", "target", "outcome"),
    [
        ((1, 5, 1, "a"), (1, 5, 2, "b"), STALE),
        ((1, 5, 2, "a"), (1, 5, 2, "b"), UPDATED),
        ((1, 5, 3, "a"), (1, 5, 2, "b"), UPDATED),
        ((1, 4, 9, "a"), (1, 5, 2, "b"), STALE),
        ((1, 6, 0, "a"), (1, 5, 2, "b"), UPDATED),
        ((1, 5, 1, "a"), (1, None, 2, "b"), UPDATED),
        ((1, 5, 1, "a"), (1, 5, None, "b"), UPDATED),
    ],
)
def test_by_two_sequence_columns(source: Row, target: Row, outcome: Outcome) -> None:
    assert outcomes(change_of(feed(KSSV, sequence="n m")), KSSV, [source], [target]) == [outcome]


def test_null_keys_may_match() -> None:
    schema = "a:int b:int v:string"
    source, target = [(1, None, "x"), (None, None, "y"), (1, 2, "z")], [(1, None, "x"), (None, None, "o")]
    match = change_of(feed(schema, keys="a b", null_keys=NullKeys.MATCH))
    assert outcomes(match, schema, source, target) == [INSERTED, UNCHANGED, UPDATED]
    assert outcomes(change_of(feed(schema, keys="a b")), schema, source, target) == [INSERTED] * 3


def test_nothing_but_keys() -> None:
    change = change_of(feed("k:int", keys="k"))
    assert outcomes(change, "k:int", [(1,), (2,)], [(1,)]) == [UNCHANGED, INSERTED]


DELETES = Change(
    Match(("k",)),
    OneRow(("k",), ("n",)),
    (
        Case((NoPartner(), Is(Kind.DELETE)), UNCHANGED, Nothing()),
        Case((NoPartner(),), INSERTED, Insert(("k", "n", "v"))),
        Case((Older(("n",)),), STALE, Nothing()),
        Case((Is(Kind.DELETE),), DELETED, Delete()),
        Case((Differs(columns("v:string")),), UPDATED, Update(("n", "v"))),
        Case((), UNCHANGED, Nothing()),
    ),
)
"""A change of every kind."""


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ((2, 5, "a", "delete"), UNCHANGED),
        ((2, 5, "a", "upsert"), INSERTED),
        ((2, 5, "a", None), INSERTED),
        ((1, 3, "a", "delete"), STALE),
        ((1, 5, "a", "delete"), DELETED),
        ((1, 5, "a", None), UPDATED),
        ((1, 5, "o", "upsert"), UNCHANGED),
    ],
)
def test_flagged_rows(source: Row, outcome: Outcome) -> None:
    assert outcomes(DELETES, "k:int n:int v:string _change:string", [source], [(1, 4, "o", None)]) == [outcome]


def test_figures_are_counts_by_outcome() -> None:
    counts = {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6}
    rows = counted(DELETES, counts, Rows(read=21, staged=21))
    assert (rows.inserted, rows.updated, rows.deleted, rows.unchanged, rows.stale) == (2, 5, 4, 7, 3)
    assert expected_writes(DELETES, counts) == Written(2, 5, 4)
    check_written(DELETES, counts, Written(2, 5, 4), "a.t")


@pytest.mark.parametrize("written", [Written(1, 5, 4), Written(2, 6, 4), Written(2, 5, 3)])
def test_a_writer_that_wrote_something_else(written: Written) -> None:
    with pytest.raises(LandfeedError, match="2, 5 and 4 were to be") as raised:
        check_written(DELETES, {1: 2, 4: 5, 3: 4}, written, "a.t")
    assert raised.value.code == "conservation"


def test_a_row_without_a_case_or_with_two() -> None:
    for staged in (1, 3):
        with pytest.raises(LandfeedError) as raised:
            counted(DELETES, {1: 2}, Rows(staged=staged))
        assert raised.value.code == "conservation"


def test_what_was_written_tells_the_cases_or_not() -> None:
    plain, sequenced = change_of(feed(KV)), change_of(feed(KSV, sequence="n"))
    assert counts_from_writes(plain, Written(2, 3), 9) == {0: 2, 1: 3, 2: 4}
    assert counts_from_writes(sequenced, Written(2, 3), 9) is None
    assert counts_from_writes(sequenced, Written(2, 3), 5) == {0: 2, 2: 3, 1: 0}
    assert counts_from_writes(plain, Written(2, 3), 4) is None


def test_what_an_empty_target_makes_of_a_batch() -> None:
    assert change_of(feed(KV)).into_nothing == 0
    assert DELETES.into_nothing is None


@pytest.mark.parametrize(
    "cases",
    [
        (),
        (Case((), INSERTED, Nothing()),),
        (Case((NoPartner(),), INSERTED, Insert(("k",))),),
        (Case((NoPartner(), Is(Kind.DELETE)), INSERTED, Insert(("k",))), Case((), UNCHANGED, Nothing())),
        (Case((), UNCHANGED, Nothing()), Case((NoPartner(),), INSERTED, Insert(("k",)))),
    ],
)
def test_cases_that_leave_rows_out_make_no_change(cases: tuple[Case, ...]) -> None:
    with pytest.raises(ValueError, match="last"):
        Change(Match(("k",)), OneRow(("k",)), cases)


@pytest.mark.parametrize(
    ("survivor", "kept"),
    [
        (OneRow(("k",), ("n",)), "d"),
        (OneRow(("k",)), "e"),
        (OneRow(("k",), ("n",), Pick.FIRST), "b"),
        (OneRow(("k",), (), Pick.FIRST), "a"),
    ],
)
def test_one_row_a_key_survives(survivor: OneRow, kept: str) -> None:
    rows = "(NULL, 0, 'a'), (1, 1, 'b'), (2, 2, 'c'), (2, 3, 'd'), (1, 4, 'e')"
    query = (
        f"SELECT v FROM (VALUES {rows}) x(n, place, v) ORDER BY {survivor_order(survivor, ('place',), DUCKDB)} LIMIT 1"
    )
    assert duckdb.execute(query).fetchall() == [(kept,)]


@pytest.mark.parametrize(
    ("pick", "kept"),
    [(Pick.LAST, "(2,1)"), (Pick.FIRST, "(1,1)")],
)
def test_one_row_a_key_survives_by_all_columns_of_the_sequence(pick: Pick, kept: str) -> None:
    """The first column counts most; the place in the files only among rows that are equal in all of them."""
    rows = "(2, 1, 0, '(2,1)'), (1, 9, 1, '(1,9)'), (2, 0, 2, '(2,0)'), (1, 1, 3, '(1,1)'), (2, NULL, 4, '(2,-)')"
    order = survivor_order(OneRow(("k",), ("a", "b"), pick), ("place",), DUCKDB)
    query = f"SELECT v FROM (VALUES {rows}) x(a, b, place, v) ORDER BY {order} LIMIT 1"
    assert duckdb.execute(query).fetchall() == [(kept,)]

"""The SQL of values and merges as it is, in every dialect. A change here is a change of every feed's queries: look
at it.

Write the files anew with `python -m tests.law.test_golden_sql`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from framework.feed import Column
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
from framework.law.dialects import DATAFUSION, DUCKDB, SPARK, Dialect, Words
from framework.law.merging import classify, clauses, merge_statement, partners
from framework.law.survivors import OneRow
from framework.law.values import typed
from framework.types import TYPE_NAMES, parse_type

FOLDER = Path(__file__).parent / "golden"
DIALECTS: dict[str, Dialect] = {"duckdb": DUCKDB, "spark": SPARK}
ZONES = ("UTC", "Europe/Rome")
FORMATS = (("dd.MM.yyyy HH:mm", "d/M/yy hh:mm a"), ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX",), ("dd MMM yyyy HH:mm:ss Z",))
DECIMALS = ("decimal(12,2)", "decimal(5,5)", "decimal(10,0)")
NESTED = ("array<int>", "struct<a:int,b:map<string,date>>")


def text(name: str) -> str:
    dialect = DIALECTS[name]
    nested = NESTED if dialect.reads_json else ()
    plain = [(type_, (), "UTC") for type_ in (*TYPE_NAMES, *DECIMALS, *nested)]
    moments = product(("date", "timestamp"), FORMATS, ZONES)
    parts = []
    for type_, formats, zone in (*plain, ("timestamp", (), "Europe/Rome"), *moments):
        sql = typed("x", parse_type(type_), formats=formats, zone=zone, dialect=dialect)
        parts.append(f"-- {' or '.join((type_, *formats))} in {zone}\n{sql}\n")
    return "\n".join(parts)


def _change(*, nulls_match: bool, deletes: bool) -> Change:
    written, compared = ("k`1", "k2", "n", "m", "v"), (Column("v", parse_type("map<string,int>"), ("v",)),)
    gone = (Case((NoPartner(), Is(Kind.DELETE)), Outcome.UNCHANGED, Nothing()),) if deletes else ()
    delete = (Case((Is(Kind.DELETE),), Outcome.DELETED, Delete()),) if deletes else ()
    cases = (
        *gone,
        Case((NoPartner(),), Outcome.INSERTED, Insert(written)),
        Case((Older(("n", "m")),), Outcome.STALE, Nothing()),
        *delete,
        Case((Differs(compared),), Outcome.UPDATED, Update(written)),
        Case((), Outcome.UNCHANGED, Nothing()),
    )
    return Change(Match(("k`1", "k2"), nulls_match), OneRow(("k`1", "k2"), ("n", "m")), cases)


MERGING: dict[str, Words] = {"duckdb": DUCKDB, "spark": SPARK, "datafusion": DATAFUSION}


def merging_text(name: str) -> str:
    words, parts = MERGING[name], []
    for deletes in (False, True):
        change = _change(nulls_match=deletes, deletes=deletes)
        parts.append(f"-- partners, with {deletes=}\n{partners(change.match or Match(()), words)}\n")
        parts.append(f"-- cases\n{classify(change, 's', 't', change.columns, words)}\n")
        for classified in (False, True):
            found = clauses(change, words, classified=classified)
            listed = "\n".join(f"{type(each.write).__name__}: {each.condition}" for each in found)
            parts.append(f"-- clauses, {classified=}\n{listed}\n")
            merge = merge_statement(change, "target", "SELECT 1", "the_batch", words, classified=classified)
            parts.append(f"-- merge, {classified=}\n{merge}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("name", MERGING)
def test_merges_as_sql(name: str) -> None:
    assert merging_text(name) == (FOLDER / f"merging_{name}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DIALECTS)
def test_values_as_sql(name: str) -> None:
    assert text(name) == (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def test_a_nested_value_has_no_sql_in_spark() -> None:
    with pytest.raises(ValueError, match="array<int> has no SQL here"):
        typed("x", parse_type("array<int>"), dialect=SPARK)


@pytest.mark.parametrize("name", ["odd`name", 'odd"name', "a b", "it's", "Größe"])
def test_names_are_quoted_with_their_marks_doubled(name: str) -> None:
    assert DUCKDB.name(name) == '"' + name.replace('"', '""') + '"'
    assert SPARK.name(name) == "`" + name.replace("`", "``") + "`"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DIALECTS:
        (FOLDER / f"{each}.sql").write_text(text(each), encoding="utf-8")
    for each in MERGING:
        (FOLDER / f"merging_{each}.sql").write_text(merging_text(each), encoding="utf-8")

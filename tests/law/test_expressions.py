"""Expressions: one deterministic scalar of Spark SQL over the feed's columns, or a mistake at its character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.law.expressions import mistakes
from framework.types import DataType, parse_type

COLUMNS: dict[str, DataType | None] = {
    "a": parse_type("int"), "b": parse_type("int"), "b c": parse_type("string"), "m": parse_type("map<string,int>"),
    "address": parse_type("struct<street:string,current_date:string>"), "t": parse_type("string"),
    "_source_file": parse_type("string"), "_loaded_at": parse_type("timestamp"),
}  # fmt: skip
BOOLEAN = parse_type("boolean")


@pytest.mark.parametrize(
    "text",
    [
        "a > 1 and `b c` = 'x'",
        "T <> 'TEST'",
        "address.street = 'x' or m['k'] is null",
        "sha2(lower(t), 256) = ''",
        "case when a in (1, 2) then 'x' else concat(a, '-- no comment; /* none */') end = t",
        "date '2020-01-01' > cast(t as date)",
        "_source_file like '%x%' and _loaded_at > timestamp '2020-01-01'",
        "address.current_date = 'now()'",
        "unix_timestamp(timestamp '2020-01-01') > a",
    ],
)
def test_one_scalar(text: str) -> None:
    assert list(mistakes(text, COLUMNS, BOOLEAN)) == []


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("a = bb", 5, "no column 'bb'"),
        ("transform(a, x -> x + b)", 17, "has no place"),
        ("a + 1", 3, "it gives an int where a boolean is needed"),
        ("t > 5", 5, "a string and an int do not meet"),
        ("uper(t) = 'X'", 1, "there is no function uper"),
        ("zz.street = 'x'", 1, "no column 'zz'"),
        ("a = 1; drop table t", 6, "semicolon"),
        ("select 1", None, "a query"),
        ("from t select a", None, "a query"),
        ("drop table t", None, "a statement"),
        ("set x = 1", None, "a statement"),
        ("call p()", None, "a statement"),
        ("a, b", 2, "not valid SQL"),
        ("(a, b)", None, "a list of values"),
        ("a as b", None, "a value with a name"),
        ("*", None, "all columns"),
        ("a in (select b from t)", None, "subquery"),
        ("exists (select 1)", None, "subquery"),
        ("a > 1 -- or true", None, "comment"),
        ("a /* hidden */ > 1", None, "comment"),
        ("-- all of it", None, "no expression"),
        ("", None, "no expression"),
        ("a = 'open", None, "not closed"),
        ("a >", 3, "not valid SQL"),
        ("(a", 2, "not valid SQL"),
        ("a > rand()", 5, "another value at each run"),
        ("a > current_date", 5, "another value at each run"),
        ("a > NOW()", 5, "another value at each run"),
        ("unix_timestamp() > a", 1, "another value at each run"),
        ("reflect('java.lang.System', 'exit')", 1, "runs code"),
        ("sum(a) over (partition by b)", None, "window"),
        ("count(*) > 0", None, "aggregate"),
        ("explode(a)", None, "several rows"),
        (":p = 1", None, "parameter"),
    ],
)
def test_what_is_refused(text: str, at: int | None, words: str) -> None:
    found = list(mistakes(text, COLUMNS, BOOLEAN))
    assert any(words in mistake.message and mistake.at == at for mistake in found), found


def test_a_check_of_a_batch_needs_an_aggregate() -> None:
    assert list(mistakes("count(*) > 0 and max(a) < 5", COLUMNS, BOOLEAN, aggregates=True)) == []
    (found,) = mistakes("a > 0", COLUMNS, BOOLEAN, aggregates=True)
    assert found.message == "scope: batch needs an aggregate"


@pytest.mark.parametrize(
    ("text", "words"),
    [("count(*) > a", "'a' is of one row"), ("max(count(*)) > 0", "an aggregate of an aggregate")],
)
def test_a_check_of_a_batch_looks_at_all_rows(text: str, words: str) -> None:
    (found,) = mistakes(text, COLUMNS, BOOLEAN, aggregates=True)
    assert words in found.message


PIECES = re.findall(r"\S+", "a b zz ( ) , ; ' \" ` -- /* */ select from = and not in 1 rand() -> : ? @ $ . * case end")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_text_ends_in_mistakes_or_none(pieces: list[str]) -> None:
    list(mistakes(" ".join(pieces), COLUMNS, BOOLEAN))

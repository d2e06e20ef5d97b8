"""Expressions: one deterministic scalar of Spark SQL over the feed's columns, or a mistake at its character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.law.expressions import mistakes

COLUMNS = {name: name for name in ("a", "b", "b c", "m", "address")}


@pytest.mark.parametrize(
    "text",
    [
        "a > 1 and `b c` = 'x'",
        "A <> 'TEST'",
        "address.street = 'x' or m['k'] is null",
        "sha2(lower(a), 256)",
        "transform(a, x -> x + b)",
        "case when a in (1, 2) then 'x' else concat(a, '-- no comment; /* none */') end",
        "date '2020-01-01' > cast(a as date)",
        "address.current_date = 'now()'",
        "unix_timestamp(a) > 0",
    ],
)
def test_one_scalar(text: str) -> None:
    assert list(mistakes(text, COLUMNS)) == []


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("a = bb", 5, "no column 'bb'"),
        ("transform(a, x -> x + zz)", 23, "no column 'zz'"),
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
    found = list(mistakes(text, COLUMNS))
    assert any(words in mistake.message and mistake.at == at for mistake in found), found


def test_a_check_of_a_batch_needs_an_aggregate() -> None:
    assert list(mistakes("count(*) > 0 and max(a) < 5", COLUMNS, aggregates=True)) == []
    assert [m.message for m in mistakes("a > 0", COLUMNS, aggregates=True)] == ["scope: batch needs an aggregate"]


PIECES = re.findall(r"\S+", "a b zz ( ) , ; ' \" ` -- /* */ select from = and not in 1 rand() -> : ? @ $ . * case end")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_text_ends_in_mistakes_or_none(pieces: list[str]) -> None:
    list(mistakes(" ".join(pieces), COLUMNS))

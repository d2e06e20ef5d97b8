"""Functions: every example on DuckDB, the kinds of mistakes, and what is looked at when."""

from __future__ import annotations

import re

import duckdb
import pytest

from framework.law.dialects import DUCKDB, SPARK, Dialect
from framework.law.functions import GROUPS, Refused, meaning, said, taken_as
from framework.types import parse_type
from tests.law import random_expressions
from tests.law.oracle import AGGREGATES, ONE_ROW, ROWS, SEVERAL_ROWS, ZONED, builder, items, outcomes, recipe_items

COLUMNS = {
    name: parse_type(type_)
    for name, type_ in {
        "id": "bigint",
        "small": "int",
        "name": "string",
        "day": "date",
        "at": "timestamp",
        "plain": "timestamp_ntz",
        "amount": "decimal(12,2)",
        "ratio": "double",
        "good": "boolean",
        "wide": "decimal(38,10)",
    }.items()
}


@pytest.mark.parametrize(("examples", "source"), [(ROWS, ONE_ROW["duckdb"]), (AGGREGATES, SEVERAL_ROWS)])
def test_every_example(examples: list[tuple[str, str, str]], source: str) -> None:
    selected = ", ".join(items([text for _, text, _ in examples], DUCKDB))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        row = connection.execute(f"SELECT {selected} FROM {source}").fetchone() or ()
    assert [(*example, got) for example, got in zip(examples, outcomes(row), strict=True) if example[2] != got] == []


def is_closed(sql: str) -> bool:
    """Whether SQL means the same beside any operator: a name, a call, what stands in parentheses or in CASE … END."""
    before, text = "", re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`", "x", sql)
    while text != before:
        before, text = text, re.sub(r"\([^()\[\]]*\)|\[[^()\[\]]*\]", "x", text)
        text = re.sub(r"\bCASE\b(?:(?!\bCASE\b|\bEND\b)[^()])*\bEND\b", "x", text)
    return re.fullmatch(r"(?:TIMESTAMP(?:TZ)? )?[\w.]+", text) is not None


@pytest.mark.parametrize("dialect", [DUCKDB, SPARK], ids=lambda dialect: dialect.sqlglot)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome"])
def test_what_a_function_becomes_stands_beside_any_operator(dialect: Dialect, zone: str) -> None:
    names = {name: f"v{at}" for at, name in enumerate(random_expressions.COLUMNS)}
    texts = random_expressions.expressions(1, 300)
    found = [(text, said(meaning(text, random_expressions.COLUMNS), names, dialect, zone).value) for text in texts]
    assert [(text, sql) for text, sql in found if not is_closed(sql)] == []


@pytest.mark.parametrize(("zone", "text", "expected"), ZONED)
def test_days_in_a_zone(zone: str, text: str, expected: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        row = connection.execute(f"SELECT {', '.join(items([text], DUCKDB, zone))}").fetchone() or ()
    assert outcomes(row) == [expected]


def test_every_recipe() -> None:
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {', '.join(recipe_items(DUCKDB))}").fetchone() or ()
    assert outcomes(row) == [value for *_, value in builder().RECIPES]


def test_the_page_is_up_to_date() -> None:
    page = builder()
    with open(page.FILE, encoding="utf-8") as stream:
        assert stream.read() == page.page(), "python docs/build_expressions.py"


def test_every_function_has_examples() -> None:
    assert [each.name for functions in GROUPS.values() for each in functions if not each.examples] == []


def test_there_are_enough() -> None:
    assert sum(map(len, GROUPS.values())) >= 120


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("lenght(name)", 1, "there is no function lenght"),
        ("name = 5", 8, "a string and an int do not meet"),
        ("id = '5'", 6, "a bigint and a string do not meet"),
        ("good = 1", 8, "a boolean and an int do not meet"),
        ("at = plain", 6, "a timestamp and a timestamp_ntz do not meet"),
        ("day < '2026-02-30'", 7, "is no date"),
        ("name and good", 1, "a string stands where true or false is needed"),
        ("nam = 'x'", 1, "there is no column 'nam'"),
        ("name = 'x", 8, "has no place"),
        ("(name = 'x'", 12, "')' is missing"),
        ("id id", 4, "'id' has no place"),
        ("case when good then 1 else 'x' end", 28, "do not meet"),
        ("wide * wide", 1, "38 digits at most"),
        ("name like day", 11, "a date stands where a text is needed"),
        ("name like id::string", 13, "must be a literal"),
        ("coalesce()", 1, "it takes 1 or more arguments"),
        ("abs(1, 2)", 1, "it takes 1 argument, not 2"),
        ("cast(id as date)", 12, "a bigint is not turned into a date"),
        ("cast(ratio as string)", 15, "a double is not turned into a string"),
        ("cast(id as dat)", 12, "there is no type 'dat'"),
        ("name rlike '\\d'", 12, "reads '\\d' in a text as 'd'"),
        (" or ".join(["good"] * 100), None, "nested more than 40 deep"),
        (f"{'(' * 120}1{')' * 120}", None, "nested more than 40 deep"),
    ],
)
def test_what_is_refused(text: str, at: int | None, words: str) -> None:
    with pytest.raises(Refused) as refused:
        meaning(text, COLUMNS)
    assert words in refused.value.message
    assert refused.value.at == at


def test_a_function_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(Refused) as refused:
        meaning("colesce(name, 'x')", COLUMNS)
    assert refused.value.hint == "did you mean coalesce?"


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("small + 1", "int"),
        ("id + 1", "bigint"),
        ("amount + 1", "decimal(13,2)"),
        ("amount * 2", "decimal(14,2)"),
        ("amount / 100", "decimal(16,6)"),
        ("small / 2", "double"),
        ("amount + ratio", "double"),
        ("case when good then small else id end", "bigint"),
        ("coalesce(day, at)", "timestamp"),
        ("1.50", "decimal(3,2)"),
        ("3000000000", "bigint"),
        ("if(good, null, 'x')", "string"),
    ],
)
def test_types(text: str, type_: str) -> None:
    assert str(meaning(text, COLUMNS).type) == type_


@pytest.mark.parametrize(
    ("text", "type_"),
    [("round(amount / 1.22, 2)", "decimal(12,2)"), ("small", "bigint"), ("id", "decimal(12,2)"), ("day", "timestamp")],
)
def test_what_a_column_takes(text: str, type_: str) -> None:
    assert str(taken_as(meaning(text, COLUMNS), parse_type(type_)).type) == type_


@pytest.mark.parametrize(
    ("text", "type_"),
    [("amount / 3", "decimal(12,2)"), ("id", "int"), ("ratio", "float"), ("small", "string")],
)
def test_what_a_column_does_not_take(text: str, type_: str) -> None:
    with pytest.raises(Refused, match="it gives"):
        taken_as(meaning(text, COLUMNS), parse_type(type_))


def test_a_value_without_errors_needs_no_condition() -> None:
    names = {name: name for name in COLUMNS}
    assert said(meaning("name <> 'TEST' and id in (1, 2)", COLUMNS), names, DUCKDB).failed is None

"""Functions on Spark: every example, and random expressions as on DuckDB."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest

from framework.law.dialects import DUCKDB, SPARK
from tests.law.oracle import AGGREGATES, ONE_ROW, ROWS, SEVERAL_ROWS, ZONED, builder, outcomes, recipe_items
from tests.law.oracle import items as examples_as_items
from tests.law.random_expressions import ROWS as EDGES
from tests.law.random_expressions import expressions, items, plain, values_sql

pytestmark = pytest.mark.spark


@pytest.mark.parametrize(("examples", "source"), [(ROWS, ONE_ROW["spark"]), (AGGREGATES, SEVERAL_ROWS)])
def test_every_example(spark: Any, examples: list[tuple[str, str, str]], source: str) -> None:
    selected = examples_as_items([text for _, text, _ in examples], SPARK)
    row = spark.sql(f"SELECT {', '.join(selected)} FROM {source}").collect()[0]
    assert [(*example, got) for example, got in zip(examples, outcomes(row), strict=True) if example[2] != got] == []


def test_every_recipe(spark: Any) -> None:
    row = spark.sql(f"SELECT {', '.join(recipe_items(SPARK))}").collect()[0]
    assert outcomes(row) == [value for *_, value in builder().RECIPES]


def test_days_in_a_zone(spark: Any) -> None:
    selected = [item for zone, text, _ in ZONED for item in examples_as_items([text], SPARK, zone)]
    row = spark.sql(f"SELECT {', '.join(f'{item} AS c{index}' for index, item in enumerate(selected))}").collect()[0]
    assert outcomes(row) == [expected for *_, expected in ZONED]


def by_duckdb(texts: list[str], zone: str) -> list[list[str]]:
    selected = ", ".join(items(texts, DUCKDB, zone))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE t AS {values_sql(DUCKDB)}")
        return [outcome(row) for row in connection.execute(f"SELECT {selected} FROM t ORDER BY number").fetchall()]


def by_spark(spark: Any, texts: list[str], zone: str) -> list[list[str]]:
    selected = [f"{item} AS c{index}" for index, item in enumerate(items(texts, SPARK, zone))]
    frame = spark.sql(values_sql(SPARK)).orderBy("number").selectExpr(*selected)
    return [outcome(tuple(row)) for row in frame.collect()]


def outcome(row: tuple[Any, ...]) -> list[str]:
    return ["error" if failed else plain(value) for value, failed in zip(row[::2], row[1::2], strict=True)]


def differences(spark: Any, texts: list[str], zone: str) -> list[tuple[Any, ...]]:
    found = zip(by_duckdb(texts, zone), by_spark(spark, texts, zone), strict=True)
    return [
        (text, EDGES[number], one, other)
        for number, (left, right) in enumerate(found)
        for text, one, other in zip(texts, left, right, strict=True)
        if one != other
    ]


def test_random_expressions(spark: Any) -> None:
    """Sixty expressions over rows at the edges of all types: equal values, equal errors."""
    assert differences(spark, expressions(20, 60), "Europe/Rome") == []


@pytest.mark.torture
def test_many_random_expressions(spark: Any) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    for start in range(10):
        texts = expressions(seed + start, 50)
        assert differences(spark, texts, ["UTC", "America/New_York"][start % 2]) == [], seed + start

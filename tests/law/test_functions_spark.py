"""Functions: every example on Spark."""

from __future__ import annotations

from typing import Any

import pytest

from framework.law.dialects import SPARK
from tests.law.oracle import AGGREGATES, ONE_ROW, ROWS, SEVERAL_ROWS, items, outcomes

pytestmark = pytest.mark.spark


@pytest.mark.parametrize(("examples", "source"), [(ROWS, ONE_ROW["spark"]), (AGGREGATES, SEVERAL_ROWS)])
def test_every_example(spark: Any, examples: list[tuple[str, str, str]], source: str) -> None:
    selected = items([text for _, text, _ in examples], SPARK)
    row = spark.sql(f"SELECT {', '.join(selected)} FROM {source}").collect()[0]
    assert [(*example, got) for example, got in zip(examples, outcomes(row), strict=True) if example[2] != got] == []

"""Functions: every example on Spark."""

from __future__ import annotations

from typing import Any

import pytest

from framework.law.dialects import SPARK
from tests.law.oracle import ROWS, items, written

pytestmark = pytest.mark.spark


def test_every_example(spark: Any) -> None:
    selected = items([text for _, text, _ in ROWS], SPARK)
    row = spark.range(1).selectExpr(*(f"{item} AS c{index}" for index, item in enumerate(selected))).collect()[0]
    found = ["error" if failed else written(value) for value, failed in zip(row[::2], row[1::2], strict=True)]
    wrong = [(*row, got) for row, got in zip(ROWS, found, strict=True) if row[2] != got]
    assert wrong == []

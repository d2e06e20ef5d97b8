"""The one Spark session of the tests, set for small data on two cores."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest


def required(what: str) -> bool:
    """Whether LANDFEED_REQUIRE (a comma list) says that tests of this must not be skipped."""
    return what in os.environ.get("LANDFEED_REQUIRE", "").split(",")


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A local session; tests are skipped without Java or pyspark unless LANDFEED_REQUIRE names spark."""
    needed = {"Java": shutil.which("java"), "pyspark": importlib.util.find_spec("pyspark")}
    missing = [name for name, found in needed.items() if found is None]
    if missing and not required("spark"):
        pytest.skip(f"there is no {' and no '.join(missing)}")
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory() as warehouse:
        settings: dict[str, bool | float | int | str | None] = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": warehouse,
            "spark.shuffle.compress": "false",
            "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -Xshare:auto",
        }
        session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()

"""The one Spark session of the tests, as the Spark engine starts it."""

from __future__ import annotations

import importlib.util
import os
import shutil
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
    from framework.engines.spark.session import open_session

    os.environ["SPARK_SUBMIT_OPTS"] = "-XX:TieredStopAtLevel=1"  # small tables never earn what C2 costs
    session = open_session()
    yield session
    session.stop()

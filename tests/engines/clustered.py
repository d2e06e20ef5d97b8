"""A load in a process of its own, on a Spark session whose executors have nothing of Landfeed but what is shipped.

    python -m tests.engines.clustered MASTER MEMORY CONFIG FROM

MASTER is that of a session of Spark, or the address of a Spark Connect server, FROM the bytes from which executors
read. Prints how many executors could import the package before, and what `landfeed run` prints.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from click.testing import CliRunner

ALONE = """\
import os, sys
sys.path[:] = [each for each in sys.path if not os.path.isdir(os.path.join(each, "framework"))]
said = lambda each: f"{each} {getattr(each, '__module__', '')}".lower()
sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in said(each)]
"""
"""The `sitecustomize` of an interpreter that has what is installed here without Landfeed."""


def interpreter(folder: str) -> str:
    """The path of such an interpreter, made in a folder."""
    with open(os.path.join(folder, "sitecustomize.py"), "w", encoding="utf-8") as customized:
        customized.write(ALONE)
    path = os.path.join(folder, "python")
    with open(path, "w", encoding="utf-8") as script:
        script.write(f'#!/bin/sh\nPYTHONPATH="{folder}:$PYTHONPATH" exec {sys.executable} "$@"\n')
    os.chmod(path, 0o700)
    return path


def session(master: str, memory: str) -> Any:
    if master.startswith("sc://"):
        from pyspark.sql.connect.session import SparkSession as Remote

        return Remote.builder.remote(master).getOrCreate()
    from delta import configure_spark_with_delta_pip
    from pyspark.sql import SparkSession

    from framework.engines.spark.session import local_settings

    settings = local_settings() | {"spark.driver.memory": memory, "spark.executor.cores": "1"}
    builder = configure_spark_with_delta_pip(SparkSession.builder.master(master).config(map=settings))
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    return made


def imported(spark: Any) -> int:
    """How many of four tasks can import the package."""

    def probe(batches: Iterable[Any]) -> Iterator[Any]:
        import importlib.util

        import pyarrow

        for batch in batches:
            there = importlib.util.find_spec("framework") is not None
            yield pyarrow.record_batch([[there] * batch.num_rows], names=["there"])

    rows = spark.range(0, 4, 1, 4).mapInArrow(probe, "there boolean").collect()
    return sum(row["there"] for row in rows)


def main(master: str, memory: str, config: str, start: str) -> None:
    """See above."""
    from framework.cli import landfeed
    from framework.engines.spark import away

    away.AWAY_FROM = int(start)
    there = imported(session(master, memory))
    result = CliRunner().invoke(landfeed, ["--config", config, "--output", "json", "run"])
    said = {"there": there, "run": json.loads(result.stdout), "said": result.stderr}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

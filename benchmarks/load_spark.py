"""Landfeed on Spark against a hand-written PySpark script that does the same load; prints ratios of one run.

    python -m benchmarks.load_spark [--rows 1000000] [--repeat 3] [--feeds 20]

The loads are those of `benchmarks.load`. The script reads the CSV file with a schema, overwrites staging, keeps
the newest row of each key, merges it and moves the file. Both sides start the same local session, so that the
ratio tells what Landfeed adds and not how Spark was configured. Each side is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile

from benchmarks.load import FEED, REPOSITORY, day_files, generate, timed

PLAIN = """
import os, sys
from framework.engines.spark.session import open_session
from framework.environment import EngineName, Environment
spark = open_session(Environment("plain", EngineName.SPARK, "/", root="/"), os.environ)
schema = "user_id BIGINT, event STRING, amount DECIMAL(12,2), ts TIMESTAMP, country STRING, note STRING"

def load(source, root, archive):
    staging, target = f"delta.`{root}/staging`", f"delta.`{root}/target`"
    rows = spark.read.csv(source, header=True, schema=schema)
    rows.write.format("delta").mode("overwrite").save(f"{root}/staging")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {target} ({schema}) USING delta")
    spark.sql(f"MERGE INTO {target} t USING (SELECT * EXCEPT (n) FROM (SELECT *, "
        f"row_number() OVER (PARTITION BY user_id ORDER BY ts DESC) AS n FROM {staging}) WHERE n = 1) s "
        "ON t.user_id = s.user_id WHEN MATCHED AND s.ts >= t.ts THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    os.makedirs(archive, exist_ok=True)
    os.rename(source, archive + "/" + os.path.basename(source))

for line in open(sys.argv[1]):
    load(*line.split())
"""
ENVIRONMENT = """\
engine: spark
variables: {landing: ./data/source, archive: ./data/archive}
tables: {root: ./data/warehouse}
"""


class Sides:
    """The two sides in folders of their own, loading the same files."""

    def __init__(self, folder: str, names: list[str]) -> None:
        self.folder, self.names = folder, names
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(f"{folder}/pipelines_config/environments")
        os.makedirs(f"{folder}/pipelines_config/feeds")
        with open(f"{folder}/pipelines_config/environments/local.yml", "w", encoding="utf-8") as environment:
            environment.write(ENVIRONMENT)
        for name in names:
            os.makedirs(f"{folder}/data/source/{name}")
            text = FEED.replace("feed: load", f"feed: {name}").replace("}/load/", f"}}/{name}/")
            with open(f"{folder}/pipelines_config/feeds/{name}.yml", "w", encoding="utf-8") as feed:
                feed.write(text.replace("bench.load", f"bench.{name}"))

    def load(self, source: str) -> tuple[float, float]:
        """Seconds of the script and of Landfeed for one file for each feed."""
        base = os.path.basename(source)
        with open(f"{self.folder}/loads", "w", encoding="utf-8") as loads:
            for name in self.names:
                copy = shutil.copy(source, f"{self.folder}/{name}-{base}")
                shutil.copy(source, f"{self.folder}/data/source/{name}/{base}")
                print(copy, f"{self.folder}/plain/{name}", f"{self.folder}/plain-archive/{name}", file=loads)
        plain = timed([sys.executable, "-c", PLAIN, f"{self.folder}/loads"])[0]
        runner = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{self.folder}/pipelines_config", "run"]
        return plain, timed(runner)[0]


def show(what: str, pairs: list[tuple[float, float]]) -> None:
    plain, ours = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    ratios = sorted(ours / plain for plain, ours in pairs)
    spread = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(
        f"{what}: script {plain:6.2f} s, landfeed {ours:6.2f} s, ratio {statistics.median(ratios):.2f} ({spread})",
        flush=True,
    )


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--feeds", type=int, default=20)
    options = arguments.parse_args()
    os.environ["PYTHONPATH"] = REPOSITORY
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        sources = day_files(folder, options.rows) if options.rows else []
        runs = []
        for _ in range(options.repeat if sources else 0):
            sides = Sides(f"{folder}/work", ["load"])
            runs.append([sides.load(source) for source in sources])
        for day, pairs in enumerate(zip(*runs, strict=True), 1):
            show(f"{options.rows:>10,} rows, day {day}", list(pairs))
        if options.feeds:
            generate(f"{folder}/small.csv", 1, range(1000))
            names = [f"load_{number:02}" for number in range(options.feeds)]
            loads = [Sides(f"{folder}/feeds", names).load(f"{folder}/small.csv") for _ in range(options.repeat)]
            show(f"{options.feeds} feeds of 1,000 rows", loads)


if __name__ == "__main__":
    main()

"""From which size of a batch Spark's executors read it sooner than the driver does; prints seconds of both.

    python -m benchmarks.spark_threshold [--mb 1 2 4 8 16] [--repeat 3]

Rows of `benchmarks.load` in one file and in twenty, CSV with a comment sign (which the law reads, record by record) and
JSON, of so many megabytes, are staged in one session that is warm, once opened and read on the driver and once on
executors, turn by turn. The threshold is `framework.engines.spark.away.AWAY_FROM`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.load import FEED, generate
from benchmarks.load_spark import ENVIRONMENT
from benchmarks.spark_formats import json_lines, parted
from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engines.spark import SparkEngine
from framework.law.modes import change_of
from framework.loader import load_project
from framework.opening import open_batch
from framework.steps import Stage
from framework.storages.local import LocalStorage

_PARTS = 20
_NEVER = 1 << 60


def one_csv(source: str, folder: str) -> str:
    shutil.copy(source, f"{folder}/a.csv")
    return 'csv, options: {comment: "#"}'


def many_csv(source: str, folder: str) -> str:
    def write(part: int, text: str) -> None:
        with open(f"{folder}/{part}.csv", "w", encoding="utf-8") as out:
            out.write(text)

    parted(source, _PARTS, write)
    return 'csv, options: {comment: "#"}'


def many_json(source: str, folder: str) -> str:
    return json_lines(source, folder, _PARTS)


FORMS = {"CSV, 1 file": one_csv, "CSV, 20 files": many_csv, "JSON, 1 file": json_lines, "JSON, 20 files": many_json}


class Project:
    """A project of one feed below a folder."""

    def __init__(self, root: str) -> None:
        self.root, self.batches = root, 0
        for folder in ("pipelines_config/environments", "pipelines_config/feeds", "data/source/load"):
            os.makedirs(f"{root}/{folder}")
        with open(f"{root}/pipelines_config/environments/local.yml", "w", encoding="utf-8") as environment:
            environment.write(ENVIRONMENT)

    def land(self, form: str, source: str) -> None:
        """The rows of a CSV file in landing, and a feed for them."""
        folder = f"{self.root}/data/source/load"
        shutil.rmtree(folder)
        os.makedirs(folder)
        format_ = FORMS[form](source, folder)
        with open(f"{self.root}/pipelines_config/feeds/load.yml", "w", encoding="utf-8") as feed:
            feed.write(FEED.replace("format: csv", f"format: {format_}"))

    def stage(self, executors_from: int) -> float:
        """Seconds to open the files and stage them."""
        os.chdir(self.root)
        loaded, storage, now = load_project("pipelines_config", "local", environ={}), LocalStorage(), datetime.now(UTC)
        (feed,) = loaded.feeds
        engine = SparkEngine(loaded.environment, os.environ, executors_from=executors_from)
        self.batches += 1
        batch = Batch(feed.name, self.batches, tuple(storage.list(feed.source.path, recursive=False)))

        def seal(outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest:
            return Manifest.of(batch, now, outcomes, 0.5, checks=checked)

        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as work:
            pieces = open_batch(feed, batch.files, storage, work, engine)
            staged = engine.stage(Stage(feed, batch, change_of(feed).survivor), pieces, now, seal)
        assert staged.manifest.rows.staged > 0
        return time.perf_counter() - started


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--mb", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    arguments.add_argument("--repeat", type=int, default=3)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        project = Project(f"{folder}/project")
        for number, size in enumerate([options.mb[0], *options.mb]):  # the first one warms up
            source = f"{folder}/rows.csv"
            generate(source, 1, range(size * 15_000))
            for form in FORMS:
                project.land(form, source)
                pairs = [[project.stage(start) for start in (_NEVER, 0)] for _ in range(options.repeat)]
                driver, executors = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
                if number:
                    mb = os.path.getsize(source) / 1e6
                    told = f"driver {driver:5.2f} s, executors {executors:5.2f} s"
                    print(f"{mb:5.1f} MB as CSV, {form:<14} {told}", flush=True)


if __name__ == "__main__":
    main()

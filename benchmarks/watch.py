"""How soon `landfeed watch` has merged a file: seconds from the writer's close to the commit in the target's log.

    python -m benchmarks.watch [--files 30] [--quiet 0.5]

One small file at a time, each after the one before is merged and a pause of random length, so that files come
at any moment of the watcher's own beat. Prints the median and the worst.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FEED = """\
feed: load
source: {path: "${landing}/load/", format: csv}
schema: {user_id: bigint, event: string, ts: timestamp}
target: {table: bench.load, keys: [user_id], sequence_by: ts}
"""
ROWS = 1000
PATIENCE = 60.0


def commits(log: str) -> int:
    """How many commits a table has by its log; 0 when there is no table."""
    return sum(name.endswith(".json") for name in os.listdir(log)) if os.path.isdir(log) else 0


def land(folder: str, number: int) -> None:
    """Write one file and close it."""
    with open(f"{folder}/{number:04}.csv", "w", encoding="utf-8") as out:
        out.write("user_id,event,ts\n")
        out.writelines(f"{number * ROWS + i},login,2026-01-01 00:00:00\n" for i in range(ROWS))


def latency(landing: str, log: str, number: int) -> float:
    """Seconds from the close of a file to the commit that merges it; the table's first commit only makes it."""
    expected = max(commits(log), 1) + 1
    land(landing, number)
    closed = time.perf_counter()
    while commits(log) < expected:
        assert time.perf_counter() - closed < PATIENCE, "the file was never merged"
        time.sleep(0.002)
    return time.perf_counter() - closed


def main() -> None:
    """Start a watcher, land files, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=30)
    arguments.add_argument("--quiet", type=float, default=0.5)
    options = arguments.parse_args()
    dice = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        shutil.copytree(f"{REPOSITORY}/pipelines_config/environments", f"{folder}/pipelines_config/environments")
        os.makedirs(f"{folder}/pipelines_config/feeds")
        with open(f"{folder}/pipelines_config/feeds/load.yml", "w", encoding="utf-8") as feed:
            feed.write(FEED)
        landing, log = f"{folder}/data/source/load", f"{folder}/data/warehouse/bench/load/_delta_log"
        os.makedirs(landing)
        runner = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/pipelines_config", "watch"]
        runner += ["--quiet", str(options.quiet)]
        with subprocess.Popen(runner, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            process.stderr.readline()  # it has begun
            seconds = []
            for number in range(options.files):
                seconds.append(latency(landing, log, number))
                time.sleep(dice.uniform(0.5, 1.5))
            process.terminate()
            process.stderr.read()
        assert process.returncode == 0
    median, worst = statistics.median(seconds), max(seconds)
    print(f"{len(seconds)} files, quiet period {options.quiet:g} s: median {median:.2f} s, worst {worst:.2f} s", end="")
    print(f"; the first, which starts the engine, {seconds[0]:.2f} s")


if __name__ == "__main__":
    main()

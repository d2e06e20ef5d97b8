"""Landfeed against a plain DuckDB + delta-rs script that does the same load; prints ratios of one run.

    python benchmarks/load.py [--rows 1000000] [--repeat 3]

Day 1 loads `rows` rows (6 columns, about 70 bytes each), day 2 a fifth of that with 80 % existing keys. Each
side is a process of its own; seconds are wall time, memory the peak of the process.
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

PLAIN = """
import os, sys, duckdb
from deltalake import DeltaTable, write_deltalake
source, root, archive = sys.argv[1:]
columns = {"user_id": "BIGINT", "event": "VARCHAR", "amount": "DECIMAL(12,2)", "ts": "TIMESTAMPTZ",
           "country": "VARCHAR", "note": "VARCHAR"}
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
rows = connection.sql(f"SELECT * FROM read_csv('{source}', columns = {columns}, auto_detect = false, header = true)")
write_deltalake(root + "/staging", rows, mode="overwrite")
staged = DeltaTable(root + "/staging")
target = DeltaTable.create(root + "/target", staged.schema(), mode="ignore")
files = staged.file_uris()
rows = connection.sql(f"SELECT * FROM read_parquet({files})")
merge = target.merge(rows, "t.user_id = s.user_id", source_alias="s", target_alias="t")
merge.when_matched_update_all("s.ts >= t.ts").when_not_matched_insert_all().execute()
os.makedirs(archive, exist_ok=True)
os.rename(source, archive + "/" + os.path.basename(source))
"""
FEED = """\
feed: load
source: {path: "${landing}/load/", format: csv}
schema: {user_id: bigint, event: string, amount: "decimal(12,2)", ts: timestamp, country: string, note: string}
target: {table: bench.load, keys: [user_id], sequence_by: ts}
"""


def generate(path: str, day: int, ids: list[int] | range) -> None:
    """Write one day's file."""
    events, countries = ["login", "purchase", "view", "logout", "click"], ["IT", "DE", "FR", "US", "GB", "ES"]
    with open(path, "w", encoding="utf-8") as out:
        out.write("user_id,event,amount,ts,country,note\n")
        for i in ids:
            moment = f"2026-01-{day:02d} {i % 24:02d}:{i % 60:02d}:{i * 7 % 60:02d}"
            amount = f"{i * 7919 % 100000}.{i % 90 + 10}"
            out.write(f"{i},{events[i % 5]},{amount},{moment},{countries[i % 6]},note number {i % 100000:06d} abc\n")


def day_files(folder: str, rows: int) -> list[str]:
    """The files of both days."""
    fifth, dice = rows // 5, random.Random(1)
    sources = [f"{folder}/day1.csv", f"{folder}/day2.csv"]
    generate(sources[0], 1, range(rows))
    known = dice.sample(range(rows), fifth * 4 // 5)
    generate(sources[1], 2, [*known, *range(rows, rows + fifth - len(known))])
    return sources


def timed(command: list[str]) -> tuple[float, int]:
    """Wall seconds and peak memory in MB of a process, which does not wait for what others wrote before."""
    os.sync()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - started, usage.ru_maxrss // 1024


def make_project(folder: str, feed: str) -> str:
    """A project with one feed in an empty folder; the folder in which its files land."""
    shutil.rmtree(folder, ignore_errors=True)
    landing = f"{folder}/project/data/source/load"
    os.makedirs(landing)
    shutil.copytree(f"{REPOSITORY}/pipelines_config/environments", f"{folder}/project/pipelines_config/environments")
    os.makedirs(f"{folder}/project/pipelines_config/feeds")
    with open(f"{folder}/project/pipelines_config/feeds/load.yml", "w", encoding="utf-8") as out:
        out.write(feed)
    return landing


def both(folder: str, sources: list[str]) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """Seconds and memory of both days, for the plain script and for Landfeed."""
    landing = make_project(folder, FEED)
    plain, ours = [], []
    for source in sources:
        copy = shutil.copy(source, folder)
        plain.append(timed([sys.executable, "-c", PLAIN, copy, f"{folder}/plain", f"{folder}/plain-archive"]))
        shutil.copy(source, landing)
        runner = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/project/pipelines_config"]
        ours.append(timed([*runner, "run"]))
    return plain, ours


def small_feeds(folder: str, feeds: int) -> tuple[float, float]:
    """Seconds for one run over many feeds of 1,000 rows, and for one with nothing to do."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(f"{REPOSITORY}/pipelines_config/environments", f"{folder}/pipelines_config/environments")
    os.makedirs(f"{folder}/pipelines_config/feeds")
    for number in range(feeds):
        name = f"load_{number:03}"
        with open(f"{folder}/pipelines_config/feeds/{name}.yml", "w", encoding="utf-8") as feed:
            text = FEED.replace("feed: load", f"feed: {name}").replace("}/load/", f"}}/{name}/")
            feed.write(text.replace("bench.load", f"bench.{name}"))
        os.makedirs(f"{folder}/data/source/{name}")
        generate(f"{folder}/data/source/{name}/a.csv", 1, range(1000))
    command = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/pipelines_config", "run"]
    return timed(command)[0], timed(command)[0]


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--feeds", type=int, default=200)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        sources = day_files(folder, options.rows)
        runs = [both(f"{folder}/work", sources) for _ in range(options.repeat)]
        for day in (0, 1):
            plain = statistics.median(run[0][day][0] for run in runs)
            ours = statistics.median(run[1][day][0] for run in runs)
            ratio = statistics.median(run[1][day][0] / run[0][day][0] for run in runs)
            memory = [max(run[side][day][1] for run in runs) for side in (0, 1)]
            print(
                f"{options.rows:>10,} rows, day {day + 1}: plain {plain:6.2f} s {memory[0]:5} MB, "
                f"landfeed {ours:6.2f} s {memory[1]:5} MB, ratio {ratio:.2f}"
            )
        if options.feeds:
            busy, idle = small_feeds(f"{folder}/feeds", options.feeds)
            print(f"{options.feeds} feeds of 1,000 rows: {busy:.2f} s; a run with nothing to do: {idle:.2f} s")
        times = sorted(timed([sys.executable, f"{REPOSITORY}/runner.py", "--help"])[0] for _ in range(5))
        print(f"landfeed --help: {times[2] * 1000:.0f} ms")


if __name__ == "__main__":
    main()

"""What grows with what is there: many tiny files, a long history, a batch of new keys into small and large tables.

    python -m benchmarks.growth [--files 50000] [--runs 2000] [--rows 10000000]

Each part is left out with 0. Seconds of processor time are of the whole process, memory its peak.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from benchmarks.load import FEED, REPOSITORY, generate


def project(folder: str) -> str:
    """An empty project with the feed of `benchmarks.load`; its landing folder."""
    shutil.rmtree(folder, ignore_errors=True)
    landing = f"{folder}/data/source/load"
    os.makedirs(landing)
    os.makedirs(f"{folder}/pipelines_config/feeds")
    shutil.copytree(f"{REPOSITORY}/pipelines_config/environments", f"{folder}/pipelines_config/environments")
    with open(f"{folder}/pipelines_config/feeds/load.yml", "w", encoding="utf-8") as feed:
        feed.write(FEED)
    return landing


def run(folder: str) -> tuple[float, int]:
    """Seconds of processor time and peak memory in MB of one run."""
    command = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/pipelines_config", "run"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def tiny_files(folder: str, files: int) -> None:
    """One batch of files of ten rows."""
    for number in (files // 5, files):
        landing = project(folder)
        for index in range(number):
            generate(f"{landing}/{index:06}.csv", 1, range(index * 10, index * 10 + 10))
        seconds, memory = run(folder)
        print(f"{number:>7,} files of ten rows: {seconds:6.2f} CPU s, {memory} MB")


def history(folder: str, runs: int) -> None:
    """The same feed again and again, each time with five new keys and five known ones."""
    landing, seconds = project(folder), []
    for index in range(runs):
        generate(f"{landing}/{index:06}.csv", 1 + index % 28, range(index * 5, index * 5 + 10))
        seconds.append(run(folder)[0])
    first, last = statistics.median(seconds[:20]), statistics.median(seconds[-20:])
    print(f"run 1 to 20: {first:.3f} CPU s, run {runs - 19} to {runs}: {last:.3f}, ratio {last / first:.2f}")


def new_keys(folder: str, rows: int) -> None:
    """100,000 keys, half of them the newest ones of the table, into a tenth of the rows and into all of them."""
    found = []
    for number in (rows // 10, rows):
        landing = project(folder)
        generate(f"{landing}/1.csv", 1, range(number))
        run(folder)
        generate(f"{landing}/2.csv", 2, range(number - 50_000, number + 50_000))
        found.append(run(folder)[0])
        print(f"100,000 recent keys into {number:>10,} rows: {found[-1]:.2f} CPU s")
    print(f"ratio {found[1] / found[0]:.2f}")


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=50_000)
    arguments.add_argument("--runs", type=int, default=2_000)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        for part, size in ((tiny_files, options.files), (new_keys, options.rows), (history, options.runs)):
            if size:
                part(f"{folder}/work", size)


if __name__ == "__main__":
    main()

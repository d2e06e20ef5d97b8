"""JSON: Landfeed against a plain read_json + delta-rs script that does the same load, in pairs; prints their ratios.

    python -m benchmarks.load_json [--rows 1000000] [--repeat 3] [--form plain|python|escaped|optional]

The rows are those of `benchmarks/load.py`, one object a line: as most writers put them, as Python's json.dumps does,
with letters that are escaped in every other line, or without the keys that are null. Each side is a process of its own;
seconds are wall and processor time, memory the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from benchmarks.load import FEED, REPOSITORY, make_project
from benchmarks.load import PLAIN as CSV

FORMS = ("plain", "python", "escaped", "optional")
PLAIN = CSV.replace("read_csv(", "read_json(").replace(
    "auto_detect = false, header = true", "format = 'newline_delimited'"
)


class Taken(NamedTuple):
    """Seconds of wall time and of processors, and peak memory in MB, of a process."""

    wall: float
    processor: float
    memory: int


def generate(path: str, rows: int, form: str) -> None:
    """Write the file."""
    events, countries = ["login", "purchase", "view", "logout", "click"], ["IT", "DE", "FR", "US", "GB", "ES"]
    separators = (", ", ": ") if form == "python" else (",", ":")
    with open(path, "w", encoding="utf-8") as out:
        for i in range(rows):
            note = f"note number {i % 100000:06d} abc" + ("ü\n" if form == "escaped" and i % 2 else "")
            row = {"user_id": i, "event": events[i % 5], "amount": 0.0}
            row |= {"ts": f"2026-01-01 {i % 24:02d}:{i % 60:02d}:{i * 7 % 60:02d}", "country": countries[i % 6]}
            row |= {} if form == "optional" and i % 3 == 0 else {"note": note}
            line = json.dumps(row, separators=separators)
            out.write(line.replace("0.0", f"{i * 7919 % 100000}.{i % 90 + 10}", 1) + "\n")


def taken(command: list[str]) -> Taken:
    """What a process takes, which does not wait for what others wrote before."""
    os.sync()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    wall = time.perf_counter() - started
    return Taken(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


def pair(folder: str, source: str) -> tuple[Taken, Taken]:
    """What the plain script and Landfeed take."""
    landing = make_project(folder, FEED.replace("format: csv", "format: json"))
    copy = shutil.copy(source, folder)
    plain = taken([sys.executable, "-c", PLAIN, copy, f"{folder}/plain", f"{folder}/plain-archive"])
    shutil.copy(source, landing)
    runner = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/project/pipelines_config"]
    return plain, taken([*runner, "run"])


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--form", choices=FORMS, default="plain")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        source = f"{folder}/day1.json"
        generate(source, options.rows, options.form)
        pairs = [pair(f"{folder}/work", source) for _ in range(options.repeat)]
    for name in ("wall", "processor", "memory"):
        plain, ours = (statistics.median(getattr(each[side], name) for each in pairs) for side in (0, 1))
        ratio = statistics.median(getattr(ours, name) / getattr(plain, name) for plain, ours in pairs)
        print(f"{options.form:>9} {name:>10}: plain {plain:8.2f}, landfeed {ours:8.2f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

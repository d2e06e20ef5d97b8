"""The same rows in other formats and habits on the Spark engine, against one plain CSV file; prints ratios of one run.

    python -m benchmarks.spark_formats [--rows 1000000] [--repeat 1] [--only NAME …]

The rows are those of day 1 of `benchmarks.load`; each load is a process of its own that starts Spark, stages, merges
into an empty table and archives. A ratio is of wall time, of loads that were measured one after the other.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from benchmarks.load import FEED, REPOSITORY, generate, timed
from benchmarks.load_spark import ENVIRONMENT

_SMALL, _PARTS = 1000, 20


def rows(path: str) -> Iterator[str]:
    """The lines of the plain file behind its header."""
    with open(path, encoding="utf-8") as lines:
        next(lines)
        yield from lines


def header(path: str) -> str:
    with open(path, encoding="utf-8") as lines:
        return next(lines)


def plain(source: str, folder: str) -> str:
    shutil.copy(source, f"{folder}/a.csv")
    return ""


def json_lines(source: str, folder: str, parts: int = 1) -> str:
    """One object a line; amounts are numbers."""
    names = header(source).strip().split(",")
    with ExitStack() as closing:
        outs = [closing.enter_context(open(f"{folder}/{part}.json", "w", encoding="utf-8")) for part in range(parts)]
        for number, line in enumerate(rows(source)):
            row: dict[str, object] = dict(zip(names, line.rstrip("\n").split(","), strict=True))
            row |= {"user_id": int(str(row["user_id"])), "amount": 0.0}
            text = json.dumps(row, separators=(",", ":"))
            outs[number % parts].write(text.replace("0.0", line.split(",")[2], 1) + "\n")
    return "json"


def json_parts(source: str, folder: str) -> str:
    return json_lines(source, folder, _PARTS)


def parted(source: str, parts: int, write: Callable[[int, str], object]) -> None:
    """Give the rows away in so many parts, each with the header."""
    lines = list(rows(source))
    size = -(-len(lines) // parts)
    for part in range(parts):
        write(part, header(source) + "".join(lines[part * size : (part + 1) * size]))


def packed(source: str, folder: str) -> str:
    def write(part: int, text: str) -> None:
        with open(f"{folder}/{part}.csv.gz", "wb") as out:
            out.write(gzip.compress(text.encode(), 6))

    parted(source, _PARTS, write)
    return ""


def small(source: str, folder: str) -> str:
    def write(part: int, text: str) -> None:
        with open(f"{folder}/{part:04}.csv", "w", encoding="utf-8") as out:
            out.write(text)

    parted(source, _SMALL, write)
    return ""


def windows(source: str, folder: str) -> str:
    with open(f"{folder}/a.csv", "w", encoding="cp1252") as out:
        out.write(header(source))
        out.writelines(line.replace("note", "nöte") for line in rows(source))
    return "csv, encoding: windows-1252"


def quoted(source: str, folder: str) -> str:
    """A line break within quotes in every tenth row."""
    with open(f"{folder}/a.csv", "w", encoding="utf-8") as out:
        out.write(header(source))
        for number, line in enumerate(rows(source)):
            before, note = line.rstrip("\n").rsplit(",", 1)
            out.write(f'{before},"{note[:8]}\n{note[8:]}"\n' if number % 10 == 0 else line)
    return ""


HABITS: dict[str, Callable[[str, str], str]] = {
    "plain CSV, one file": plain,
    "JSON lines, one file": json_lines,
    "JSON lines, 20 files": json_parts,
    ".csv.gz, 20 files": packed,
    "CSV, 1,000 files": small,
    "CSV, windows-1252": windows,
    "CSV, quoted line breaks": quoted,
}


def load(folder: str, source: str, habit: Callable[[str, str], str]) -> float:
    """Seconds of one load of the rows, written as is the habit."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("pipelines_config/environments", "pipelines_config/feeds", "data/source/load"):
        os.makedirs(f"{folder}/{name}")
    with open(f"{folder}/pipelines_config/environments/local.yml", "w", encoding="utf-8") as environment:
        environment.write(ENVIRONMENT)
    format_ = habit(source, f"{folder}/data/source/load") or "csv"
    with open(f"{folder}/pipelines_config/feeds/load.yml", "w", encoding="utf-8") as feed:
        feed.write(FEED.replace("format: csv", f"format: {format_}"))
    return timed([sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/pipelines_config", "run"])[0]


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=1)
    arguments.add_argument("--only", nargs="*", default=[], help="parts of names")
    options = arguments.parse_args()
    wanted = {
        name: habit
        for name, habit in HABITS.items()
        if habit is plain or not options.only or any(part in name for part in options.only)
    }
    os.environ["PYTHONPATH"] = REPOSITORY
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        source = f"{folder}/day1.csv"
        generate(source, 1, range(options.rows))
        base = 0.0
        for name, habit in wanted.items():
            seconds = statistics.median(load(f"{folder}/work", source, habit) for _ in range(options.repeat))
            base = base or seconds
            print(f"{options.rows:>10,} rows, {name:<24} {seconds:7.2f} s, ratio {seconds / base:.2f}", flush=True)


if __name__ == "__main__":
    main()

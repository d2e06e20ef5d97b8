"""What five computed columns, a filter and five checks of rows cost: the same load with and without them, in pairs.

    python benchmarks/expressions.py [--rows 10000000] [--repeat 3] [--engine embedded]

All rows pass. Each load is a process of its own; what is compared is the processor time of a pair that ran one after
the other, and the wall time beside it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.load import FEED, REPOSITORY, generate

ASKED = (
    FEED.replace(
        "note: string}",
        "note: string,\n"
        '  day: {type: date, expr: "to_date(ts)"},\n'
        '  net: {type: "decimal(12,2)", expr: "round(amount / 1.22, 2)"},\n'
        '  short: {type: string, expr: "upper(substring(event, 1, 3))"},\n'
        "  kind: {type: string, expr: \"case when amount > 500 then 'large' else 'small' end\"},\n"
        "  place: {type: string, expr: \"concat_ws('-', country, right(note, 3))\"}}",
    )
    + """\
filter: "event <> 'test'"
checks:
  - {name: paid, expr: "amount > 0", action: quarantine}
  - {name: known, expr: "country in ('IT', 'DE', 'FR', 'US', 'GB', 'ES')", action: quarantine}
  - {name: noted, expr: "note like 'note number %'", action: drop}
  - {name: recent, expr: "ts >= timestamp '2020-01-01'", action: quarantine}
  - {name: named, expr: "length(event) between 3 and 20", action: fail}
"""
)


def loaded(folder: str, source: str, feed: str, engine: str) -> tuple[float, float]:
    """Seconds of processor and wall time of one first load."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/data/source/load")
    os.makedirs(f"{folder}/config/environments")
    os.makedirs(f"{folder}/config/feeds")
    with open(f"{folder}/config/environments/local.yml", "w", encoding="utf-8") as out:
        out.write(f"engine: {engine}\nvariables: {{landing: ./data/source, archive: ./data/archive}}\n")
        out.write("tables: {root: ./tables}\n")
    with open(f"{folder}/config/feeds/load.yml", "w", encoding="utf-8") as out:
        out.write(feed)
    shutil.copy(source, f"{folder}/data/source/load")
    os.sync()
    started = time.perf_counter()
    command = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/config", "run"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--engine", choices=("embedded", "spark"), default="embedded")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        source = f"{folder}/day1.csv"
        generate(source, 1, range(options.rows))
        pairs = [
            [loaded(f"{folder}/work", source, feed, options.engine) for feed in (FEED, ASKED)]
            for _ in range(options.repeat)
        ]
        for index, what in enumerate(("processor", "wall")):
            if what == "processor" and options.engine == "spark":
                continue  # of Spark's process nothing is told
            without, with_ = (statistics.median(pair[side][index] for pair in pairs) for side in (0, 1))
            ratio = statistics.median(pair[1][index] / pair[0][index] for pair in pairs)
            figures = f"{without:.2f} s, asked {with_:.2f} s, ratio {ratio:.2f}"
            print(f"{options.rows:,} rows, {options.engine}, {what}: {figures}")


if __name__ == "__main__":
    main()

"""Seconds that `validate` takes over many feeds: python benchmarks/validate.py [--feeds 1000 10000] [--repeat 3]

Every third feed uses captures, formats and ranges; a `_defaults.yml` applies to all.
Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile

from benchmarks.load import FEED, REPOSITORY, timed

RICH = """\
feed: {name}
source:
  path: ${{landing}}/{name}/
  format: csv
  files: "{name}_{{day:yyyyMMdd}}*.csv"
  order_by: day
  options: {{sep: ";"}}
  null_values: ["", "NULL"]
schema:
  id: {{type: bigint, description: Business key}}
  email: {{type: string, source_name: [E-Mail, Mail], pattern: "^[^@]+@[^@]+$"}}
  status: {{type: string, required: true, accepted_values: [A, I], default: A}}
  born: {{type: date, format: [yyyy-MM-dd, dd.MM.yyyy], min: 1900-01-01}}
  balance: {{type: "decimal(12,2)", min: 0}}
  day: {{type: date, from_file: day}}
  updated_at: timestamp
target: {{table: bench.{name}, keys: [id], sequence_by: updated_at, audit_columns: true}}
"""


def project(folder: str, feeds: int) -> None:
    """Write a project of so many feeds."""
    os.makedirs(f"{folder}/environments")
    os.makedirs(f"{folder}/feeds")
    with open(f"{folder}/environments/local.yml", "w", encoding="utf-8") as out:
        out.write("engine: embedded\nvariables: {landing: ./landing, archive: ./archive}\ntables: {root: ./tables}\n")
    with open(f"{folder}/feeds/_defaults.yml", "w", encoding="utf-8") as out:
        out.write("owner: data@example.com\nquarantine: {max_bad_ratio: 0.1}\n")
    for number in range(feeds):
        name = f"load_{number:05}"
        plain = FEED.replace("feed: load", f"feed: {name}").replace("}/load/", f"}}/{name}/")
        with open(f"{folder}/feeds/{name}.yml", "w", encoding="utf-8") as out:
            out.write(RICH.format(name=name) if number % 3 == 0 else plain.replace("bench.load", f"bench.{name}"))


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--feeds", type=int, nargs="+", default=[1_000, 10_000])
    arguments.add_argument("--repeat", type=int, default=3)
    options = arguments.parse_args()
    for feeds in options.feeds:
        with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
            project(folder, feeds)
            command = [sys.executable, f"{REPOSITORY}/runner.py", "--config", folder, "validate"]
            runs = [timed(command) for _ in range(options.repeat)]
            print(f"{feeds:>7,} feeds: {statistics.median(run[0] for run in runs):.2f} s, {runs[0][1]} MB", flush=True)


if __name__ == "__main__":
    main()

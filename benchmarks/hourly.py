"""Hourly runs over many days, in simulated time: what gathers with `landfeed maintain` every night, and without it.

    LD_PRELOAD=…/libfaketimeMT.so.1 FAKETIME="2020-01-01 00:00:00" FAKETIME_NO_CACHE=1 \\
        FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 python -m benchmarks.hourly --days 365 --maintain

libfaketime makes the clock of this process; files get the simulated time every night. Every hour brings a file of
20 rows, of which 5 are of keys that are there already, and a bad one. Once a month, and at the end, it tells what
there is, and that every row is where it belongs. A year takes most of an hour.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta

from click.testing import CliRunner
from deltalake import DeltaTable

from framework.cli import landfeed

FEED = """\
feed: hourly
source: {path: "${landing}/", format: csv}
schema: {id: bigint, amount: "decimal(12,2)", at: timestamp}
target: {table: shop.hourly, keys: [id], sequence_by: at}
quarantine: {retention: 30 days}
archive: {retention: 30 days}
"""
ENVIRONMENT = """\
engine: embedded
variables: {landing: ./landing, archive: ./archive}
tables: {root: ./tables}
durability: none
"""
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
NEW, OLD = 15, 5
"""Rows of an hour: of new keys, and of some that are there."""
TABLES = ("tables/shop/hourly", "tables/shop/hourly__quarantine", "tables/shop/hourly__staging", "tables/_landfeed")
MONTH = 30


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--maintain", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        for name, text in (("environments/local.yml", ENVIRONMENT), ("feeds/hourly.yml", FEED)):
            os.makedirs(os.path.dirname(f"{root}/config/{name}"), exist_ok=True)
            write(f"{root}/config/{name}", text)
        os.mkdir(f"{root}/landing")
        print(f"{options.days} days, {'with' if options.maintain else 'without'} maintain", flush=True)
        for day in range(options.days):
            seconds = [hour(root, day * 24 + number, options.maintain) for number in range(24)]
            if day in (0, options.days - 1) or (day + 1) % MONTH == 0:
                tell(root, day + 1, sum(seconds) / 24)


def hour(root: str, number: int, maintain: bool) -> float:
    """One hour; the seconds of CPU that its run took."""
    now, dice = FIRST + timedelta(hours=number), random.Random(number)
    os.environ["FAKETIME"] = f"{now:%Y-%m-%d %H:%M:%S}"
    assert abs(time.time() - now.timestamp()) < 60, "this process has no simulated clock"
    rows = [f"{number * NEW + row},{dice.randrange(10_000) / 100},{now:%Y-%m-%d %H:%M:%S}" for row in range(NEW)]
    rows += [f"{dice.randrange(number * NEW + 1)},1.00,{now:%Y-%m-%d %H:%M:%S}" for _ in range(OLD)]
    write(f"{root}/landing/{now:%Y%m%d%H}.csv", "id,amount,at\n" + "\n".join([*rows, "x,1,2026-01-01"]) + "\n")
    began = time.process_time()
    command(root, "run")
    took = time.process_time() - began
    if now.hour == 3:
        age(root, now.timestamp())
        if maintain:
            command(root, "maintain")
    return took


def age(root: str, now: float) -> None:
    """Give files that have the time of this machine that of the simulation."""
    for folder, _, names in os.walk(root):
        for path in (f"{folder}/{name}" for name in names):
            if abs(os.path.getmtime(path) - REAL) < 86_400:
                os.utime(path, (now, now))


def command(root: str, name: str) -> None:
    ended = CliRunner().invoke(landfeed, ["--config", f"{root}/config", "-q", name])
    if ended.exit_code:
        raise SystemExit(ended.output)


def tell(root: str, days: int, seconds: float) -> None:
    """What there is after so many days, the last of which took `seconds` of CPU a run. Raises AssertionError when the
    target lacks a row."""
    rows, bad = (DeltaTable(f"{root}/{table}").count() for table in TABLES[:2])
    assert rows == days * 24 * NEW, rows
    print(f"after {days} days: {1000 * seconds:.0f} ms of CPU a run, {rows:,} rows in the target, {bad:,} bad ones")
    for folder in (*TABLES, "archive"):
        found = [os.path.join(at, name) for at, _, names in os.walk(f"{root}/{folder}") for name in names]
        print(f"  {folder}: {len(found):,} files, {sum(map(os.path.getsize, found)) / 1e6:.1f} MB", flush=True)


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


with tempfile.NamedTemporaryFile() as _probe:
    REAL = os.path.getmtime(_probe.name)
"""The time of this machine, which is that of files."""

if __name__ == "__main__":
    main()

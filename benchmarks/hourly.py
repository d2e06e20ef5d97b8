"""Hourly runs over many days, in simulated time: what gathers with `landfeed maintain` every night, and without it.

    LD_PRELOAD=…/libfaketimeMT.so.1 FAKETIME_TIMESTAMP_FILE=/tmp/now FAKETIME_NO_CACHE=1 NO_FAKE_STAT=1 \\
        python -m benchmarks.hourly --days 60 --maintain

libfaketime makes the clock of this process; files get the simulated time every night. Every hour brings a file of
20 rows, of which 5 are of keys that are there already, and one is bad.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta

from click.testing import CliRunner

from framework.cli import landfeed

FEED = """\
feed: hourly
source: {path: "${landing}/", format: csv}
schema: {id: bigint, amount: "decimal(12,2)", at: timestamp}
target: {table: shop.hourly, keys: [id], sequence_by: at}
quarantine: {retention: 30 days}
archive: {retention: 30 days}
"""
ENVIRONMENT = "engine: embedded\nvariables: {landing: ./landing, archive: ./archive}\ntables: {root: ./tables}\n"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--maintain", action="store_true")
    options = parser.parse_args()
    clock = os.environ["FAKETIME_TIMESTAMP_FILE"]
    with tempfile.TemporaryDirectory() as root:
        for name, text in (("environments/local.yml", ENVIRONMENT), ("feeds/hourly.yml", FEED)):
            os.makedirs(os.path.dirname(f"{root}/config/{name}"), exist_ok=True)
            write(f"{root}/config/{name}", text)
        os.mkdir(f"{root}/landing")
        seconds = [hour(root, clock, number, options.maintain) for number in range(options.days * 24)]
        print(f"{options.days} days, {'with' if options.maintain else 'without'} maintain")
        print(f"  a run: {1000 * sum(seconds[:24]) / 24:.0f} ms of CPU on the first day, ", end="")
        print(f"{1000 * sum(seconds[-24:]) / 24:.0f} ms on the last")
        for folder in ("tables/shop/hourly", "tables/shop/hourly__quarantine", "tables/shop/hourly__staging",
                       "tables/_landfeed", "archive"):  # fmt: skip
            print(f"  {folder}: {told(f'{root}/{folder}')}")


def hour(root: str, clock: str, number: int, maintain: bool) -> float:
    """One hour; the seconds of CPU that its run took."""
    now, dice = FIRST + timedelta(hours=number), random.Random(number)
    write(clock, f"{now:%Y-%m-%d %H:%M:%S}")
    rows = [f"{number * 15 + row},{dice.randrange(10_000) / 100},{now:%Y-%m-%d %H:%M:%S}" for row in range(15)]
    rows += [f"{dice.randrange(number * 15 + 1)},1.00,{now:%Y-%m-%d %H:%M:%S}" for _ in range(5)]
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


def told(folder: str) -> str:
    found = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    return f"{len(found):,} files, {sum(map(os.path.getsize, found)) / 1e6:.1f} MB"


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


with tempfile.NamedTemporaryFile() as _probe:
    REAL = os.path.getmtime(_probe.name)
"""The time of this machine, which is that of files."""

if __name__ == "__main__":
    main()

"""Seconds that `docs` takes over many feeds with a long history: python -m benchmarks.pages [--feeds 1000] [--days 365]

Each feed was loaded once a day, as the control tables have it, which are made here; one day in ten a load had bad
rows. What is looked up in the tables' own logs is that of the demo's orders (a month of loads, most of them with bad
rows, one of them rejected), for every feed. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime

import duckdb
from deltalake import DeltaTable, write_deltalake

from benchmarks.load import REPOSITORY, timed
from benchmarks.validate import project

MONTH = 31
LOADS = """
SELECT to_timestamp(epoch($now::TIMESTAMPTZ) - 86400 * ($days - 1 - day)) AS recorded_at, 'r' || day AS run_id,
  coalesce(ids[day - $days + 1 + len(ids)], 'b' || day) AS batch_id, printf('load_%05d', feed) AS feed,
  10000 + (feed * 7919 + day * 104729) % 5000 AS rows_read, CASE WHEN (feed + day) % 10 = 0 THEN 3 ELSE 0 END AS bad
FROM range($days) days(day), range($feeds) feeds(feed), (SELECT $ids AS ids)
"""
TABLES = {
    "batches": """
SELECT recorded_at, run_id, batch_id, feed, state, 'embedded' AS engine, 1::BIGINT AS files, rows_read,
  rows_read - bad AS rows_staged, bad::BIGINT AS rows_quarantined, 0::BIGINT AS rows_filtered,
  0::BIGINT AS rows_deduplicated, 900::BIGINT AS inserted, 90::BIGINT AS updated, 0::BIGINT AS deleted,
  9000::BIGINT AS unchanged, 0::BIGINT AS stale, 'bench.' || feed AS target, 7::BIGINT AS target_version,
  0.2::DOUBLE AS seconds_stage, 0.3::DOUBLE AS seconds_merge, 0.01::DOUBLE AS seconds_archive, NULL::VARCHAR AS error
FROM loads, unnest(['staged', 'merged', 'archived']) states(state)""",
    "files": """
SELECT recorded_at, run_id, batch_id, feed, '/data/landing/' || feed || '/' || run_id || '.csv' AS file,
  1::BIGINT AS file_version, 700000::BIGINT AS file_size, state, rows_read, rows_read - bad AS rows_staged,
  bad::BIGINT AS rows_quarantined, 0::BIGINT AS rows_filtered, 0::BIGINT AS rows_deduplicated,
  '/data/archive/' || feed || '/' || run_id || '.csv' AS moved_to, NULL::VARCHAR AS reason
FROM loads, unnest(['staged', 'merged', 'archived']) states(state)""",
    "schema_changes": """
SELECT recorded_at, run_id, batch_id, feed, '/data/landing/' || feed || '/' || run_id || '.csv' AS file,
  'new_column' AS kind, 'column_' || run_id AS "column", NULL::VARCHAR AS "from", NULL::VARCHAR AS "to",
  'ignore' AS action
FROM loads WHERE (hash(feed || run_id)) % 100 = 0""",
}


def make(folder: str, feeds: int, days: int) -> None:
    """Write a project of so many feeds with so many days of history."""
    demo = f"{folder}/demo"
    command = [sys.executable, f"{REPOSITORY}/runner.py", "demo", demo, "--days", str(MONTH)]
    subprocess.run(command, check=True, capture_output=True)
    project(f"{folder}/config", feeds)
    _say_what_is_expected(f"{folder}/config/feeds")
    ids = _batch_ids(f"{demo}/data/warehouse/_landfeed/batches")
    given = {"now": datetime.now(UTC), "days": days, "feeds": feeds, "ids": ids}
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE loads AS {LOADS}", given)
    for name, query in TABLES.items():
        rows = connection.sql(f"{query} ORDER BY recorded_at")
        write_deltalake(f"{folder}/tables/_landfeed/{name}", rows, mode="append")
    log = f"{demo}/data/warehouse/sales/orders__staging/_delta_log"
    entries = {}
    for name in sorted(os.listdir(log)):
        with open(f"{log}/{name}", encoding="utf-8") as stream:
            entries[name] = stream.read()
    for number in range(feeds):
        feed = f"load_{number:05}"
        os.makedirs(f"{folder}/landing/{feed}")
        staging = f"{folder}/tables/bench/{feed}__staging/_delta_log"
        os.makedirs(staging)
        for name, text in entries.items():
            with open(f"{staging}/{name}", "w", encoding="utf-8") as out:
                out.write(text.replace('\\"feed\\":\\"orders\\"', f'\\"feed\\":\\"{feed}\\"'))


def _say_what_is_expected(folder: str) -> None:
    with open(f"{folder}/_defaults.yml", "a", encoding="utf-8") as out:
        out.write("expect: {every: 1 day, rows: {min: 50%}}\n")


def _batch_ids(table: str) -> list[str]:
    """The batches of the demo's orders, oldest first."""
    files = DeltaTable(table).file_uris()
    query = "SELECT batch_id FROM read_parquet($files) WHERE feed = 'orders' GROUP BY 1 ORDER BY min(recorded_at)"
    return [row[0] for row in duckdb.execute(query, {"files": files}).fetchall()]


def main() -> None:
    """Generate, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--feeds", type=int, default=1_000)
    arguments.add_argument("--days", type=int, default=365)
    arguments.add_argument("--repeat", type=int, default=3)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        make(folder, options.feeds, options.days)
        command = [sys.executable, f"{REPOSITORY}/runner.py", "--config", f"{folder}/config", "docs"]
        ran = [timed([*command, "--out", f"{folder}/site"]) for _ in range(options.repeat)]
        seconds, memory = statistics.median(each[0] for each in ran), max(each[1] for each in ran)
        largest = max(os.path.getsize(f"{folder}/site/feeds/{name}") for name in os.listdir(f"{folder}/site/feeds"))
        print(f"{options.feeds:,} feeds, {options.days} days: {seconds:.1f} s, {memory} MB; ", end="")
        print(
            f"first page {os.path.getsize(f'{folder}/site/index.html'):,} bytes, largest feed's page {largest:,} bytes"
        )


if __name__ == "__main__":
    main()

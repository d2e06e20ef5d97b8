"""Deletes and histories against a plain DuckDB + delta-rs script of the same meaning without late events.

    python benchmarks/merges.py [--rows 1000000] [--events 200000] [--repeat 3] [--late]

A target of `rows` keys, loaded on day 1, takes `events` events on day 2: upserts of known and new keys and deletes,
all newer. Prints the processor seconds of day 2, the wall time, and their ratios; with `--late` one event in a
hundred is older than the target, which the plain script takes for new. Each side is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = """
import sys, duckdb
from deltalake import DeltaTable, write_deltalake
source, root, first = sys.argv[1], sys.argv[2], sys.argv[3] == "first"
columns = {"id": "BIGINT", "op": "VARCHAR", "city": "VARCHAR", "amount": "DECIMAL(12,2)", "n": "BIGINT"}
connection = duckdb.connect()
rows = connection.sql(f"SELECT * FROM read_csv('{source}', columns = {columns}, auto_detect = false, header = true)")
write_deltalake(root + "/staging", rows, mode="overwrite")
staged = f"read_parquet({DeltaTable(root + '/staging').file_uris()})"
"""
PLAIN = {
    "deletes": HEAD
    + """
if first:
    write_deltalake(root + "/target", connection.sql(f"SELECT id, city, amount, n FROM {staged}"))
else:
    merge = DeltaTable(root + "/target").merge(
        connection.sql(f"SELECT * FROM {staged}"), "t.id = s.id", source_alias="s", target_alias="t")
    columns = {name: f"s.{name}" for name in ("id", "city", "amount", "n")}
    merge = merge.when_matched_delete("s.op = 'D' AND s.n >= t.n").when_matched_update(columns, "s.n >= t.n")
    merge.when_not_matched_insert(columns, "s.op <> 'D'").execute()
""",
    "history": HEAD
    + """
new = f"SELECT id, city, amount, n, n AS s, CAST(NULL AS BIGINT) AS e FROM {staged} WHERE op <> 'D'"
if first:
    write_deltalake(root + "/target", connection.sql(new))
else:
    target = DeltaTable(root + "/target")
    current = f"SELECT * FROM read_parquet({target.file_uris()}) WHERE e IS NULL"
    differs = "s.op = 'D' OR s.city <> t.city OR s.amount <> t.amount"
    closing = f"SELECT t.id, t.s AS since, s.n AS until FROM {staged} s JOIN ({current}) t USING (id) WHERE {differs}"
    nothing = "NULL, NULL, NULL, NULL, NULL, true, since, until"
    changed = f"SELECT *, false AS closes, 0 AS since, 0 AS until FROM ({new}) "
    changed += f"UNION ALL SELECT id, {nothing} FROM ({closing})"
    merge = target.merge(connection.sql(changed), "s.closes AND t.id = s.id AND t.s = s.since",
                         source_alias="s", target_alias="t")
    merge = merge.when_matched_update({"e": "s.until"})
    merge.when_not_matched_insert({name: f"s.{name}" for name in ("id", "city", "amount", "n", "s", "e")}).execute()
""",
}
FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv}}
schema: {{id: bigint, op: string, city: string, amount: "decimal(12,2)", n: bigint}}
target: {{table: s.{name}, keys: [id], sequence_by: n, apply_as_deletes: "op = 'D'", except_columns: [op]{more}}}
"""
MORE = {"deletes": "", "history": ", scd_type: 2"}


def write_days(folder: str, rows: int, events: int, late: bool) -> list[str]:
    """Two files of events: upserts of all keys, and events of a part of them and of new ones."""
    dice, paths = random.Random(1), [os.path.join(folder, f"{day}.csv") for day in ("1", "2")]
    with open(paths[0], "w", encoding="utf-8") as out:
        out.write("id,op,city,amount,n\n")
        out.writelines(f"{key},U,city {key % 1000},{key % 9999}.50,10\n" for key in range(rows))
    with open(paths[1], "w", encoding="utf-8") as out:
        out.write("id,op,city,amount,n\n")
        for number, key in enumerate(dice.sample(range(rows + events // 5), events)):
            seq = 5 if late and number % 100 == 0 else 20
            out.write(f"{key},{'D' if dice.random() < 0.2 else 'U'},city {dice.randrange(1000)},{key % 999}.25,{seq}\n")
    return paths


def timed(command: list[str]) -> tuple[float, float]:
    """Processor seconds and wall time of a process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, time.perf_counter() - started


def plain(kind: str, paths: list[str], folder: str) -> tuple[float, float]:
    for path, day in zip(paths, ("first", "later"), strict=True):
        spent = timed([sys.executable, "-c", PLAIN[kind], path, folder, day])
    return spent


def landfeed(kind: str, paths: list[str], folder: str) -> tuple[float, float]:
    config = os.path.join(folder, "pipelines_config")
    for name in ("environments", "feeds"):
        os.makedirs(os.path.join(config, name))
    with open(os.path.join(config, "environments", "local.yml"), "w", encoding="utf-8") as out:
        out.write("engine: embedded\nvariables: {landing: ./landing, archive: ./archive}\ntables: {root: ./tables}\n")
    with open(os.path.join(config, "feeds", f"{kind}.yml"), "w", encoding="utf-8") as out:
        out.write(FEED.format(name=kind, more=MORE[kind]))
    landing = os.path.join(folder, "landing", kind)
    os.makedirs(landing)
    runner = [sys.executable, os.path.join(REPOSITORY, "runner.py"), "--config", config, "run"]
    for path in paths:
        shutil.copy(path, landing)
        spent = timed(runner)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--late", action="store_true")
    options = parser.parse_args()
    for kind in PLAIN:
        spent: dict[str, list[tuple[float, float]]] = {"plain": [], "landfeed": []}
        for _ in range(options.repeat):
            with tempfile.TemporaryDirectory() as folder:
                paths = write_days(folder, options.rows, options.events, options.late)
                spent["plain"].append(plain(kind, paths, os.path.join(folder, "plain")))
                spent["landfeed"].append(landfeed(kind, paths, os.path.join(folder, "landfeed")))
        for index, what in enumerate(("processor", "wall")):
            theirs, ours = (statistics.median(each[index] for each in spent[side]) for side in ("plain", "landfeed"))
            print(f"{kind}, {what}: plain {theirs:.2f} s, landfeed {ours:.2f} s, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()

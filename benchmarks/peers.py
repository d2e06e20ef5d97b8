"""Landfeed beside dlt and Floe with the same files; prints a table of one run.

    python -m benchmarks.peers [--rows 1000000] [--feeds 100] [--repeat 3]

The files are those of `benchmarks.load`, with a T in their times, which Floe asks for. Each tool is installed into a
virtual environment of its own below build/peers, and each load is a process of its own. What differs is said by the
table they leave: dlt and Floe make decimals floating point numbers unless they are told otherwise, keep no staging and
no record of a batch in tables, and Floe and dlt leave the files in landing. All three have to end with the same keys,
and the sum of amounts of the newest rows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
from deltalake import DeltaTable

from benchmarks.load import FEED, REPOSITORY, generate, timed

DLT = """
import sys
import dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb

folder, *names = sys.argv[1:]
for name in names:
    newer = dlt.sources.incremental("modification_date")
    files = filesystem(bucket_url=f"file://{folder}/in/{name}", file_glob="*.csv", incremental=newer)
    rows = (files | read_csv_duckdb(use_pyarrow=True)).with_name(name)
    upsert = {"disposition": "merge", "strategy": "upsert"}
    rows.apply_hints(write_disposition=upsert, primary_key="user_id", table_format="delta")
    tables = dlt.destinations.filesystem(f"file://{folder}/out")
    dlt.pipeline(name, destination=tables, dataset_name="bench", pipelines_dir=f"{folder}/state").run(rows)
"""
FLOE = """
import sys
import floe

assert floe.run(sys.argv[1]).summary["run"]["exit_code"] == 0
"""
ENTITY = """\
  - name: {name}
    source: {{format: csv, path: {folder}/in/{name}, options: {{separator: ","}}}}
    incremental_mode: file
    sink:
      write_mode: merge_scd1
      accepted: {{format: delta, path: {folder}/out/bench/{name}}}
      rejected: {{format: csv, path: {folder}/rejected/{name}}}
    policy: {{severity: reject}}
    schema:
      primary_key: [user_id]
      columns:
        - {{name: user_id, type: integer, nullable: false}}
        - {{name: event, type: string}}
        - {{name: amount, type: number}}
        - {{name: ts, type: datetime}}
        - {{name: country, type: string}}
        - {{name: note, type: string}}
"""
ENVIRONMENT = "engine: embedded\nvariables: {{landing: {0}/in, archive: {0}/archive}}\ntables: {{root: {0}/out}}\n"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, what is installed for it, and how it is told about feeds below a folder: the command of a load."""

    name: str
    needs: Sequence[str]
    prepared: Callable[[str, str, Sequence[str]], list[str]]


def dlt(python: str, folder: str, names: Sequence[str]) -> list[str]:
    return [python, "-c", DLT, folder, *names]


def floe(python: str, folder: str, names: Sequence[str]) -> list[str]:
    with open(f"{folder}/floe.yml", "w", encoding="utf-8") as out:
        out.write(f'version: "0.1"\nreport: {{path: {folder}/report}}\nentities:\n')
        out.writelines(ENTITY.format(name=name, folder=folder) for name in names)
    return [python, "-c", FLOE, f"{folder}/floe.yml"]


def landfeed(python: str, folder: str, names: Sequence[str]) -> list[str]:
    for below in ("environments", "feeds"):
        os.makedirs(f"{folder}/pipelines_config/{below}")
    with open(f"{folder}/pipelines_config/environments/local.yml", "w", encoding="utf-8") as out:
        out.write(ENVIRONMENT.format(folder))
    for name in names:
        text = FEED.replace("feed: load", f"feed: {name}").replace("/load/", f"/{name}/")
        with open(f"{folder}/pipelines_config/feeds/{name}.yml", "w", encoding="utf-8") as out:
            out.write(text.replace("bench.load", f"bench.{name}"))
    return [python, f"{REPOSITORY}/runner.py", "--config", f"{folder}/pipelines_config", "run"]


TOOLS = [
    Tool("landfeed", [f"{REPOSITORY}[embedded]"], landfeed),
    Tool("dlt 1.31.0", ["dlt[deltalake,filesystem]==1.31.0", "duckdb", "pandas"], dlt),
    Tool("floe 0.7.0", ["floe-python==0.7.0"], floe),
]


def installed(tool: Tool) -> str:
    """The Python of the tool's virtual environment, made by uv, since pip takes very long to find what dlt needs."""
    folder = f"{REPOSITORY}/build/peers/{tool.name.replace(' ', '-')}"
    if not os.path.exists(f"{folder}/bin/python"):
        uv = f"{REPOSITORY}/build/peers/uv"
        if not os.path.exists(f"{uv}/bin/uv"):
            subprocess.run([sys.executable, "-m", "venv", uv], check=True)
            subprocess.run([f"{uv}/bin/python", "-m", "pip", "install", "-q", "uv"], check=True)
        subprocess.run([f"{uv}/bin/uv", "venv", "-q", "-p", sys.executable, folder], check=True)
        install = [f"{uv}/bin/uv", "pip", "install", "-q", "-p", f"{folder}/bin/python"]
        subprocess.run([*install, *tool.needs], check=True)
    return f"{folder}/bin/python"


def land(folder: str, name: str, source: str, base: str) -> None:
    os.makedirs(f"{folder}/in/{name}", exist_ok=True)
    shutil.copy(source, f"{folder}/in/{name}/{base}")


def held(folder: str, name: str) -> tuple[object, ...]:
    """Rows, sum of keys, rows of the second day and sum of amounts (cents) of a target."""
    files = DeltaTable(f"{folder}/out/bench/{name}").file_uris()
    figures = "count(*), sum(user_id), count(*) FILTER (day(ts) = 2), round(sum(amount), 2)::DECIMAL(18, 2)"
    found = duckdb.connect().execute(f"SELECT {figures} FROM read_parquet(?)", [files]).fetchone()
    assert found is not None
    return found


def measured(tool: Tool, python: str, folder: str, days: Sequence[str], small: str, feeds: int) -> list[float]:
    """Seconds of both days, and of many small feeds; what the tables must hold is checked."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/one")
    command, seconds = tool.prepared(python, f"{folder}/one", ["load"]), []
    for day, source in enumerate(days, 1):
        land(f"{folder}/one", "load", source, f"day{day}.csv")
        seconds.append(timed(command)[0])
    expected = duckdb.connect().execute(
        "SELECT count(*), sum(user_id), count(*) FILTER (day(ts) = 2), sum(amount)::DECIMAL(18, 2) FROM "
        "(SELECT user_id, max(ts) AS ts, max_by(amount, ts) AS amount FROM read_csv(?, types = {'amount': "
        "'DECIMAL(12, 2)'}) GROUP BY user_id)",
        [list(days)],
    )
    assert held(f"{folder}/one", "load") == expected.fetchone(), tool.name
    names = [f"load_{number:03}" for number in range(feeds)]
    os.makedirs(f"{folder}/many")
    for name in names:
        land(f"{folder}/many", name, small, "a.csv")
    seconds.append(timed(tool.prepared(python, f"{folder}/many", names))[0])
    assert all(held(f"{folder}/many", name)[:2] == (1000, 499500) for name in names), tool.name
    return seconds


def generated(folder: str, rows: int) -> tuple[list[str], str]:
    """The files of two days and a small one, with a T in their times."""
    known = range(0, rows, 6) if rows >= 6 else range(rows)
    made: dict[str, tuple[int, list[int] | range]] = {
        "day1": (1, range(rows)),
        "day2": (2, [*known, *range(rows, rows + rows // 25)]),
        "small": (1, range(1000)),
    }
    for name, (day, ids) in made.items():
        generate(f"{folder}/plain", day, ids)
        with open(f"{folder}/plain", encoding="utf-8") as source, open(f"{folder}/{name}.csv", "w") as out:
            out.writelines(line.replace(" ", "T", 1) if line[0].isdigit() else line for line in source)
    return [f"{folder}/day1.csv", f"{folder}/day2.csv"], f"{folder}/small.csv"


def main() -> None:
    """Install, generate, measure in turn, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--feeds", type=int, default=100)
    arguments.add_argument("--repeat", type=int, default=3)
    options = arguments.parse_args()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    pythons = {tool.name: installed(tool) for tool in TOOLS}
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        days, small = generated(folder, options.rows)
        runs: dict[str, list[list[float]]] = {tool.name: [] for tool in TOOLS}
        for _ in range(options.repeat):
            for tool in TOOLS:
                seconds = measured(tool, pythons[tool.name], f"{folder}/work", days, small, options.feeds)
                runs[tool.name].append(seconds)
    print(f"| | {options.rows:,} rows, day 1 | day 2 | {options.feeds} feeds of 1,000 rows |\n|---|---|---|---|")
    for name, found in runs.items():
        print(
            f"| {name} | " + " | ".join(f"{statistics.median(each):.1f} s" for each in zip(*found, strict=True)) + " |"
        )


if __name__ == "__main__":
    main()

"""A project in a folder of its own, worked on through the real command line and read with delta-rs and DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import duckdb
from click.testing import CliRunner
from deltalake import DeltaTable, QueryBuilder

from framework.cli import landfeed

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

ACTIVITY = """\
feed: {name}
source:
  path: ${{landing}}/{name}/
  format: csv
schema:
  user_id: bigint
  event: string
  event_time: timestamp
target:
  table: analytics.{name}
  keys: [user_id]
  sequence_by: event_time
"""
HEADER = "user_id,event,event_time\n"
NO_BROWSER = "needs chromium and chromedriver"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command gave: exit code, and its JSON document (None without one)."""

    code: int
    document: dict[str, Any]

    @property
    def feed(self) -> dict[str, Any]:
        feeds: list[dict[str, Any]] = self.document["feeds"]
        return feeds[0]


class Crash(BaseException):
    """The process is gone: nothing catches this."""


class Project:
    """A configured project in `root`."""

    def __init__(self, root: str, *names: str, archive: str = "./archive", engine: str = "embedded") -> None:
        self.root = root
        self.write(
            "pipelines_config/environments/local.yml",
            f"engine: {engine}\nvariables: {{landing: ./landing, archive: '{archive}'}}\ntables: {{root: ./tables}}\n",
        )
        for name in names:
            self.feed(name, ACTIVITY.format(name=name))

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def write(self, name: str, text: str | bytes) -> str:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
        return path

    def feed(self, name: str, text: str) -> None:
        self.write(f"pipelines_config/feeds/{name}.yml", text)
        os.makedirs(self.path("landing", name), exist_ok=True)

    def land(self, feed: str, name: str, text: str | bytes) -> str:
        return self.write(os.path.join("landing", feed, name), text)

    def cli(self, *arguments: str) -> Result:
        """Run a command in this process."""
        config = self.path("pipelines_config")
        result = CliRunner().invoke(landfeed, ["--config", config, "--output", "json", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.stderr
        return Result(result.exit_code, json.loads(result.stdout))

    def start(self, *arguments: str, script: str = "runner.py", **environ: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        command = [sys.executable, os.path.join(REPOSITORY, script), "--config", self.path("pipelines_config")]
        return subprocess.Popen(
            [*command, "--output", "json", *arguments],
            env={**os.environ, "PYTHONPATH": REPOSITORY, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def table(self, name: str) -> DeltaTable | None:
        """A table as it is now, None when there is none."""
        path = self.path("tables", *name.split("."))
        return DeltaTable(path) if os.path.isdir(path) else None

    def rows(self, table: str, columns: str = "*", order: str = "ALL") -> list[tuple[Any, ...]]:
        """A table's rows, every value as text."""
        delta = self.table(table)
        if delta is None:
            return []
        reader = QueryBuilder().register("t", delta).execute("SELECT * FROM t")
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("t", reader)
            query = f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (SELECT {columns} FROM t) ORDER BY {order}"
            return connection.execute(query).fetchall()

    def version(self, table: str) -> int:
        return DeltaTable(self.path("tables", *table.split("."))).version()

    def files(self, folder: str) -> list[str]:
        """All files below a folder, relative to it."""
        root = self.path(folder)
        return sorted(os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names)


def terminal_output(terminal: int) -> bytes:
    """Everything that is written to a pseudo-terminal until its other end is closed."""
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # what Linux says when the other end is closed
        pass
    os.close(terminal)
    return shown

"""Engines without a command line: the only place of the tests that makes steps and calls an engine's verbs.

A `Drive` is one engine over tables of its own, with feeds, files and batches. Tests say what is loaded and look
at what is stored; how a step is put together, they do not know. So a change of the seam is a change of this file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engine import Engine, Merged, Staged, TableState
from framework.environment import EngineName, Environment
from framework.feed import Feed
from framework.law.change import Change
from framework.law.modes import change_of, memory_table
from framework.loader import load_project
from framework.names import File, Table
from framework.opening import open_batch
from framework.plan.tables import memory_columns, new_target, target_columns
from framework.steps import AddColumns, CreateTable, Discard, Merge, Stage, TableColumn
from framework.storages.local import LocalStorage
from framework.types import parse_type
from tests.support import Project

__all__ = ["Drive", "Staged", "reasons"]

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Drive:
    """One engine (`embedded` or `spark`) over the tables below a folder."""

    def __init__(self, kind: str, folder: str, storage: LocalStorage | None = None) -> None:
        self.kind, self._project = kind, Project(folder, engine=kind)
        self.engine: Engine = _engine(kind, self._project.path("tables"))
        self._storage = storage or LocalStorage()

    def another(self) -> Drive:
        """Another process on the same tables and files."""
        return Drive(self.kind, self._project.root)

    def close(self) -> None:
        self.engine.close()

    # Feeds and files

    def feed(self, text: str) -> Feed:
        """The feed of a YAML text."""
        name = re.findall(r"^feed: (\w+)$", text, re.MULTILINE)[0]
        self._project.feed(name, text)
        (feed,) = load_project(self._project.path("pipelines_config"), "local", environ={}, feeds=[name]).feeds
        return feed

    def land(self, feed: Feed, name: str, text: str | bytes) -> File:
        """A file in the feed's landing folder."""
        path = self._project.land(feed.name, name, text)
        found = self._storage.head(path)
        assert found is not None
        return found

    # The engine's verbs

    def stage(
        self,
        feed: Feed,
        seq: int,
        files: Sequence[File],
        *,
        opened: Callable[[], object] = lambda: None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Staged:
        """Stage the files as the feed's batch `seq`, on day `seq`. `opened` is called when they have been opened and
        not been read, `meanwhile` when all is read and nothing that belongs to the batch is committed."""
        batch, day = Batch(feed.name, seq, tuple(files)), FIRST_DAY + timedelta(days=seq - 1)

        def seal(outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest:
            assert all(outcome.rows.stage_balances for outcome in outcomes)
            meanwhile()
            return Manifest.of(batch, day, outcomes, 0.5, checks=checked)

        folder = self._project.path("work")
        pieces = open_batch(feed, batch.files, self._storage, folder, self.engine)
        opened()
        return self.engine.stage(Stage(feed, batch, change_of(feed).survivor), pieces, day, seal)

    def prepare(self, feed: Feed) -> None:
        """Make the feed's target, or add the columns that it lacks."""
        if self.state(feed, feed.target.table) is None:
            self.engine.create(new_target(feed))
        else:
            self.engine.add_columns(AddColumns(feed.target.table, target_columns(feed)))
        memory = memory_table(feed)
        if memory is not None and self.state(feed, memory) is None:
            self.engine.create(CreateTable(memory, memory_columns(feed)))

    def create(self, table: Table, **columns: str) -> None:
        """Make a table of columns (name=type)."""
        made = tuple(TableColumn(name, parse_type(type_)) for name, type_ in columns.items())
        self.engine.create(CreateTable(table, made))

    def add_columns(self, table: Table, **columns: str) -> None:
        """Add columns (name=type) to a table."""
        wanted = tuple(TableColumn(name, parse_type(type_)) for name, type_ in columns.items())
        self.engine.add_columns(AddColumns(table, wanted))

    def merge(self, feed: Feed, staged: Staged) -> Merged:
        """Merge a staged batch into the feed's target."""
        batch = staged.manifest.batch
        step = Merge(change_of(feed), feed.target.staging, feed.target.table, batch, memory_table(feed))
        merged = self.engine.merge(step, staged.manifest, staged.version)
        assert merged.rows.merge_balances
        return merged

    def merge_on_spark(self, feed: Feed, staged: Staged, change: Change, small: int) -> Merged:
        """Merge by a change of one's own with Spark, which tells the cases of batches of up to `small` rows first."""
        from framework.engines.spark import SparkEngine
        from framework.engines.spark.merging import Merging

        assert isinstance(self.engine, SparkEngine)
        step = Merge(change, feed.target.staging, feed.target.table, staged.manifest.batch)
        return Merging(self.engine.tables, step, staged.manifest, staged.version, small).merge()

    def load(self, feed: Feed, seq: int, files: Sequence[File]) -> tuple[Staged, Merged]:
        """Stage, prepare and merge a batch."""
        staged = self.stage(feed, seq, files)
        self.prepare(feed)
        return staged, self.merge(feed, staged)

    def resume(self, feed: Feed, seq: int, files: Sequence[File]) -> tuple[Staged, Merged]:
        """Load a batch of which an earlier process may have staged or merged some: what is staged is not staged
        again."""
        found = self.manifest(feed, feed.target.staging, seq)
        staged = self.stage(feed, seq, files) if found is None else Staged(*found, ())
        self.prepare(feed)
        return staged, self.merge(feed, staged)

    def take_over(self, table: Table, source: Table, manifest: Manifest | None = None) -> int:
        """Let a table hold what another one holds; the version that it then has."""
        return self.engine.take_over(table, source, manifest)

    def discard(self, feed: Feed, batch_id: str) -> None:
        """Take a batch's rows out of the quarantine."""
        self.engine.discard(Discard(feed.quarantine.table, feed.name, batch_id))

    def state(self, feed: Feed, table: Table) -> TableState | None:
        return self.engine.state(table, feed.name)

    def manifest(self, feed: Feed, table: Table, seq: int) -> tuple[Manifest, int] | None:
        """The manifest that a batch left in a table, and its version."""
        return self.engine.manifest(table, feed.name, seq)

    # What is stored, read by neither engine's own code

    def rows(self, table: Table, columns: str = "*") -> list[tuple[Any, ...]]:
        """A table's rows, every value as text; none when there is no table."""
        return self._project.rows(table.name, columns)

    def version(self, table: Table) -> int:
        """A table's version, -1 when there is no table."""
        return self._project.version(table.name) if self._project.table(table.name) is not None else -1

    def write(self, table: Table, **values: str) -> None:
        """What a writer that is not Landfeed does: set columns (name=SQL) in every row."""
        delta = self._project.table(table.name)
        assert delta is not None
        delta.update(values)

    def constrain(self, table: Table, name: str, condition: str) -> None:
        """… and: give the table a CHECK constraint."""
        delta = self._project.table(table.name)
        assert delta is not None
        delta.alter.add_constraint({name: condition})

    # Crashes

    def commits(self, feed: Feed) -> list[str]:
        """The commits of the feed's tables in the order in which they were made, as paths below the tables."""
        order = [feed.quarantine.table, feed.target.staging, feed.target.table]
        logs = (os.path.join(*table.parts, "_delta_log") for table in order)
        found = [(log, rank, name) for rank, log in enumerate(logs) for name in self._log(log)]
        return [
            os.path.join(log, name)
            for log, rank, name in sorted(found, key=lambda each: (self._made(each[0], each[2]), each[1], each[2]))
        ]

    def crashed(self, feed: Feed, commits: Sequence[str], folder: str) -> Drive:
        """The world as a process leaves it that dies after the last of `commits`: these are there, later ones
        are not, and files of theirs may lie about. A copy, on which another process works."""
        other = Drive(self.kind, folder)
        shutil.copytree(self._project.path("tables"), other._project.path("tables"))
        for path in set(self.commits(feed)) - set(commits):
            log, version = os.path.split(path.removesuffix(".json"))
            for name in (f"{version}.json", f"{version}.crc", f".{version}.json.crc", f".{version}.crc.crc"):
                with suppress(FileNotFoundError):
                    os.remove(other._project.path("tables", log, name))
        return other

    def _log(self, log: str) -> Iterator[str]:
        folder = self._project.path("tables", log)
        if os.path.isdir(folder):
            yield from (name for name in os.listdir(folder) if re.fullmatch(r"\d{20}\.json", name))

    def _made(self, log: str, name: str) -> int:
        """When a commit was made, in milliseconds, by its own account."""
        with open(self._project.path("tables", log, name), encoding="utf-8") as commit:
            actions = [json.loads(line) for line in commit]
        return next(int(action["commitInfo"]["timestamp"]) for action in actions if "commitInfo" in action)


def reasons(drive: Drive, feed: Feed) -> list[tuple[Any, ...]]:
    """The quarantine's rows: the batch's file, line and record, and the first reason's code and column."""
    columns = "split_part(_source_file, '/', -1) f, _line, _record, _errors[1].code c, _errors[1].column n"
    return drive.rows(feed.quarantine.table, columns)


def _engine(kind: str, root: str) -> Engine:
    environment = Environment("tests", EngineName(kind), "/", root=root)
    match environment.engine:
        case EngineName.EMBEDDED:
            from framework.engines.embedded import EmbeddedEngine

            return EmbeddedEngine(root)
        case EngineName.SPARK:
            from framework.engines.spark import SparkEngine

            return SparkEngine(environment, os.environ)

"""A writer that loses rows is found out before anything is merged, and told alike by all engines."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.batch import Batch, Checked, FileOutcome, Manifest
from framework.engine import Seal
from framework.engines.delta import DeltaTables
from framework.engines.embedded import EmbeddedEngine
from framework.engines.spark.away import Executors
from framework.engines.spark.paths import PathTables
from framework.engines.spark.shipping import Shipping
from framework.engines.spark.staging import Staging
from framework.errors import Conflict, LandfeedError
from framework.feed import Feed
from framework.law.modes import change_of
from framework.loader import load_project
from framework.names import File, Table
from framework.opening import Piece, SourceFile, open_piece
from framework.steps import Stage
from framework.storages.local import LocalStorage
from tests.support import HEADER, Project

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = "1,a,2026-01-01\n2,b,2026-01-01\n1,c,2026-01-02\nx,bad,2026-01-01\ny,bad,2026-01-01\n"
LOST = {
    "staged": "feed activity: 2 rows were to be staged and 1 were",
    "quarantined": "feed activity: 2 rows were to be quarantined and 1 were",
}
LOSES = {"staged": "activity__staging", "quarantined": "activity__quarantine"}


class LosesARow(DeltaTables):
    """Writes one row less than it is given, into the tables whose names end so."""

    def __init__(self, root: str, suffix: str) -> None:
        super().__init__(root, {})
        self._suffix = suffix

    def _some(self, table: Table, rows: Any) -> Any:
        return rows.limit(len(rows) - 1) if table.name.endswith(self._suffix) else rows

    def append(self, table: Table, delta: Any, rows: Any, manifest: Manifest) -> int:
        return super().append(table, delta, self._some(table, rows), manifest)

    def overwrite(self, table: Table, delta: Any, rows: Any, manifest: Manifest) -> int:
        return super().overwrite(table, delta, self._some(table, rows), manifest)


class LosesARowOnSpark(PathTables):
    """The same with Spark. What staging lost shows when it is written for the second time, with one row a key."""

    def __init__(self, root: str, suffix: str, session: Callable[[], Any]) -> None:
        super().__init__(session, DeltaTables(root, {}))
        self._suffix, self._written = suffix, 0

    def append(self, table: Table, data: Any, manifest: Manifest, *, files: bool) -> bool:
        lost = table.name.endswith(self._suffix) and "__quarantine" in table.name
        return super().append(table, data.limit(data.count() - 1) if lost else data, manifest, files=files)

    def overwrite(self, table: Table, data: Any) -> None:
        self._written += 1
        lost = table.name.endswith(self._suffix) and self._written > 1
        super().overwrite(table, data.limit(data.count() - 1) if lost else data)


def prepared(project: Project) -> tuple[Feed, Stage, list[Piece], Seal]:
    feed = load_project(project.path("pipelines_config"), "local", environ={}).feeds[0]
    path = project.land("activity", "a.csv", HEADER + ROWS)
    stat = os.stat(path)
    file = File(path, "a.csv", stat.st_mtime_ns, stat.st_size, stat.st_mtime_ns)
    step = Stage(feed, Batch(feed.name, 1, (file,)), change_of(feed).survivor)
    pieces = [open_piece(feed, 0, SourceFile(file, LocalStorage(), project.root))]

    def seal(outcomes: Sequence[FileOutcome], checked: Sequence[Checked] = ()) -> Manifest:
        return Manifest.of(step.batch, NOW, outcomes, 0.0, checks=checked)

    return feed, step, pieces, seal


@pytest.mark.parametrize("what", LOST)
def test_the_embedded_engine(project: Project, what: str) -> None:
    _, step, pieces, seal = prepared(project)
    with closing(EmbeddedEngine(project.path("tables"))) as engine:
        engine.tables = LosesARow(project.path("tables"), LOSES[what])
        with pytest.raises(LandfeedError, match=LOST[what]) as raised:
            engine.stage(step, pieces, NOW, seal)
    assert raised.value.code == "conservation"


class MadeByAnother(DeltaTables):
    """Somebody else makes the table between the look for it and the first commit."""

    def overwrite(self, table: Table, delta: Any, rows: Any, manifest: Manifest) -> int:
        super().overwrite(table, delta, rows.limit(0), manifest)
        return super().overwrite(table, delta, rows, manifest)


def test_two_that_make_staging_at_the_same_moment(project: Project) -> None:
    _, step, pieces, seal = prepared(project)
    with closing(EmbeddedEngine(project.path("tables"))) as engine:
        engine.tables = MadeByAnother(project.path("tables"), {})
        with pytest.raises(Conflict, match="another runner staged it at the same time"):
            engine.stage(step, pieces, NOW, seal)


@pytest.mark.spark
@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=pytest.mark.torture) if what != "staged" else what for what in LOST]
)
def test_the_spark_engine(project: Project, what: str, spark: Any) -> None:
    _, step, pieces, seal = prepared(project)
    tables = LosesARowOnSpark(project.path("tables"), LOSES[what], lambda: spark)
    with pytest.raises(LandfeedError, match=LOST[what]) as raised:
        Staging(tables, Executors(lambda: spark, Shipping({})), step, pieces, NOW).stage(seal)
    assert raised.value.code == "conservation"

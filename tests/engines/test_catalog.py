"""Tables in a catalog: names instead of paths, with the same results."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from framework.engines.spark import lines
from framework.engines.spark.catalog import CatalogTables
from tests.support import ACTIVITY, HEADER, REPOSITORY, Crash, Project

pytestmark = pytest.mark.spark


@pytest.fixture
def schema(spark: Any, project: Project) -> Iterator[str]:
    """The project's tables are in the session's catalog; the target's schema is its own and not made yet."""
    name = f"s{uuid.uuid4().hex[:12]}"
    project.write(
        "pipelines_config/environments/local.yml",
        "engine: spark\nvariables: {landing: ./landing, archive: ./archive}\n"
        f"tables: {{catalog: spark_catalog}}\ncontrol: {name}_control\n",
    )
    project.feed("activity", ACTIVITY.format(name="activity").replace("analytics.", f"{name}."))
    yield name
    for each in (name, f"{name}_control"):
        spark.sql(f"DROP SCHEMA IF EXISTS spark_catalog.{each} CASCADE")


def rows(spark: Any, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in spark.sql(f"SELECT {columns} FROM spark_catalog.{table}").collect())


def heard(spark: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the session is told from now on."""
    said: list[str] = []
    sql = type(spark).sql

    def listening(session: Any, query: str, *arguments: Any, **options: Any) -> Any:
        said.append(query)
        return sql(session, query, *arguments, **options)

    monkeypatch.setattr(type(spark), "sql", listening)
    return said


def test_days_by_name(spark: Any, project: Project, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inserts, updates, duplicates, bad, stale and unchanged rows, a column more, and the control tables; with Spark
    reading the lines. No statement names a path or replaces a table."""
    monkeypatch.setattr(lines, "LINES_FROM", 1)
    said = heard(spark, monkeypatch)
    target, quarantine = f"{schema}.activity", f"{schema}.activity__quarantine"
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-02\n2,b,2026-01-02\n2,b2,2026-01-03\nx,bad,2026-01-01\n")
    first = project.cli("run")
    assert first.code == 0
    assert first.feed["rows"] | {"quarantined": 1, "inserted": 2, "deduplicated": 1, "staged": 2} == first.feed["rows"]
    assert rows(spark, target, "user_id, event") == [(1, "a"), (2, "b2")]
    assert rows(spark, quarantine, "_record") == [("x,bad,2026-01-01",)]
    project.feed(
        "activity",
        ACTIVITY.format(name="activity")
        .replace("analytics.", f"{schema}.")
        .replace("target:", "  note: string\ntarget:"),
    )
    project.land(
        "activity", "2.csv", HEADER.strip() + ",note\n1,old,2026-01-01,n\n2,b2,2026-01-03,\n3,c,2026-01-01,n\n"
    )
    second = project.cli("run").feed["rows"]
    assert (second["inserted"], second["updated"], second["unchanged"], second["stale"]) == (1, 0, 1, 1)
    assert rows(spark, target, "user_id, event, note") == [(1, "a", None), (2, "b2", None), (3, "c", "n")]
    assert rows(spark, f"{schema}.activity__staging", "user_id, note") == [(1, "n"), (2, None), (3, "n")]
    assert project.cli("run").document["status"] == "nothing_to_do"
    history = project.cli("history").document["batches"]
    assert [(batch["state"], batch["rows_read"]) for batch in history] == [("archived", 3), ("archived", 4)]
    assert [len(project.cli("show").document["feeds"][0]["rows"]), project.files("landing")] == [3, []]
    assert project.cli("status").document["feeds"][0]["last_batch"]["state"] == "archived"
    assert said
    assert [query for query in said if "delta.`" in query or "REPLACE TABLE" in query.upper()] == []


@pytest.mark.torture
def test_three_tasks_by_name(spark: Any, project: Project, schema: str) -> None:
    """Each task picks up where the one before left off, any number of times; the staging table is the same one."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    for task in ("stage", "merge", "merge"):
        assert project.cli(task).code == 0
    assert rows(spark, f"{schema}.activity", "event") == [("a",)]
    project.land("activity", "2.csv", HEADER + "1,b,2026-01-02\n")
    for task in ("archive", "stage", "stage", "merge", "archive"):
        assert project.cli(task).code == 0
    assert rows(spark, f"{schema}.activity", "event") == [("b",)]
    assert project.files("landing") == []
    assert len(project.files("archive")) == 2
    history = spark.sql(f"DESCRIBE HISTORY spark_catalog.{schema}.activity__staging").collect()
    operations = [row["operation"] for row in reversed(history)]
    assert (operations[0], operations.count("CREATE TABLE")) == ("CREATE TABLE", 1)
    assert len(operations) >= 5, "two batches were written and sealed"


@pytest.mark.torture
def test_a_merge_that_was_not_sealed(
    spark: Any, project: Project, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the MERGE and the commit that carries the batch: the next one finds the MERGE."""
    project.land("activity", "1.csv", HEADER + "1,a,2026-01-01\n")
    project.cli("run")
    project.land("activity", "2.csv", HEADER + "1,b,2026-01-02\n2,c,2026-01-02\n")
    assert project.cli("stage").code == 0

    def die(*arguments: Any, **options: Any) -> bool:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(CatalogTables, "seal", die)
        with pytest.raises(Crash):
            project.cli("merge")
    assert rows(spark, f"{schema}.activity", "event") == [("b",), ("c",)]
    figures = project.cli("run").feed["rows"]
    assert (figures["inserted"], figures["updated"]) == (1, 1)
    assert rows(spark, f"{schema}.activity", "event") == [("b",), ("c",)]
    history = spark.sql(f"DESCRIBE HISTORY spark_catalog.{schema}.activity").collect()
    assert [row["operation"] for row in history].count("MERGE") == 1


def test_a_catalog_needs_no_package_that_databricks_lacks() -> None:
    """The engine opens a catalog without DuckDB, delta-rs and what else only folders of tables need."""
    script = f"""
import os, sys
sys.path.insert(0, {REPOSITORY!r})
sys.modules |= dict.fromkeys(["deltalake", "arro3", "duckdb", "delta", "google.cloud.storage"])
from framework.engines.spark import SparkEngine
from framework.environment import EngineName, Environment
SparkEngine(Environment("prod", EngineName.SPARK, "/", catalog="main"), os.environ)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.torture
def test_a_table_that_is_there_with_constraints(spark: Any, project: Project, schema: str) -> None:
    """NOT NULL is told before anything is staged; CHECK leaves the target as it was, and the files pending."""
    table = f"spark_catalog.{schema}.activity"
    spark.sql(f"CREATE SCHEMA spark_catalog.{schema}")
    spark.sql(f"CREATE TABLE {table} (USER_ID BIGINT, Event STRING NOT NULL, event_time TIMESTAMP) USING DELTA")
    spark.sql(f"INSERT INTO {table} VALUES (1, 'there', TIMESTAMP '2026-01-01')")
    project.land("activity", "a.csv", HEADER + "1,later,2026-01-02\n2,bad,2026-01-02\n")
    refused = project.cli("run").feed["error"]
    assert refused["code"] == "schema"
    assert refused["message"].startswith(
        f"column Event of {schema}.activity is NOT NULL, and rows of the feed may have"
    )
    assert not spark.catalog.tableExists(f"{table}__staging")
    spark.sql(f"ALTER TABLE {table} ALTER COLUMN Event DROP NOT NULL")
    spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT sane CHECK (Event <> 'bad')")
    broken = project.cli("run").feed["error"]
    assert broken["code"] == "constraint"
    assert "refuses rows of this batch: they break" in broken["message"]
    assert "sane" in broken["message"]
    assert rows(spark, f"{schema}.activity", "USER_ID, Event") == [(1, "there")]
    assert project.cli("status").feed["last_result"] == "failed"
    spark.sql(f"ALTER TABLE {table} DROP CONSTRAINT sane")
    loaded = project.cli("run").feed["rows"]
    assert (loaded["inserted"], loaded["updated"]) == (1, 1)
    assert rows(spark, f"{schema}.activity", "USER_ID, Event") == [(1, "later"), (2, "bad")]

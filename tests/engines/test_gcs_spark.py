"""The Spark engine on gs://, in processes with a JVM of their own, beside the embedded one on the same tables."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from typing import Any

import pytest

from framework.engines.spark.lines import LINES_FROM
from tests.bucket_project import BucketProject
from tests.gcs_server import GcsServer
from tests.spark_session import NO_CONNECTOR, required
from tests.support import HEADER, REPOSITORY, Project

pytestmark = [pytest.mark.gcs, pytest.mark.spark, pytest.mark.local_spark]

ROWS = LINES_FROM // 50


@pytest.fixture(scope="session")
def connector() -> str:
    """The jar, fetched if it is not there; skipped without unless LANDFEED_REQUIRE names both gcs and spark."""
    path = os.path.join(REPOSITORY, "jars", "gcs-connector.jar")
    with open(os.path.join(tempfile.gettempdir(), "landfeed-connector.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several test processes one fetches it
        made = os.path.exists(path) or (
            shutil.which("mvn")
            and shutil.which("make")
            and subprocess.run(["make", "gcs-connector"], cwd=REPOSITORY).returncode == 0
        )
    if not made:
        if required("gcs") and required("spark"):
            pytest.fail(NO_CONNECTOR)
        pytest.skip(NO_CONNECTOR)
    return path


def rows(day: int, users: range) -> str:
    return "".join(f"{user},what user number {user:09} did,2026-01-{day:02} 10:00:00\n" for user in users)


DAYS = (
    {
        "large.csv": HEADER + rows(1, range(ROWS)),
        "odd[1].csv": HEADER + rows(1, range(ROWS + 2, ROWS + 3)) + "y,bad,\n",
        "small.csv": HEADER + rows(1, range(ROWS, ROWS + 2)) + "x,bad,\n",
    },
    {"next.csv": HEADER + rows(2, range(ROWS - 2, ROWS + 5)), "old.csv": HEADER + rows(1, range(2))},
)


def land(project: Project, day: int) -> None:
    for name, text in DAYS[day].items():
        project.land("activity", name, text)


def outcome(project: Project) -> dict[str, Any]:
    """What projects have in common that have loaded the same."""
    figures = "state, files, rows_read, rows_staged, rows_quarantined, inserted, updated, unchanged, stale"
    return {
        "target": project.rows("analytics.activity"),
        "quarantine": project.rows("analytics.activity__quarantine", "_line, _record, _errors"),
        "batches": project.rows("_landfeed.batches", figures),
        "landing": project.files("landing"),
        "archive": sorted(os.path.basename(name) for name in project.files("archive")),
    }


@pytest.mark.usefixtures("spark")  # so that Delta Lake's jars are there, and no two processes fetch them
def test_a_day_on_spark_and_a_day_on_the_embedded_engine(
    connector: str, tmp_path: os.PathLike[str], gcs_server: GcsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Landing, archive and tables in buckets. One file is so large that Spark itself reads it where it stands, the
    others are read by executors: of one Spark gives them the content, one they fetch by themselves."""
    assert len(DAYS[0]["large.csv"]) > LINES_FROM
    project = BucketProject(os.path.join(tmp_path, "bucket"), gcs_server, "activity", other_archive=True)
    project.environment("spark", f"gcs: {{connector: '{connector}'}}\n")
    land(project, 0)
    process = project.start("run")
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, out + errors
    assert "so the driver does" not in errors
    assert json.loads(out)["feeds"][0]["rows"]["inserted"] == ROWS + 3
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server.address)
    project.environment("embedded")
    land(project, 1)
    assert project.cli("run").feed["rows"]["updated"] == 5

    disk = Project(os.path.join(tmp_path, "disk"), "activity")
    for day in range(2):
        land(disk, day)
        assert disk.cli("run").code == 0
    assert outcome(project) == outcome(disk)


def test_tables_in_a_bucket_need_the_connector(tmp_path: os.PathLike[str], gcs_server: GcsServer) -> None:
    project = BucketProject(os.fspath(tmp_path), gcs_server, "activity")
    for settings, what in (("", "needs the connector for gs://"), ("gcs: {connector: ./no.jar}\n", "no such file")):
        project.environment("spark", settings)
        project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
        process = project.start("run")
        out, _ = process.communicate(timeout=60)
        error = json.loads(out)["feeds"][0]["error"]
        assert (process.returncode, error["code"]) == (1, "missing_dependency")
        assert what in error["message"]
        assert "make gcs-connector" in error["hint"]


def test_a_large_file_in_a_bucket_needs_the_connector(
    spark: Any, tmp_path: os.PathLike[str], gcs_server: GcsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only Spark itself does: small files are fetched."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server.address)
    project = BucketProject(os.fspath(tmp_path), gcs_server, "activity", local_tables=True, engine="spark")
    project.land("activity", "large.csv", DAYS[0]["large.csv"])
    error = project.cli("run").feed["error"]
    assert error["code"] == "missing_dependency", error
    assert "make gcs-connector" in error["hint"]

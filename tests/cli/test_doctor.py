"""`doctor` looks at what a run needs, tells what is wrong and what to do, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.cli import command, text
from tests.support import HEADER, REPOSITORY, Project


def health(project: Project) -> dict[str, str]:
    return {finding["subject"]: finding["health"] for finding in project.cli("doctor").document["findings"]}


def test_all_is_well_before_and_after_a_run(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    for _ in range(2):
        found = project.cli("doctor")
        assert (found.code, found.document["ok"]) == (0, True)
        assert set(health(project).values()) == {"ok"}
        assert project.cli("run").code == 0


def test_a_missing_landing_folder_and_a_damaged_table_are_told_with_what_to_do(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    shutil.rmtree(project.path("landing", "activity"))
    folder = project.path("tables", "analytics", "activity")
    (data,) = (name for name in os.listdir(folder) if name.endswith(".parquet"))
    os.unlink(os.path.join(folder, data))
    found = project.cli("doctor")
    assert found.code == 1
    wrong = {each["subject"]: each for each in found.document["findings"] if each["health"] == "error"}
    assert set(wrong) == {"activity: landing", "activity: target"}
    assert data in wrong["activity: target"]["message"]
    assert all(each["hint"] for each in wrong.values())
    said = text(project, "doctor")
    assert said.exit_code == 1
    assert "hint: create it, or mend source.path" in said.stderr


def test_a_torn_ledger_and_times_in_the_future_are_told(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("run").code == 0
    folder = project.path("tables", "_landfeed", "files")
    (data,) = (name for name in os.listdir(folder) if name.endswith(".parquet"))
    with open(os.path.join(folder, data), "rb+") as file:
        file.truncate(100)
    path = project.land("activity", "b.csv", HEADER + "1,a,2026-01-01\n")
    os.utime(path, (2**32, 2**32))
    found = {each["subject"]: each for each in project.cli("doctor").document["findings"] if each["health"] != "ok"}
    assert set(found) == {"ledger", "activity: landing"}
    assert data in found["ledger"]["message"]
    assert "1 of 1 file(s)" in found["activity: landing"]["message"]
    assert all(each["hint"] for each in found.values())


WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def test_folders_that_cannot_be_written_are_told(project: Project) -> None:
    if WITHOUT_RIGHTS and shutil.which(WITHOUT_RIGHTS[0]) is None:
        pytest.skip("root needs setpriv to be somebody to whom rights apply")
    folders = [project.path(folder) for folder in ("archive", "landing/activity", "tables")]
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o555)  # noqa: S103
    said = subprocess.run(
        [*WITHOUT_RIGHTS, *command(project, "--output", "json", "doctor")],
        env={**os.environ, "PYTHONPATH": REPOSITORY},
        capture_output=True,
        text=True,
        check=False,
    )
    for folder in folders:
        os.chmod(folder, 0o755)  # noqa: S103
    assert (said.returncode, "Traceback" in said.stderr) == (1, False)
    wrong = {each["subject"]: each for each in json.loads(said.stdout)["findings"] if each["health"] == "error"}
    assert set(wrong) >= {"activity: landing", "activity: archive", "activity: rejected", "tables"}
    assert all(each["hint"] for each in wrong.values())


def test_versions_and_the_engine_are_named(project: Project) -> None:
    (engine,) = (each for each in project.cli("doctor").document["findings"] if each["subject"] == "engine")
    assert "duckdb 2." in engine["message"]
    assert "Python 3." in engine["message"]

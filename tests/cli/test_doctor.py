"""`doctor` looks at what a run needs, tells what is wrong and what to do, and changes nothing."""

from __future__ import annotations

import os
import shutil

from tests.cli import text
from tests.support import HEADER, Project


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

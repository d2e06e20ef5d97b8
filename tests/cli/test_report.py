"""What `run` prints for people."""

from __future__ import annotations

import os
import re

from tests.cli import text
from tests.support import HEADER, Project


def test_a_run_over_many_feeds_ends_in_totals(tmp_path: os.PathLike[str]) -> None:
    project = Project(os.fspath(tmp_path), "a", "b", "c", "d")
    project.land("b", "1.csv", HEADER + "1,login,2026-01-01\n2,login,2026-01-01\n")
    project.land("c", "1.csv", "other\n1\n")
    lines = text(project, "run").stdout.splitlines()
    assert lines[:2] == ["b: succeeded (2 read, 2 staged, 2 inserted)", "c: rejected"]
    totals = "4 feeds: 2 nothing_to_do, 1 succeeded, 1 rejected (2 read, 2 staged, 2 inserted); "
    assert re.fullmatch(re.escape(totals) + r"\d+\.\d s", lines[2])
    assert text(project, "run", "a").stdout == "a: nothing_to_do\n"
    assert text(project, "run").stdout.startswith("4 feeds: 4 nothing_to_do; ")

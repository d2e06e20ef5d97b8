"""The examples of modes do what their expected.csv says."""

from __future__ import annotations

import csv
import os
import shutil

import pytest

from tests.support import REPOSITORY, Project

EXAMPLES = {"deletes": "crm.customers", "history": "crm.customers", "snapshot": "shop.prices"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str, tmp_path: os.PathLike[str]) -> None:
    here, table = os.path.join(REPOSITORY, "examples", name), EXAMPLES[name]
    project = Project(os.fspath(tmp_path))
    shutil.rmtree(project.path("pipelines_config"))
    shutil.copytree(os.path.join(here, "pipelines_config"), project.path("pipelines_config"))
    codes = []
    for day in ("day1", "day2"):
        shutil.copytree(os.path.join(here, day), project.path("landing", table.split(".")[1]), dirs_exist_ok=True)
        codes.append(project.cli("run").code)
    assert codes == ([0, 3] if name == "snapshot" else [0, 0]), "a picture that looks cut is rejected"
    with open(os.path.join(here, "expected.csv"), encoding="utf-8", newline="") as file:
        header, *expected = csv.reader(file)
    columns = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in header)
    found = [["" if value is None else value for value in row] for row in project.rows(table, columns)]
    assert sorted(found) == sorted(expected)

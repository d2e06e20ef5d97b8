"""The wheel: it installs without any engine on every Python that is here, and validates and bundles from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import pytest

from tests.databricks.targets import PROD, project_of
from tests.support import Project
from tests.wheels import output, pythons, surroundings

ENGINES = {"duckdb", "deltalake", "pyspark", "delta-spark", "google-cloud-storage", "pandas", "pyarrow"}


def test_the_wheel_holds_what_it_needs(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        required = [line for line in archive.read(metadata).decode().splitlines() if line.startswith("Requires-Dist:")]
        entry = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    kinds = ("feed", "environment", "defaults")
    assert {f"framework/schemas/{kind}.schema.json" for kind in kinds} | {
        "framework/py.typed",
        "framework/engines/spark/pools.xml",
    } <= set(names)
    assert {name.split("/")[0] for name in names} == {"framework", metadata.split("/")[0]}
    assert metadata.replace("METADATA", "licenses/LICENSE") in names
    always = [line.split()[1] for line in required if "extra ==" not in line]
    assert always
    assert not any(name.startswith(tuple(ENGINES)) for name in always)
    assert "landfeed = framework.start:main" in entry


def works_in_a_clean_venv(python: str, wheel: str, root: str) -> None:
    venv = os.path.join(root, "venv")
    output(python, "-m", "venv", "--without-pip", venv)
    inside = os.path.join(venv, "bin", "python")
    output(sys.executable, "-m", "pip", "--python", inside, "install", "--quiet", wheel)
    installed = json.loads(output(sys.executable, "-m", "pip", "--python", inside, "list", "--format", "json"))
    assert not ENGINES & {package["name"].lower() for package in installed}

    project = project_of(os.path.join(root, "project"), {"prod": PROD})
    landfeed = (os.path.join(venv, "bin", "landfeed"), "--config", project.path("pipelines_config"))
    assert output(landfeed[0], "--version").startswith("landfeed, version ")
    assert json.loads(output(landfeed[0], "schema"))["title"]
    assert output(*landfeed, "--env", "prod", "validate") == "2 feed(s) checked, nothing wrong\n"
    assert "databricks.yml: written" in output(*landfeed, "bundle")
    assert output(*landfeed, "bundle", "--check") == "the bundle is up to date\n"
    needs_an_engine(landfeed, Project(os.path.join(root, "local"), "activity"))


def needs_an_engine(landfeed: tuple[str, ...], project: Project) -> None:
    """What cannot be done says how it could."""
    command = [landfeed[0], "--config", project.path("pipelines_config"), "run"]
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings(), check=False)
    assert done.returncode == 1
    assert "pip install 'landfeed[embedded]'" in done.stderr


def test_it_works_in_a_clean_venv(wheel: str, tmp_path: os.PathLike[str]) -> None:
    works_in_a_clean_venv(sys.executable, wheel, os.fspath(tmp_path))


@pytest.mark.torture
@pytest.mark.parametrize("version", [pytest.param(v, id=".".join(map(str, v))) for v in pythons()])
def test_it_works_on_every_python(version: tuple[int, int], wheel: str, tmp_path: os.PathLike[str]) -> None:
    works_in_a_clean_venv(pythons()[version], wheel, os.fspath(tmp_path))

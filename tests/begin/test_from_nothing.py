"""As a stranger: a wheel, a clean virtual environment, an empty folder, a file; and nothing of this repository."""

from __future__ import annotations

import email
import os
import shlex
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.wheels import output, pythons, surroundings

FILE = """\
Ticket;Opened;Priority;Price
T-1;31.01.2026;2;12.50
T-2;01.02.2026;1;
T-3;13.02.2026;1;7.00
"""


def from_nothing_to_a_table(python: str, wheel: str, root: Path) -> None:
    """What is done beside installing is what is printed."""
    venv, folder = root / "venv", root / "project"
    output(python, "-m", "venv", "--without-pip", str(venv))
    inside = str(venv / "bin" / "python")
    output(sys.executable, "-m", "pip", "--python", inside, "install", "--quiet", f"{wheel}[embedded]")
    output(sys.executable, "-m", "pip", "--python", inside, "check")
    folder.mkdir()

    def landfeed(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(venv / "bin" / "landfeed"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings(), cwd=folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def next_steps(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
        lines = done.stderr.partition("next:")[2].splitlines()
        return [shlex.split(line) for line in lines if line.strip() and "FILE" not in line]

    assert "purchase" in landfeed("demo").stdout
    for step in next_steps(landfeed("init")):
        landfeed(*step[1:])
    (folder / "tickets.csv").write_text(FILE)
    copy, *steps = next_steps(landfeed("infer", "tickets.csv"))
    subprocess.run(copy, cwd=folder, check=True)
    printed = [landfeed(*step[1:]).stdout for step in steps]
    assert "3 inserted" in printed[1]
    assert "2026-02-13" in printed[2]
    assert landfeed("validate").stdout == "2 feed(s) checked, nothing wrong\n"
    assert "tickets" in landfeed("status").stdout


def test_from_nothing_to_a_table(wheel: str, tmp_path: Path) -> None:
    from_nothing_to_a_table(sys.executable, wheel, tmp_path)


@pytest.mark.torture
@pytest.mark.parametrize("version", [pytest.param(v, id=".".join(map(str, v))) for v in pythons()])
def test_from_nothing_to_a_table_on_every_python(version: tuple[int, int], wheel: str, tmp_path: Path) -> None:
    from_nothing_to_a_table(pythons()[version], wheel, tmp_path)


def test_the_metadata_is_complete(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Requires-Python"] == ">=3.11"
    classifiers = metadata.get_all("Classifier") or []
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(classifiers)
    assert "Typing :: Typed" in classifiers
    assert {"all", "embedded", "spark", "gcs", "watch"} <= set(metadata.get_all("Provides-Extra") or [])


@pytest.mark.torture
def test_a_source_distribution_builds_and_makes_the_wheel(tmp_path: Path) -> None:
    output(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    inside = str(tmp_path / "venv" / "bin" / "python")
    output(inside, "-m", "pip", "install", "--quiet", "build")
    output("git", "clone", "--quiet", REPOSITORY, str(tmp_path / "clone"))
    output(inside, "-m", "build", "--outdir", str(tmp_path / "dist"), str(tmp_path / "clone"))
    (sdist,) = (tmp_path / "dist").glob("landfeed-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {os.path.basename(name) for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "feed.schema.json"} <= names
    assert len(list((tmp_path / "dist").glob("landfeed-*.whl"))) == 1

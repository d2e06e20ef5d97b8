"""The recipes in examples/schedulers: each is tried as far as that is possible without its service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from framework.cli import landfeed
from tests.support import HEADER, REPOSITORY, Project

FOLDER = Path(REPOSITORY, "examples", "schedulers")
PACKAGES = {"airflow": "apache-airflow>=2.10,<3", "dagster": "dagster>=1.9,<2"}


def command(line: str) -> list[str]:
    """The arguments of the first call of landfeed in a line."""
    return line.partition("landfeed ")[2].split(">>")[0].split("&&")[0].replace('"', "").split()


@pytest.mark.parametrize("name", ["crontab", "landfeed.service", "github-actions.yml"])
def test_what_is_called_exists(name: str) -> None:
    lines = [line.partition("/bin/")[2] or line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]
    called = [command(line) for line in lines if "landfeed run" in line or "landfeed maintain" in line]
    called += [command(line) for line in lines if "landfeed --env" in line]
    assert called
    for words in called:
        known = landfeed.commands[next(word for word in words if word in landfeed.commands)]
        options = {option for parameter in known.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_the_workflow_runs_one_at_a_time() -> None:
    workflow = yaml.safe_load((FOLDER / "github-actions.yml").read_text(encoding="utf-8"))
    assert workflow["concurrency"] == {"group": "landfeed", "cancel-in-progress": False}


def test_the_units_are_understood(tmp_path: Path) -> None:
    """By systemd itself, where it is there; paths that only exist on a server are this machine's."""
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("needs systemd-analyze")
    for name in ("landfeed.service", "landfeed.timer"):
        text = (FOLDER / name).read_text(encoding="utf-8").replace("/srv/landfeed/.venv/bin/landfeed", sys.executable)
        (tmp_path / name).write_text(text.replace("/srv/landfeed", os.fspath(tmp_path)), encoding="utf-8")
    done = subprocess.run(
        [verify, "verify", "landfeed.timer"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def landed(project: Project) -> Project:
    project.feed(
        "user_activity",
        (Path(project.path("pipelines_config/feeds/activity.yml")))
        .read_text()
        .replace("activity", "user_activity")
        .replace("analytics.user_activity", "analytics.activity"),
    )
    os.remove(project.path("pipelines_config/feeds/activity.yml"))
    project.land("user_activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    return project


def environment(name: str, tmp_path: Path) -> Path:
    """The programs of a virtual environment that has a scheduler and not Landfeed; LANDFEED_VENVS keeps them."""
    folder = Path(os.environ.get("LANDFEED_VENVS") or tmp_path / "venvs") / name
    if not (folder / "bin" / name).exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", PACKAGES[name]], check=True)
    return folder / "bin"


def surroundings(project: Project, tmp_path: Path, **more: str) -> dict[str, str]:
    tool = tmp_path / "landfeed"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY}/runner.py" "$@"\n')
    tool.chmod(0o755)
    return {**os.environ, "LANDFEED_PROJECT": project.root, "LANDFEED_COMMAND": os.fspath(tool), **more}


@pytest.mark.torture
def test_a_dag_of_airflow_loads_a_feed(landed: Project, tmp_path: Path) -> None:
    programs, home = environment("airflow", tmp_path), tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    shutil.copy(FOLDER / "airflow_dag.py", home / "dags")
    environ = surroundings(
        landed, tmp_path, AIRFLOW_HOME=os.fspath(home), AIRFLOW__CORE__LOAD_EXAMPLES="false", PYTHONPATH=""
    )
    for arguments in (["db", "migrate"], ["dags", "test", "landfeed", "2026-01-02"]):
        done = subprocess.run(
            [programs / "airflow", *arguments], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert landed.rows("analytics.activity", "user_id, event") == [("1", "login")]
    (run,) = {row[0] for row in landed.rows("_landfeed.batches", "run_id")}
    assert run.endswith("/user_activity")


@pytest.mark.torture
def test_a_job_of_dagster_loads_a_feed(landed: Project, tmp_path: Path) -> None:
    programs, home = environment("dagster", tmp_path), tmp_path / "dagster"
    home.mkdir()
    environ = surroundings(landed, tmp_path, DAGSTER_HOME=os.fspath(home), PYTHONPATH="")
    arguments = ["job", "execute", "-f", os.fspath(FOLDER / "dagster_job.py"), "-j", "landfeed"]
    done = subprocess.run([programs / "dagster", *arguments], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert landed.rows("analytics.activity", "user_id, event") == [("1", "login")]

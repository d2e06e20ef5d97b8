"""Configuration files that cannot be read are told, and are not waited for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.support import REPOSITORY, Project

WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
NO_RIGHTS = pytest.mark.skipif(
    bool(WITHOUT_RIGHTS) and shutil.which("setpriv") is None, reason="root needs setpriv to be somebody without rights"
)


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    return Project(os.fspath(tmp_path), "a")


def restricted(project: Project, command: str) -> dict[str, Any]:
    """What a command says as JSON to somebody to whom rights apply."""
    script = [*WITHOUT_RIGHTS, sys.executable, os.path.join(REPOSITORY, "runner.py")]
    arguments = ["--config", project.path("pipelines_config"), "--output", "json", command]
    done = subprocess.run([*script, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("name", ["feeds/z.yml", "feeds/_defaults.yml"])
def test_a_pipe_is_not_waited_for(project: Project, name: str) -> None:
    os.mkfifo(project.path("pipelines_config", name))
    (problem,) = project.cli("validate").document["problems"]
    assert (problem["file"], problem["message"]) == (name, "it is a pipe or a device and no file")


def test_a_link_to_a_feed_file_is_read(project: Project) -> None:
    """As Kubernetes mounts them."""
    path = project.path("pipelines_config", "feeds", "a.yml")
    os.rename(path, project.path("elsewhere.yml"))
    os.symlink(project.path("elsewhere.yml"), path)
    assert project.cli("validate").code == 0


@NO_RIGHTS
@pytest.mark.parametrize("folder", ["feeds", "feeds/sub"])
def test_a_closed_folder_of_feeds_is_told(project: Project, folder: str) -> None:
    path = project.path("pipelines_config", folder)
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0)
    try:
        (problem,) = restricted(project, "validate")["problems"]
    finally:
        os.chmod(path, 0o700)
    assert (problem["file"], problem["message"]) == (folder, "the folder cannot be listed: Permission denied")


@NO_RIGHTS
def test_tables_that_cannot_be_looked_at_are_not_missing(project: Project) -> None:
    path = project.path("tables", "_landfeed")
    os.makedirs(path)
    os.chmod(path, 0)
    try:
        error = restricted(project, "history")["error"]
    finally:
        os.chmod(path, 0o700)
    assert (
        error["message"]
        == f"table _landfeed.batches: the folder {path}/batches/_delta_log cannot be looked at: Permission denied"
    )

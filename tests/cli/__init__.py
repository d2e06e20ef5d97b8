"""The command line as people and scripts meet it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from click.testing import CliRunner
from click.testing import Result as Said

from framework.cli import landfeed
from tests.support import REPOSITORY, Project

__all__ = ["Said", "command", "process", "text"]


def text(project: Project, *arguments: str) -> Said:
    """What a command of this process prints for people."""
    said = CliRunner().invoke(landfeed, ["--config", project.path("pipelines_config"), *arguments])
    if said.exception is not None and not isinstance(said.exception, SystemExit):
        raise said.exception
    return said


def command(project: Project, *arguments: str) -> list[str]:
    """The arguments of a process that runs a command."""
    return [
        sys.executable,
        os.path.join(REPOSITORY, "runner.py"),
        "--config",
        project.path("pipelines_config"),
        *arguments,
    ]


def process(project: Project, *arguments: str, environ: dict[str, str] | None = None, **options: Any) -> Any:
    """A command as a process of its own, which has ended; what it printed as text."""
    surroundings = {**os.environ, "PYTHONPATH": REPOSITORY, **(environ or {})}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "timeout": 120}
    return subprocess.run(command(project, *arguments), env=surroundings, check=False, **{**pipes, **options})

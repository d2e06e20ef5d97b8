"""Every command of the tutorial works, and prints what the tutorial shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import blocks, document
from tests.support import REPOSITORY


@pytest.mark.timeout(400)  # some twenty commands, a process each
def test_the_tutorial_is_true(tmp_path: Path) -> None:
    tools, folder = tmp_path / "bin", tmp_path / "project"
    tools.mkdir()
    folder.mkdir()
    (tools / "landfeed").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY}/runner.py" "$@"\n')
    (tools / "landfeed").chmod(0o755)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    environ.pop("LANDFEED_ENV", None)
    printed = ""
    for language, text in blocks(document("docs", "tutorial.md")):
        if language == "sh":
            command = ["bash", "-euo", "pipefail", "-c", text]
            done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            printed = done.stdout
        elif language == "text":
            assert printed.endswith(text), printed

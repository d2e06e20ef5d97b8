"""Pages that are followed: their `sh` blocks are run one after the other in an empty folder, and where a `text` block
follows, the last of them has printed it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.documents import blocks, document
from tests.support import REPOSITORY

COMMAND = """\
#!/bin/sh
"{python}" "{repository}/runner.py" "$@" || exit $?
if [ "$1" = init ]; then sed -i 's/^engine: embedded/engine: {engine}/' pipelines_config/environments/local.yml; fi
"""


def follow(page: str, folder: Path, engine: str = "embedded") -> Path:
    """Follow a page; the folder in which that was done. With another engine the projects that are begun have that."""
    tools, project = folder / "bin", folder / "project"
    tools.mkdir()
    project.mkdir()
    command = COMMAND.format(python=sys.executable, repository=REPOSITORY, engine=engine)
    (tools / "landfeed").write_text(command)
    (tools / "landfeed").chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    environ.pop("LANDFEED_ENV", None)
    printed = ""
    for language, text in blocks(document(*page.split("/"))):
        if language == "sh":
            shell = ["bash", "-euo", "pipefail", "-c", text]
            done = subprocess.run(shell, cwd=project, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            printed = done.stdout
        elif language == "text":
            assert printed.endswith(text), printed
    return project

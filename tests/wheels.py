"""The wheel, built once for the tests that install it, and the Pythons of this machine."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from functools import cache

from tests.support import REPOSITORY

__all__ = ["build_wheel", "output", "pythons", "surroundings"]

BUILT_FROM = ("framework", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "MANIFEST.in")
OLDEST = (3, 11)


def output(*command: str, cwd: str | None = None) -> str:
    """What a command prints; fails with all of it when the command does."""
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings(), cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def surroundings() -> dict[str, str]:
    """The environment variables, without what would bring this project's code or settings in."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LANDFEED"))}


@cache
def pythons() -> dict[tuple[int, int], str]:
    """A Python of each version that Landfeed is for, by version."""
    candidates = [sys.executable, *glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python"))]
    candidates += [path for minor in range(OLDEST[1], 20) if (path := shutil.which(f"python3.{minor}"))]
    found: dict[tuple[int, int], str] = {}
    for path in candidates:
        code = "import sys; print(*sys.version_info[:2])"
        asked = subprocess.run([path, "-c", code], capture_output=True, text=True, env=surroundings(), check=False)
        if asked.returncode == 0:
            major, minor = map(int, asked.stdout.split())
            found.setdefault((major, minor), path)
    return {version: found[version] for version in sorted(found) if version >= OLDEST}


def build_wheel(folder: str) -> str:
    """The path of the wheel, built from a copy: setuptools leaves its traces in the folder that it builds."""
    for name in BUILT_FROM:
        source, copy = os.path.join(REPOSITORY, name), os.path.join(folder, name)
        if os.path.isdir(source):
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    output(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", f"{folder}/dist", f"{folder}")
    (found,) = glob.glob(f"{folder}/dist/landfeed-*.whl")
    return found

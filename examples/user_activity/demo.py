"""The login → purchase example: two files on two days, through the command line that users have.

Runs in a fresh folder each time and prints what each day changed, the target table, and where the files went.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))


def main() -> None:
    """Lay out a project of its own, land a file a day, run, show."""
    with tempfile.TemporaryDirectory(prefix="landfeed-demo-") as folder:
        shutil.copytree(os.path.join(PROJECT, "pipelines_config"), os.path.join(folder, "pipelines_config"))
        landing = os.path.join(folder, "data", "source", "user_activity")
        os.makedirs(landing)
        for day, name in (("day1", "file1.csv"), ("day2", "file2.csv")):
            print(f"\n── {day}: {name} lands ──")
            shutil.copy(os.path.join(HERE, day, name), landing)
            with open(os.path.join(landing, name), encoding="utf-8") as lines:
                print(lines.read())
            landfeed(folder, "run")
            print("\nThe target table analytics.user_activity:")
            landfeed(folder, "show", "user_activity")
        print("\nThe row that could not be loaded is kept with its reasons:")
        landfeed(folder, "show", "user_activity", "--quarantine")
        print("\nWhere the files are now:")
        for parent, _, names in sorted(os.walk(os.path.join(folder, "data", "archive"))):
            for name in sorted(names):
                print(" ", os.path.relpath(os.path.join(parent, name), folder))
        assert not os.listdir(landing), "landing is empty again"  # noqa: S101


def landfeed(folder: str, *arguments: str) -> None:
    """The command line, as in a shell; ends the demo when it fails."""
    sys.stdout.flush()
    runner = [sys.executable, os.path.join(PROJECT, "runner.py")]
    subprocess.run([*runner, "--config", os.path.join(folder, "pipelines_config"), *arguments], check=True)


if __name__ == "__main__":
    main()

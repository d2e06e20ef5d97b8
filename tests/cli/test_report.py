"""What `run` prints for people."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from framework.cli.say import fitting
from tests.cli import command, text
from tests.support import HEADER, Project, terminal_output


def test_a_run_over_many_feeds_ends_in_totals(tmp_path: os.PathLike[str]) -> None:
    project = Project(os.fspath(tmp_path), "a", "b", "c", "d")
    project.land("b", "1.csv", HEADER + "1,login,2026-01-01\n2,login,2026-01-01\n")
    project.land("c", "1.csv", "other\n1\n")
    lines = text(project, "run").stdout.splitlines()
    assert lines[:2] == ["b: succeeded (2 read, 2 staged, 2 inserted)", "c: rejected"]
    totals = "4 feeds: 2 nothing_to_do, 1 succeeded, 1 rejected (2 read, 2 staged, 2 inserted); "
    assert re.fullmatch(re.escape(totals) + r"\d+\.\d s", lines[2])
    assert text(project, "run", "a").stdout == "a: nothing_to_do\n"
    assert text(project, "run").stdout.startswith("4 feeds: 4 nothing_to_do; ")


@pytest.mark.parametrize(
    ("widths", "line", "shown"),
    [
        ([5, 6], 80, [5, 6]),
        ([5, 100], 80, [5, 73]),
        ([5, 100, 200], 80, [5, 35, 35]),
        ([100, 5, 30], 80, [41, 5, 30]),
        ([50, 50, 50], 10, [8, 8, 8]),
    ],
)
def test_columns_of_a_table_fit_into_a_line(widths: list[int], line: int, shown: list[int]) -> None:
    found = fitting(widths, [True] * len(widths), line)
    assert found == [min(width, max(shown)) for width in widths]
    assert sum(found) + 2 * (len(found) - 1) <= line or set(found) == {8}
    assert fitting([100, *widths], [False] + [True] * len(widths), line + 102) == [100, *found]


def test_wide_values_are_cut_on_a_terminal(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + f"1,{'x' * 500},2026-01-01\n")
    assert text(project, "run").exit_code == 0
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown = subprocess.Popen(command(project, "show"), stdout=other, stderr=subprocess.DEVNULL, env=dict(os.environ))
    os.close(other)
    lines = terminal_output(main).decode().splitlines()
    assert shown.wait() == 0
    assert max(map(len, lines)) <= 80
    assert "x…" in lines[2]
    assert "x" * 500 in text(project, "show").stdout

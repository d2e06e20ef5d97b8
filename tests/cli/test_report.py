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

from framework.cli.tables import fitting
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
    ("options", "named", "counted"), [((), 20, ["  3 more files were rejected; -v names them"]), (("-v",), 23, None)]
)
def test_of_many_rejected_files_some_are_named(
    tmp_path: os.PathLike[str], options: tuple[str, ...], named: int, counted: list[str] | None
) -> None:
    project = Project(os.fspath(tmp_path), "a")
    for number in range(23):
        project.land("a", f"{number:02}.csv", "other\n1\n")
    lines = text(project, "run", *options).stderr.splitlines()
    assert sum(": rejected: " in line for line in lines) == named
    assert counted is None or [line for line in lines if "more files" in line] == counted


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


def on_terminal(project: Project, *arguments: str, width: int = 80) -> list[str]:
    """What a command shows on a terminal of a width, line by line as it is written. COLUMNS, which workers of the
    tests may have, would count more."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    shown = subprocess.Popen(command(project, *arguments), stdout=other, stderr=other, env=environ)
    os.close(other)
    lines = terminal_output(main).decode().splitlines()
    shown.wait()
    return lines


def test_wide_values_are_cut_on_a_terminal(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + f"1,{'x' * 500},2026-01-01\n")
    assert text(project, "run").exit_code == 0
    lines = on_terminal(project, "show")
    assert max(map(len, lines)) <= 80
    assert "x…" in lines[2]
    assert "x" * 500 in text(project, "show").stdout


def test_what_is_told_of_loads_fits_into_80_columns(project: Project) -> None:
    """What does not fit as a table is a block of lines; the names of files are as short as they can be."""
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\nx,b,2026-01-01\n")
    project.land("activity", "b.csv", HEADER + "y,a,2026-01-01\n")
    assert text(project, "run").exit_code == 3
    for arguments in (["history"], ["status"], ["quarantine"]):
        tables = [line for line in on_terminal(project, *arguments) if not line.startswith("rejected: ")]
        assert max(map(len, tables)) <= 80, arguments
    (state,) = [line.split() for line in on_terminal(project, "history") if line.startswith("state ")]
    assert state == ["state", "archived"]
    assert "state" in on_terminal(project, "history", width=200)[0].split()
    reasons = dict(line.split(maxsplit=1) for line in on_terminal(project, "quarantine") if "  " in line)
    assert (reasons["code"], reasons["line"], reasons["message"]) == ("bad_value", "3", "not a bigint")
    told = on_terminal(project, "status", "--env", "local")
    assert next(line for line in told if line.startswith("rejected: ")).endswith("line 2)")


def test_a_mistake_far_to_the_right_is_shown_where_it_is(project: Project) -> None:
    path = project.path("pipelines_config", "feeds", "activity.yml")
    with open(path, encoding="utf-8") as file:
        content = file.read()
    options = "{sep: ',', quote: '\"', escape: '\"', header: true, comment: '#', multiLine: true, delimiter: ','}"
    project.feed("activity", content.replace("format: csv", f"format: csv\n  options: {options}"))
    lines = on_terminal(project, "validate")
    (at,) = [index for index, line in enumerate(lines) if line.strip() == "^"]
    assert lines[at - 1][lines[at].index("^") :].startswith("delimiter")
    assert max(map(len, lines[at - 1 : at + 1])) <= 80

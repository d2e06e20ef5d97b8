"""Standard streams that are closed, full or of a small alphabet, and names that want to be more than names."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from framework.cli.streams import printable
from framework.names import Status
from tests.cli import command, process, text
from tests.support import HEADER, REPOSITORY, Project

ROW = "1,login,2026-01-01T00:00:00\n"
EVIL = "\x1b[31mred\x07\r\n2026 all is well\u202e ü日.csv"
SHOWN = r"\x1b[31mred\x07\r\n2026 all is well\u202e ü日.csv"
COMMANDS = ("plan", "run", "status", "history", "show")


def shell(project: Project, redirections: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A command with its streams redirected by a shell."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *command(project, *arguments)],
        env={**os.environ, "PYTHONPATH": REPOSITORY},
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def landed(project: Project) -> Project:
    project.land("activity", "1.csv", HEADER + ROW)
    return project


def loaded(project: Project) -> bool:
    return len(project.rows("analytics.activity")) == 1 and project.files("landing/activity") == []


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_stop_the_work(landed: Project, closed: str) -> None:
    assert shell(landed, closed, "run").returncode == 0
    assert loaded(landed)


def test_what_goes_to_a_closed_stream_goes_nowhere_else(landed: Project) -> None:
    """A landing folder that is missing is told on stderr; stdout stays a document."""
    os.remove(landed.path("landing", "activity", "1.csv"))
    os.rmdir(landed.path("landing", "activity"))
    ended = shell(landed, "2>&-", "run", "--output", "json")
    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (1, "failed")


@pytest.mark.parametrize("arguments", [*COMMANDS, "run --output json", "validate", "schema", "--help", "run --help"])
def test_a_full_stdout_is_told_when_the_work_is_done(landed: Project, arguments: str) -> None:
    ended = shell(landed, "> /dev/full", *arguments.split())
    assert ended.returncode == 1
    assert b"standard output cannot be written: No space left on device" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert b"Exception ignored" not in ended.stderr
    assert loaded(landed) is (arguments.startswith("run") and "help" not in arguments)


def test_a_full_stderr_changes_nothing(landed: Project) -> None:
    ended = shell(landed, "2> /dev/full", "run")
    assert (ended.returncode, ended.stdout[:19]) == (0, b"activity: succeeded")
    assert loaded(landed)


def test_a_reader_that_goes_away_does_not_stop_the_work(landed: Project) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = process(landed, "run", stdout=writing)
    os.close(writing)
    assert "Traceback" not in ended.stderr
    assert loaded(landed)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_every_command_speaks_every_encoding(project: Project, encoding: str) -> None:
    project.land("activity", "Größe €.csv", HEADER + ROW)
    for name in COMMANDS:
        environ = {"PYTHONIOENCODING": encoding}
        ended = process(project, name, environ=environ, encoding="latin-1")
        assert (ended.returncode, ended.stderr.replace("activity: succeeded\n", "")) == (0, "")
    assert (
        r"Gr\xf6\xdfe \u20ac.csv"
        in process(project, "history", "--files", environ={"PYTHONIOENCODING": "ascii"}, encoding="ascii").stdout
    )


@pytest.fixture
def evil(project: Project) -> Project:
    """A project with a file that is rejected and one that is loaded, both of which are called names."""
    project.land("activity", EVIL, "other\n1\n")
    project.land("activity", f"good {EVIL}", HEADER + f'1,"{EVIL}",2026-01-01T00:00:00\n')
    return project


def test_names_and_values_are_shown_in_one_line_without_their_powers(evil: Project) -> None:
    said = [text(evil, "plan"), text(evil, "run"), text(evil, "history", "--files"), text(evil, "show")]
    for each in said:
        assert SHOWN in each.stdout + each.stderr
        for line in (each.stdout + each.stderr).split("\n"):
            assert line.isprintable()
            assert not line.startswith("2026 all")


def test_watch_shows_names_without_their_powers(evil: Project) -> None:
    said = text(evil, "watch", "--once")
    assert said.exit_code == 3
    assert f"/landing/activity/{SHOWN}: rejected: " in said.stderr
    assert all(line.isprintable() for line in (said.stdout + said.stderr).split("\n"))


def test_what_is_printable_stays_as_it_is() -> None:
    assert printable("Größe 日本 €") == "Größe 日本 €"
    assert printable("a\tb\\n\udcff\x9b") == r"a\tb\n\udcff\x9b"
    assert printable(str(Status.FAILED)) == "failed"


def test_names_of_files_are_utf8_whatever_the_locale_says(project: Project) -> None:
    names = ["Größe €.csv", "日本.csv"]
    for number, name in enumerate(names):
        project.land("activity", name, HEADER + f"{number},login,2026-01-01\n")
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = process(project, "--output", "json", "run", environ=environ)
    assert ended.returncode == 0
    assert sorted(os.path.basename(file["file"]) for file in json.loads(ended.stdout)["feeds"][0]["files"]) == names
    assert len(project.rows("analytics.activity")) == 2

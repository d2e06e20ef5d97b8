"""Each key of a feed file does what its description says, through the real command line."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from deltalake import DeltaTable

from tests.support import HEADER, REPOSITORY, Project, terminal_output

pytestmark = [pytest.mark.engines, pytest.mark.rarely]


STATES = ("archived", "merged", "staged")


@dataclass(frozen=True, slots=True)
class Keyed:
    """A feed whose file says something about a key, and the files that land for it."""

    files: Mapping[str, str | bytes]
    source: str = ""
    schema: str = "{id: int, name: string}"
    target: str = ""
    more: str = ""
    modified: Mapping[str, int] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return (
            f"feed: {name}\nsource: {{path: '${{landing}}/{name}/', format: csv{self.source}}}\n"
            f"schema: {self.schema}\ntarget: {{table: s.{name}, keys: [id]{self.target}}}\n{self.more}"
        )


_DEEP = {"2026/11/b.csv": "id,name\n2,y\n", "a.csv": "id,name\n1,x\n"}
_NEW, _MISSING = {"a.csv": "id,name,new\n1,x,y\n"}, {"a.csv": "id\n1\n"}
_SEVERAL = "{id: {type: int, source_name: [ident, number]}, name: string}"
FEEDS = {
    "headless": Keyed({"a.csv": "1,x\n2,y\n3\n4,z,more\n"}, ", options: {header: false}"),
    "headless_broken": Keyed({"a.csv": '1,"x" y\n2,y\n'}, ", options: {header: false}"),
    "recursive": Keyed(_DEEP, ", recursive: true"),
    "flat": Keyed(_DEEP, ", recursive: false"),
    "by_modified": Keyed(
        {"z.csv": "id,name\n1,z\n", "a.csv": "id,name\n1,a\n"},
        ", order_by: modified",
        modified={"z.csv": 1_000, "a.csv": 2_000},
    ),
    "one_name": Keyed({"a.csv": "ident,name\n7,x\n"}, schema=_SEVERAL),
    "other_name": Keyed({"a.csv": "NUMBER,name\n7,x\n"}, schema=_SEVERAL),
    "two_names": Keyed({"a.csv": "number,ident\n8,7\n"}, schema=_SEVERAL),
    "between": Keyed(
        {"a.csv": "id,day\n1,31.12.2025\n2,01.01.2026\n3,31.12.2026\n4,01.01.2027\n5,\n"},
        schema="{id: int, day: {type: date, format: dd.MM.yyyy, min: 01.01.2026, max: 31.12.2026}}",
    ),
    "accepted": Keyed(
        {"a.csv": "id,name\n1.0,x\n4,x\n2,X\n3,\n"},
        schema="{id: {type: int, accepted_values: [1, 2, 3]}, name: {type: string, pattern: '^[a-z]+$'}}",
    ),
    "defaults": Keyed(
        {"a.csv": "id,name\n1,\n2,x\n", "b.csv": "id\n3\n"},
        schema="{id: int, name: {type: string, required: true, default: nobody}}",
    ),
    "no_new_columns": Keyed(_NEW, more="schema_contract: {new_columns: reject_file}\n"),
    "no_missing_columns": Keyed(_MISSING, more="schema_contract: {missing_columns: reject_file}\n"),
    "new_columns": Keyed(_NEW),
    "missing_columns": Keyed(_MISSING),
    "encodings": Keyed(
        {"a.csv": "id,name\n1,ü\n".encode(), "b.csv": "id,name\n2,ü€\n".encode("windows-1252")},
        ", encoding: [utf-8, windows-1252]",
    ),
    "timezone": Keyed(
        {"a.csv": "id,at\n1,2026-07-01 12:00\n2,2026-07-01T12:00Z\n"},
        ", timezone: Europe/Rome",
        "{id: int, at: timestamp}",
    ),
    "comment": Keyed({"a.csv": "id,name\n1,x\n"}, target=", comment: 'Who is who', staging: s.waiting"),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The project after its run, and what the run said of each feed."""

    project: Project
    feeds: dict[str, dict[str, Any]]

    def table(self, name: str) -> list[tuple[Any, ...]]:
        return self.project.rows(f"s.{name}")

    def figures(self, name: str) -> tuple[int, int]:
        """Rows staged and quarantined."""
        rows = self.feeds[name]["rows"]
        return rows["staged"], rows["quarantined"]


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """One run of all the feeds."""
    project = Project(os.fspath(tmp_path_factory.mktemp("keys")), engine=engine)
    for name, keyed in FEEDS.items():
        project.feed(name, keyed.text(name))
        for file, content in keyed.files.items():
            path = project.land(name, file, content)
            if moment := keyed.modified.get(file):
                os.utime(path, (moment, moment))
    result = project.cli("run")
    assert result.code == 3
    return Loaded(project, {feed["feed"]: feed for feed in result.document["feeds"]})


def test_without_a_header_columns_are_mapped_by_position(loaded: Loaded) -> None:
    assert loaded.figures("headless") == (2, 2)
    assert loaded.table("headless") == [("1", "x"), ("2", "y")]


def test_without_a_header_a_broken_first_record_is_quarantined(loaded: Loaded) -> None:
    assert loaded.figures("headless_broken") == (1, 1)


@pytest.mark.parametrize(("name", "found", "left"), [("recursive", ["1", "2"], []), ("flat", ["1"], ["2026/11/b.csv"])])
def test_recursive(loaded: Loaded, name: str, found: list[str], left: list[str]) -> None:
    assert [row[0] for row in loaded.table(name)] == found
    assert loaded.project.files(f"landing/{name}") == left


def test_order_by_modified(loaded: Loaded) -> None:
    """The file that was written last wins, whatever its name."""
    assert loaded.table("by_modified") == [("1", "a")]


@pytest.mark.parametrize("name", ["one_name", "other_name"])
def test_source_name_may_be_one_of_several(loaded: Loaded, name: str) -> None:
    assert loaded.table(name) == [("7", "x")]


def test_of_two_source_names_in_one_file_the_first_counts(loaded: Loaded) -> None:
    assert loaded.table("two_names") == [("7", None)]


def test_min_and_max_of_dates(loaded: Loaded) -> None:
    assert loaded.figures("between") == (3, 2)
    messages = [row[0] for row in loaded.project.rows("s.between__quarantine", "_errors[1].message m")]
    assert sorted(messages) == ["less than 01.01.2026", "more than 31.12.2026"]


def test_accepted_values_and_patterns(loaded: Loaded) -> None:
    assert loaded.figures("accepted") == (2, 2)


def test_required_with_a_default_is_never_missing(loaded: Loaded) -> None:
    assert loaded.figures("defaults") == (3, 0)
    assert loaded.table("defaults") == [("1", "nobody"), ("2", "x"), ("3", "nobody")]


@pytest.mark.parametrize(
    ("refused", "taken", "reason"),
    [("no_new_columns", "new_columns", "new"), ("no_missing_columns", "missing_columns", "name")],
)
def test_schema_contract(loaded: Loaded, refused: str, taken: str, reason: str) -> None:
    assert (loaded.feeds[refused]["status"], loaded.table(refused)) == ("rejected", [])
    assert reason in loaded.feeds[refused]["files"][0]["reason"]
    assert (loaded.feeds[taken]["status"], len(loaded.table(taken))) == ("succeeded", 1)


def test_encodings_are_tried_in_order(loaded: Loaded) -> None:
    assert loaded.table("encodings") == [("1", "ü"), ("2", "ü€")]


def test_timezone_is_that_of_times_without_one(loaded: Loaded) -> None:
    assert loaded.table("timezone") == [("1", "2026-07-01 10:00:00+00"), ("2", "2026-07-01 12:00:00+00")]


def test_comment_and_staging_table(loaded: Loaded) -> None:
    assert [row[:2] for row in loaded.project.rows("s.waiting")] == [("1", "x")]
    path = loaded.project.path("tables", "s", "comment")
    assert DeltaTable(path).metadata().description == "Who is who"


def test_max_files_per_batch(project: Project) -> None:
    """Five files are three batches of one run, in order."""
    project.feed("keyed", Keyed({}, ", max_files_per_batch: 2").text("keyed"))
    for number in range(5):
        project.land("keyed", f"f{number}.csv", f"id,name\n{number},x\n9,f{number}\n")
    assert project.cli("run", "keyed").code == 0
    assert project.rows("s.keyed", "id, name")[-1] == ("9", "f4")
    assert project.rows("_landfeed.batches", "files, state") == [
        (files, state) for files, times in (("1", 1), ("2", 2)) for state in STATES for _ in range(times)
    ]
    assert project.files("landing/keyed") == []


@pytest.fixture
def others_project() -> Iterator[Project]:
    """A project that belongs to a user who may not read everything."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Project(folder, "activity")


def test_an_unreadable_file_stays_and_the_others_are_loaded(others_project: Project) -> None:
    project = others_project
    project.land("activity", "good.csv", HEADER + "1,a,2026-01-01\n")
    project.cli("run")  # everything is imported before rights are given up
    secret = project.land("activity", "secret.csv", HEADER + "2,b,2026-01-01\n")
    project.land("activity", "open.csv", HEADER + "3,c,2026-01-01\n")
    os.chmod(secret, 0)
    user = os.geteuid()
    if user == 0:
        subprocess.run(["chown", "-R", "65534", project.root], check=True)
        os.seteuid(65534)
    try:
        result = project.cli("run")
    finally:
        os.seteuid(user)
    assert "permission denied" in str(result.document)
    assert sorted(row[0] for row in project.rows("analytics.activity")) == ["1", "3"]


def on_a_terminal(project: Project, *arguments: str) -> str:
    """What a command writes to stderr when that is a terminal."""
    main, other = pty.openpty()
    command = [sys.executable, os.path.join(REPOSITORY, "runner.py"), "--config", project.path("pipelines_config")]
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.DEVNULL, stderr=other, env={**os.environ, "TERM": "xterm"}
    )
    os.close(other)
    shown = terminal_output(main)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


@pytest.mark.embedded
def test_progress_is_shown_on_a_terminal_when_it_takes_long(project: Project) -> None:
    rows = "".join(f"{number},event,2026-01-01\n" for number in range(2_000_000))
    project.land("activity", "large.csv", HEADER + rows)
    shown = on_a_terminal(project, "run")
    found = re.findall(r"0 of 1 done, 0:\d\d; activity: stage 1 file\(s\), (\d+\.\d) of 48\.9 MB", shown)
    read = [float(megabytes) for megabytes in found]
    assert read, shown
    assert read == sorted(read), "it never goes back"
    assert read[-1] <= 48.9
    assert on_a_terminal(project, "run") == "", "nothing is shown when there is nothing to wait for"


@pytest.mark.embedded
def test_one_line_a_feed_when_it_is_no_terminal(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    _, errors = project.start("run").communicate(timeout=60)
    assert errors == "activity: succeeded\n"


def test_a_second_feed_is_one_file(tmp_path: os.PathLike[str]) -> None:
    """The README's walk from a clone to one's own feed, with the feed file that the README shows."""
    with open(os.path.join(REPOSITORY, "README.md"), encoding="utf-8") as readme:
        shown = re.findall(r"```yaml\n(.*?)```", readme.read(), re.DOTALL)[0]
    root = os.fspath(tmp_path)
    subprocess.run(["cp", "-r", os.path.join(REPOSITORY, "pipelines_config"), root], check=True)
    project = Project.__new__(Project)
    project.root = root
    project.write("pipelines_config/feeds/orders.yml", shown)
    assert project.cli("validate").code == 0
    names = [line.split(":")[0].strip() for line in shown.split("schema:")[1].split("target:")[0].splitlines()]
    columns = [name for name in names if name and not name.startswith("#")]
    project.write("data/source/orders/first.csv", ",".join(columns) + "\n")
    assert project.cli("plan", "orders").code == 0
    result = project.cli("run", "orders")
    assert (result.code, result.feed["files"][0]["status"]) == (0, "archived")

"""Each key of a feed file does what its description says, through the real command line."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest

from tests.support import HEADER, REPOSITORY, Project, terminal_output

pytestmark = pytest.mark.engines


def feed(source: str = "", schema: str = "{id: int, name: string}", target: str = "", more: str = "") -> str:
    return (
        f"feed: keyed\nsource: {{path: '${{landing}}/keyed/', format: csv{source}}}\nschema: {schema}\n"
        f"target: {{table: s.keyed, keys: [id]{target}}}\n{more}"
    )


STATES = ("archived", "merged", "staged")


def load(project: Project, text: str, **files: str) -> dict[str, int]:
    """Land files (name without .csv → text), run, and give the row figures."""
    project.feed("keyed", text)
    for name, content in files.items():
        project.land("keyed", f"{name}.csv", content)
    result = project.cli("run", "keyed")
    assert result.code in (0, 3), result.document
    rows: dict[str, int] = result.feed["rows"]
    return rows


def test_without_a_header_columns_are_mapped_by_position(project: Project) -> None:
    rows = load(project, feed(", options: {header: false}"), a="1,x\n2,y\n3\n4,z,more\n")
    assert (rows["staged"], rows["quarantined"]) == (2, 2)
    assert project.rows("s.keyed") == [("1", "x"), ("2", "y")]


def test_without_a_header_a_broken_first_record_is_quarantined(project: Project) -> None:
    rows = load(project, feed(", options: {header: false}"), a='1,"x" y\n2,y\n')
    assert (rows["staged"], rows["quarantined"]) == (1, 1)


@pytest.mark.parametrize(("recursive", "found"), [("true", ["1", "2"]), ("false", ["1"])])
def test_recursive(project: Project, recursive: str, found: list[str]) -> None:
    project.land("keyed", "2026/11/b.csv", "id,name\n2,y\n")
    load(project, feed(f", recursive: {recursive}"), a="id,name\n1,x\n")
    assert [row[0] for row in project.rows("s.keyed")] == found
    assert project.files("landing/keyed") == ([] if recursive == "true" else ["2026/11/b.csv"])


def test_order_by_modified(project: Project) -> None:
    """The file that was written last wins, whatever its name."""
    project.feed("keyed", feed(", order_by: modified"))
    for name, moment in (("z", 1_000), ("a", 2_000)):
        path = project.land("keyed", f"{name}.csv", f"id,name\n1,{name}\n")
        os.utime(path, (moment, moment))
    project.cli("run", "keyed")
    assert project.rows("s.keyed") == [("1", "a")]


def test_max_files_per_batch(project: Project) -> None:
    """Five files are three batches of one run, in order."""
    text = feed(", max_files_per_batch: 2")
    load(project, text, **{f"f{number}": f"id,name\n{number},x\n9,f{number}\n" for number in range(5)})
    assert project.rows("s.keyed", "id, name")[-1] == ("9", "f4")
    assert project.rows("_landfeed.batches", "files, state") == [
        (files, state) for files, times in (("1", 1), ("2", 2)) for state in STATES for _ in range(times)
    ]
    assert project.files("landing/keyed") == []


@pytest.mark.parametrize("header", ["ident", "NUMBER"])
def test_source_name_may_be_one_of_several(project: Project, header: str) -> None:
    load(
        project, feed(schema="{id: {type: int, source_name: [ident, number]}, name: string}"), a=f"{header},name\n7,x\n"
    )
    assert project.rows("s.keyed") == [("7", "x")]


def test_of_two_source_names_in_one_file_the_first_counts(project: Project) -> None:
    schema = "{id: {type: int, source_name: [ident, number]}, name: string}"
    load(project, feed(schema=schema), a="number,ident\n8,7\n")
    assert project.rows("s.keyed") == [("7", None)]


def test_min_and_max_of_dates(project: Project) -> None:
    schema = "{id: int, day: {type: date, format: dd.MM.yyyy, min: 01.01.2026, max: 31.12.2026}}"
    rows = load(project, feed(schema=schema), a="id,day\n1,31.12.2025\n2,01.01.2026\n3,31.12.2026\n4,01.01.2027\n5,\n")
    assert (rows["staged"], rows["quarantined"]) == (3, 2)
    messages = [row[0] for row in project.rows("s.keyed__quarantine", "_errors[1].message m")]
    assert sorted(messages) == ["less than 01.01.2026", "more than 31.12.2026"]


def test_accepted_values_and_patterns(project: Project) -> None:
    schema = "{id: {type: int, accepted_values: [1, 2, 3]}, name: {type: string, pattern: '^[a-z]+$'}}"
    rows = load(project, feed(schema=schema), a="id,name\n1.0,x\n4,x\n2,X\n3,\n")
    assert (rows["staged"], rows["quarantined"]) == (2, 2)


def test_required_with_a_default_is_never_missing(project: Project) -> None:
    schema = "{id: int, name: {type: string, required: true, default: nobody}}"
    rows = load(project, feed(schema=schema), a="id,name\n1,\n2,x\n", b="id\n3\n")
    assert rows["quarantined"] == 0
    assert project.rows("s.keyed") == [("1", "nobody"), ("2", "x"), ("3", "nobody")]


@pytest.mark.parametrize(
    ("contract", "content", "reason"),
    [
        ("new_columns: reject_file", "id,name,new\n1,x,y\n", "new"),
        ("missing_columns: reject_file", "id\n1\n", "name"),
    ],
)
def test_schema_contract(project: Project, contract: str, content: str, reason: str) -> None:
    more = f"schema_contract: {{{contract}}}\n"
    project.feed("keyed", feed(more=more))
    project.land("keyed", "a.csv", content)
    result = project.cli("run", "keyed")
    assert (result.code, project.rows("s.keyed")) == (3, [])
    assert reason in result.feed["files"][0]["reason"]
    project.feed("keyed", feed())
    project.land("keyed", "a.csv", content)
    assert project.cli("run", "keyed").code == 0
    assert len(project.rows("s.keyed")) == 1


def test_encodings_are_tried_in_order(project: Project) -> None:
    project.feed("keyed", feed(", encoding: [utf-8, windows-1252]"))
    project.land("keyed", "a.csv", "id,name\n1,ü\n".encode())
    project.land("keyed", "b.csv", "id,name\n2,ü€\n".encode("windows-1252"))
    project.cli("run", "keyed")
    assert project.rows("s.keyed") == [("1", "ü"), ("2", "ü€")]


def test_timezone_is_that_of_times_without_one(project: Project) -> None:
    schema = "{id: int, at: timestamp}"
    load(project, feed(", timezone: Europe/Rome", schema), a="id,at\n1,2026-07-01 12:00\n2,2026-07-01T12:00Z\n")
    assert project.rows("s.keyed") == [("1", "2026-07-01 10:00:00+00"), ("2", "2026-07-01 12:00:00+00")]


def test_comment_and_staging_table(project: Project) -> None:
    load(project, feed(target=", comment: 'Who is who', staging: s.waiting"), a="id,name\n1,x\n")
    assert [row[:2] for row in project.rows("s.waiting")] == [("1", "x")]
    from deltalake import DeltaTable

    assert DeltaTable(project.path("tables", "s", "keyed")).metadata().description == "Who is who"


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
    assert re.search(r"0 done; activity: \w+", shown), shown
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

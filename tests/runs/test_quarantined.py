"""`replay --quarantined`, `quarantine --export`: bad records are loaded when the feed is mended, or they are."""

from __future__ import annotations

import gzip
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support import ACTIVITY, HEADER, Project

KILLED = "tests/recovery/killed.py"
FEED = """\
feed: events
source: {{path: "${{landing}}/events/", format: csv, files: "{{part}}_*"}}
schema: {{k: int, day: {day}, part: {{type: string, from_file: part}}}}
target: {{table: s.events, {target}}}
"""
PACKED = b'day,k,more\n2026-01-08,8,\n"05.01.2026",5,"a\nb"\n6.1.2026,6,\n'
STRICT, MENDED = "date", "{type: date, format: [yyyy-MM-dd, dd.MM.yyyy]}"


def events(project: Project, day: str, target: str = "mode: append") -> None:
    project.feed("events", FEED.format(day=day, target=target))


def again(project: Project, *options: str) -> dict[str, Any]:
    found = project.cli("replay", "events", "--quarantined", *options)
    assert found.code == 0, found.document
    (resolved,) = found.document["quarantined"]
    assert isinstance(resolved, dict)
    return resolved


def days(project: Project) -> Project:
    """Two files with other headers, one of them packed, and bad rows in both; the feed is mended for some of them."""
    events(project, STRICT)
    project.land("events", "a_1.csv", "k,day\n1,2026-01-01\n2,02.01.2026\nx,2026-01-03\n3,03.01.2026\n")
    project.land("events", "b_2.csv.gz", gzip.compress(PACKED))
    project.land("events", "b_3.csv", "k,day\n7,2026-01-07\n")
    assert project.cli("run", "events").code == 0
    events(project, MENDED)
    return project


LOADED = [("1", "2026-01-01", "a"), ("7", "2026-01-07", "b"), ("8", "2026-01-08", "b")]
AGAIN = [("2", "2026-01-02", "a"), ("3", "2026-01-03", "a"), ("5", "2026-01-05", "b")]


def test_each_record_once_and_what_is_still_bad(project: Project) -> None:
    """Also where nothing tells old from new. Captures are those of the file that the record came in."""
    days(project)
    archive, bad = project.files("archive"), project.rows("s.events__quarantine")
    assert project.rows("s.events") == LOADED
    found = again(project)
    assert (found["loaded"], found["left"]) == (3, 2)
    told = {(reason["code"], reason["column"], reason["value"], reason["rows"]) for reason in found["reasons"]}
    assert told == {("bad_value", "k", "x", 1), ("bad_value", "day", "6.1.2026", 1)}
    assert project.rows("s.events") == sorted(LOADED + AGAIN)
    once_more = again(project)
    assert (once_more["loaded"], once_more["left"]) == (0, 2)
    assert project.rows("s.events") == sorted(LOADED + AGAIN)
    assert project.rows("s.events__quarantine") == bad, "what is there stays, and nothing comes twice"
    assert [name for name in project.files("archive") if not name.startswith("events/_quarantined/")] == archive
    lines = project.rows("_landfeed.resolved", "parse_filename(file) AS f, line")
    assert lines == [("a_1.csv", "3"), ("a_1.csv", "5"), ("b_2.csv.gz", "3")]
    batches = {row[0] for row in project.rows("_landfeed.resolved", "loaded_in")}
    assert batches == {row[0] for row in project.rows("_landfeed.batches", "batch_id") if row[0] in batches}
    assert not [name for name in project.files("tables") if "__replay" in name]
    assert project.cli("run").document["status"] == "nothing_to_do"


def test_what_a_rebuild_makes_of_the_archive_is_the_same(project: Project) -> None:
    days(project)
    again(project)
    (made,) = project.cli("rebuild", "events").document["feeds"]
    assert (made["rows_before"], made["rows_after"]) == (6, 6)
    assert not any(made["difference"][kind] for kind in ("missing", "too_many", "changed"))


def test_chosen_ones(project: Project) -> None:
    days(project)
    assert again(project, "--file", "b_2.csv.gz")["loaded"] == 1
    (batch,) = {row[0] for row in project.rows("s.events__quarantine", "_batch_id")}
    assert again(project, "--batch", "0" * 16)["loaded"] == 0
    assert again(project, "--batch", batch)["loaded"] == 2


def test_lost_control_tables_bring_no_record_twice(project: Project) -> None:
    days(project)
    again(project)
    os.rename(project.path("tables", "_landfeed"), project.path("lost"))
    assert again(project)["loaded"] == 0
    assert len(project.rows("_landfeed.resolved")) == 3, "the folder in the archive tells it"
    assert project.rows("s.events") == sorted(LOADED + AGAIN)


@pytest.mark.parametrize(
    ("target", "told"),
    [("mode: overwrite", "would take the place of all rows"), ("keys: [k]", "there is no target.sequence_by")],
)
def test_refused(target: str, told: str, project: Project) -> None:
    events(project, STRICT, target)
    project.land("events", "a_1.csv", "k,day\n1,2026-01-01\n2,02.01.2026\n")
    project.cli("run", "events")
    found = project.cli("replay", "events", "--quarantined")
    assert (found.code, found.feed["error"]["code"]) == (1, "replay")
    assert told in found.feed["error"]["message"]


def test_masked_feeds_keep_no_records_and_say_so(project: Project) -> None:
    text = """\
feed: events
source: {path: "${landing}/events/", format: csv}
schema: {k: int, mail: {type: string, mask: {method: redact}}}
target: {table: s.events, mode: append}
"""
    project.feed("events", text)
    project.land("events", "a.csv", "k,mail\n1,a@b\nx,secret@b\n")
    project.cli("run", "events")
    for command in (("replay", "events", "--quarantined"), ("quarantine", "events", "--export", project.path("x.csv"))):
        found = project.cli(*command)
        assert found.code == 1
        error = (found.feed if "feeds" in found.document else found.document)["error"]
        assert "masked columns" in error["message"]
    assert not any(b"secret" in Path(project.path("tables", name)).read_bytes() for name in project.files("tables"))


def test_an_encoding_that_was_mended(project: Project) -> None:
    text = """\
feed: events
source: {path: "${landing}/events/", format: csv, encoding: %s}
schema: {k: int, name: string}
target: {table: s.events, mode: append}
"""
    project.feed("events", text % "UTF-8")
    project.land("events", "a.csv", "k,name\n1,plain\n2,caf\xe9\n".encode("latin-1"))
    project.cli("run", "events")
    project.feed("events", text % "[UTF-8, windows-1252]")
    assert again(project)["loaded"] == 1
    assert project.rows("s.events") == [("1", "plain"), ("2", "café")]


def test_newer_rows_stay_where_a_sequence_tells_them(project: Project) -> None:
    """An old record is a delivery of its old order: it counts for its key, and not more than what came since."""
    whole = ACTIVITY.format(name="activity")
    project.feed("activity", whole.replace("event: string", "event: {type: string, pattern: '[a-z]+'}"))
    project.land("activity", "1.csv", HEADER + "1,OLD,2026-01-01\n2,OLD,2026-01-01\n3,good,2026-01-01\n")
    project.cli("run")
    project.land("activity", "2.csv", HEADER + "1,new,2026-01-02\n")
    project.cli("run")
    project.feed("activity", whole)
    found = project.cli("replay", "--quarantined").document
    assert [(each["loaded"], each["left"]) for each in found["quarantined"]] == [(2, 0)]
    assert (found["feeds"][0]["rows"]["inserted"], found["feeds"][0]["rows"]["stale"]) == (1, 1)
    rows = project.rows("analytics.activity", "user_id, event")
    assert rows == [("1", "new"), ("2", "OLD"), ("3", "good")]


@pytest.mark.parametrize("at", range(0, 24, 2))
def test_killed_anywhere(at: int, tmp_path: os.PathLike[str]) -> None:
    """And followed by a plain run, which may have to finish what was begun, or by none; each record is there once."""
    project = days(Project(os.fspath(tmp_path)))
    process = project.start("replay", "events", "--quarantined", script=KILLED, KILL_AT=str(at))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, errors
    if at % 4:
        assert project.cli("run", "events").code == 0
    found = again(project)
    assert found["left"] == 2
    assert project.rows("s.events") == sorted(LOADED + AGAIN)
    assert len(project.rows("_landfeed.resolved")) == 3
    assert again(project)["loaded"] == 0
    assert len(project.rows("s.events__quarantine")) == 5


def test_exported_mended_and_landed_again(project: Project) -> None:
    """With the headers that the records came with, one file for each of them."""
    days(project)
    out = project.path("bad.csv")
    found = project.cli("quarantine", "events", "--export", out).document
    assert [(os.path.basename(each["file"]), each["records"]) for each in found["files"]] == [
        ("bad.csv", 3),
        ("bad-2.csv", 2),
    ]
    assert Path(out).read_text(encoding="utf-8") == "k,day\n2,02.01.2026\nx,2026-01-03\n3,03.01.2026\n"
    other = Path(project.path("bad-2.csv")).read_text(encoding="utf-8")
    assert other == 'day,k,more\n"05.01.2026",5,"a\nb"\n6.1.2026,6,\n'
    project.land("events", "a_mended.csv", Path(out).read_text(encoding="utf-8").replace("x,", "4,"))
    assert project.cli("run", "events").feed["rows"]["inserted"] == 3
    assert ("4", "2026-01-03", "a") in project.rows("s.events")
    refused = project.cli("quarantine", "events", "--export", out)
    assert (refused.code, refused.document["error"]["code"]) == (1, "export"), "nothing is overwritten"

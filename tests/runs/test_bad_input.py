"""Bad files and bad configuration end in a clear problem, a rejected file or quarantined rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import ACTIVITY, HEADER, Project

pytestmark = pytest.mark.engines

GOOD = "1,a,2026-01-01\n"

REJECTED = {
    "empty.csv": (b"", "empty (0 bytes)"),
    "wrong_separator.csv": (b"user_id;event;event_time\n1;a;2026-01-01\n", "is the separator ';'"),
    "no_key.csv": (b"event,event_time\na,2026-01-01\n", "there is no column 'user_id'"),
    "twice.csv": (b"user_id,event,EVENT,event_time\n1,a,b,2026-01-01\n", "names 'event' more than once"),
    "broken.csv.gz": (b"this is not gzip", "not a complete gzip file"),
    "utf16.csv": (HEADER.encode("utf-16"), "UTF-16-LE text"),
}


@dataclass(frozen=True, slots=True)
class Records:
    """A file, the events of its good rows, and its bad ones as (line, record)."""

    content: bytes
    good: Sequence[str | None]
    bad: Sequence[tuple[int, str]] = ()


def records(text: bytes, good: Sequence[str | None], bad: Sequence[tuple[int, str]] = ()) -> Records:
    """Records below the usual header."""
    return Records(HEADER.encode() + text, good, bad)


A_ROW = b"9,a,2026-01-01\n"
RECORDS = {
    "too_few": records(b"1\n" + A_ROW, ["a"], [(2, "1")]),
    "too_many": records(b"1,a,2026-01-01,more\n" + A_ROW, ["a"], [(2, "1,a,2026-01-01,more")]),
    "open_quote": records(b'2,"open,2026-01-01\n' + A_ROW, ["a"], [(2, '2,"open,2026-01-01')]),
    "no_text": records(b"2,\xff,2026-01-01\n" + A_ROW, ["a"], [(2, "2,\\xff,2026-01-01")]),
    "behind_a_quote": records(b'2,"x"y,2026-01-01\n' + A_ROW, ["a"], [(2, '2,"x"y,2026-01-01')]),
    "nul": records(b"2,\x00nul,2026-01-01\n", ["\x00nul"]),
    "line_ends": records(b"2,crlf,2026-01-01\r\n3,lf,2026-01-01\n", ["crlf", "lf"]),
    "two_lines": records(b'2,"two\nlines",2026-01-01\n', ["two\nlines"]),
    "empty_texts": Records(b"\xef\xbb\xbf" + HEADER.encode() + b'1,"",2026-01-01\n2,,2026-01-01\n', ["", None]),
    "a_megabyte": records(b"1," + b"x" * (1 << 20) + b",2026-01-01\n", ["x" * (1 << 20)]),
    "header_only": records(b"", []),
    **{
        name: Records(
            (blank + HEADER + GOOD + "x,b,2026-01-01\n").encode(), ["a"], [(3 + blank.count("\n"), "x,b,2026-01-01")]
        )
        for name, blank in {"blank": "\n", "two_blanks": "\r\n\r\n", "mark_and_blank": "\ufeff\n"}.items()
    },
}
RECORDS_FEED = """\
feed: records
source: {path: "${landing}/records/", format: csv, files: "{of}.csv"}
schema:
  of: {type: string, from_file: of}
  user_id: bigint
  event: string
  event_time: timestamp
target: {table: analytics.records, keys: [of, user_id], sequence_by: event_time}
"""
NAMES = ["a b.csv", "it's.csv", "100%.csv", "new\nline.csv", "ünï*[1]?.csv", 'q"uote.csv', "#&+.csv", "plain.csv"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The project after its run, and what the run said of each feed."""

    project: Project
    feeds: dict[str, dict[str, Any]]

    def file(self, feed: str, name: str) -> dict[str, Any]:
        """What was said of a file."""
        (found,) = [file for file in self.feeds[feed]["files"] if os.path.basename(file["file"]) == name]
        return dict(found)


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """One run over all files that are read at all: those of a kind are a batch of one feed."""
    project = Project(os.fspath(tmp_path_factory.mktemp("bad_input")), "rejected", "names", engine=engine)
    project.feed("records", RECORDS_FEED)
    project.land("rejected", "good.csv", HEADER + GOOD)
    for name, (content, _) in REJECTED.items():
        project.land("rejected", name, content)
    for name, case in RECORDS.items():
        project.land("records", f"{name}.csv", case.content)
    for number, name in enumerate(NAMES):
        project.land("names", name, HEADER + f"{number},a,2026-01-01\n")
    result = project.cli("run")
    assert (result.code, result.document["status"]) == (3, "rejected")
    return Loaded(project, {feed["feed"]: feed for feed in result.document["feeds"]})


@pytest.mark.parametrize("name", REJECTED)
def test_files_that_are_rejected(loaded: Loaded, name: str) -> None:
    content, reason = REJECTED[name]
    file = loaded.file("rejected", name)
    assert file["status"] == "rejected"
    assert reason in file["reason"]
    with open(file["moved_to"], "rb") as kept:
        assert kept.read() == content


def test_a_good_file_beside_rejected_ones_is_loaded(loaded: Loaded) -> None:
    assert loaded.feeds["rejected"]["status"] == "rejected"
    assert loaded.file("rejected", "good.csv")["status"] == "archived"
    assert [row[:2] for row in loaded.project.rows("analytics.rejected")] == [("1", "a")]


@pytest.mark.parametrize("name", RECORDS)
def test_records_that_are_good_or_quarantined(loaded: Loaded, name: str) -> None:
    case, file = RECORDS[name], loaded.file("records", f"{name}.csv")
    assert (file["status"], file["rows_read"]) == ("archived", len(case.good) + len(case.bad))
    good = loaded.project.rows("analytics.records", "of, user_id, event")
    assert [row[2] for row in good if row[0] == name] == list(case.good)
    bad = loaded.project.rows("analytics.records__quarantine", "_source_file, _line, _record")
    assert [(int(row[1]), row[2]) for row in bad if row[0].endswith(f"/{name}.csv")] == list(case.bad)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_kind(loaded: Loaded, name: str) -> None:
    assert loaded.file("names", name)["status"] == "archived"
    assert any(os.path.basename(file) == name for file in loaded.project.files("archive/names"))
    assert any(row[0].endswith(name) for row in loaded.project.rows("analytics.names__staging", "_source_file"))


def test_nothing_of_it_is_left(loaded: Loaded) -> None:
    assert loaded.project.files("landing") == []
    assert loaded.feeds["names"]["rows"]["inserted"] == len(NAMES)
    assert loaded.project.cli("run").document["status"] == "nothing_to_do"


@pytest.mark.embedded
def test_five_thousand_columns(project: Project) -> None:
    names = [f"c{number}" for number in range(5000)]
    project.land(
        "activity", "f.csv", ",".join([*names, "user_id", "event_time"]) + "\n" + "1," * 5000 + "7,2026-01-01\n"
    )
    assert project.cli("run").feed["rows"]["staged"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("feed: [\n", ""),
        (ACTIVITY.format(name="activity").replace("keys:", "kyes:"), "kyes"),
        (ACTIVITY.format(name="activity").replace("[user_id]", "[usr_id]"), "usr_id"),
        (ACTIVITY.format(name="activity").replace("bigint", "bignit"), "bignit"),
        (ACTIVITY.format(name="activity").replace("${landing}", "${landnig}"), "landnig"),
        (ACTIVITY.format(name="activity") + "filter: usr_id > 1\n", "usr_id"),
        (ACTIVITY.format(name="activity").replace("${landing}/activity/", "${archive}/activity/"), "archive"),
    ],
)
@pytest.mark.embedded
def test_configuration_mistakes_stop_the_run_at_their_line(project: Project, text: str, message: str) -> None:
    project.feed("activity", text)
    project.land("activity", "a.csv", HEADER + GOOD)
    result = project.cli("run")
    assert result.code == 2
    assert any(message in problem["message"] + problem["path"] for problem in result.document["problems"])
    assert all(problem["line"] > 0 for problem in result.document["problems"])
    assert project.files("tables") == []


@pytest.mark.embedded
def test_a_missing_landing_folder_and_an_unreadable_target(project: Project) -> None:
    os.rmdir(project.path("landing", "activity"))
    missing = project.cli("run")
    assert (missing.code, missing.feed["error"]["code"]) == (1, "missing_folder")
    assert missing.feed["error"]["hint"]


def test_a_name_that_is_no_text(project: Project) -> None:
    """It is rejected and moved as it is; the files beside it are loaded."""
    odd = b"caf\xe9-\xf1.csv".decode("utf-8", "surrogateescape")
    for name, row in (("a.csv", GOOD), (odd, "2,b,2026-01-01\n"), ("z.csv", "3,c,2026-01-01\nx,bad,2026-01-01\n")):
        project.land("activity", name, HEADER + row)
    result = project.cli("run")
    assert (result.code, result.document["status"]) == (3, "rejected")
    assert (result.feed["rows"]["inserted"], result.feed["rows"]["quarantined"]) == (2, 1)
    [rejected] = [file for file in result.feed["files"] if file["status"] == "rejected"]
    assert rejected["file"].endswith(r"caf\xe9-\xf1.csv")
    assert "not valid UTF-8" in rejected["reason"]
    assert project.files("landing") == []
    assert [os.path.basename(name) for name in project.files("archive") if "_rejected" in name] == [odd]
    recorded = project.rows("_landfeed.files", "file, state, moved_to")
    assert [row[1] for row in recorded if r"caf\xe9" in row[0] and r"caf\xe9" in (row[2] or "")] == ["rejected"]
    assert project.cli("run").document["status"] == "nothing_to_do"
    assert project.cli("history", "--files").code == 0


@pytest.mark.embedded
def test_a_name_that_is_no_text_and_cannot_be_moved(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + "archive: {on_success: keep, rejected_path: ./full}\n")
    project.land("activity", b"\xff.csv".decode("utf-8", "surrogateescape"), HEADER + GOOD)
    project.write("full", "no folder")
    assert r"\xff.csv" in project.cli("plan").feed["files"][0]["file"]
    for _ in range(2):
        failed = project.cli("run")
        assert (failed.code, failed.feed["error"]["code"]) == (1, "storage")
        assert project.files("landing") == [b"activity/\xff.csv".decode("utf-8", "surrogateescape")]
    os.remove(project.path("full"))
    assert project.cli("run").code == 3

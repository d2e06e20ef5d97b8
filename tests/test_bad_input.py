"""Bad files and bad configuration end in a clear problem, a rejected file or quarantined rows."""

from __future__ import annotations

import json
import os

import pytest

from tests.support import ACTIVITY, HEADER, Project

pytestmark = pytest.mark.engines

GOOD = "1,a,2026-01-01\n"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "empty (0 bytes)"),
        ("wrong_separator.csv", b"user_id;event;event_time\n1;a;2026-01-01\n", "is the separator ';'"),
        ("no_key.csv", b"event,event_time\na,2026-01-01\n", "there is no column 'user_id'"),
        ("twice.csv", b"user_id,event,EVENT,event_time\n1,a,b,2026-01-01\n", "names 'event' more than once"),
        ("broken.csv.gz", b"this is not gzip", "not a complete gzip file"),
        ("utf16.csv", HEADER.encode("utf-16"), "header"),
    ],
)
def test_files_that_are_rejected(project: Project, name: str, content: bytes, reason: str) -> None:
    project.land("activity", "good.csv", HEADER + GOOD)
    project.land("activity", name, content)
    result = project.cli("run")
    assert (result.code, result.document["status"]) == (3, "rejected")
    files = {os.path.basename(file["file"]): file for file in result.feed["files"]}
    assert reason in files[name]["reason"]
    assert files["good.csv"]["status"] == "archived"
    with open(files[name]["moved_to"], "rb") as kept:
        assert kept.read() == content
    assert len(project.rows("analytics.activity")) == 1


@pytest.mark.parametrize(
    ("records", "staged", "bad"),
    [
        (b"1\n" + GOOD.encode(), 1, ["1"]),
        (b"1,a,2026-01-01,more\n" + GOOD.encode(), 1, ["1,a,2026-01-01,more"]),
        (b'2,"open,2026-01-01\n' + GOOD.encode(), 1, ['2,"open,2026-01-01']),
        (b"2,\xff,2026-01-01\n" + GOOD.encode(), 1, ["2,\\xff,2026-01-01"]),
        (b'2,"x"y,2026-01-01\n' + GOOD.encode(), 1, ['2,"x"y,2026-01-01']),
        (b"2,\x00nul,2026-01-01\n", 1, []),
        (b"2,crlf,2026-01-01\r\n3,lf,2026-01-01\n", 2, []),
        (b'2,"two\nlines",2026-01-01\n', 1, []),
    ],
)
def test_records_that_are_quarantined(project: Project, records: bytes, staged: int, bad: list[str]) -> None:
    project.land("activity", "f.csv", HEADER.encode() + records)
    result = project.cli("run")
    assert result.code == 0
    assert (result.feed["rows"]["staged"], result.feed["rows"]["quarantined"]) == (staged, len(bad))
    assert [row[0] for row in project.rows("analytics.activity__quarantine", "_record")] == bad


def test_byte_order_mark_and_empty_texts(project: Project) -> None:
    project.land("activity", "f.csv", b"\xef\xbb\xbf" + HEADER.encode() + b'1,"",2026-01-01\n2,,2026-01-01\n')
    project.cli("run")
    assert [row[1] for row in project.rows("analytics.activity")] == ["", None]


@pytest.mark.parametrize("blank", ["\n", "\r\n\r\n", "\ufeff\n"])
def test_blank_lines_before_the_header(project: Project, blank: str) -> None:
    project.land("activity", "f.csv", blank + HEADER + GOOD + "x,b,2026-01-01\n")
    assert project.cli("run").feed["rows"]["staged"] == 1
    ((line,),) = project.rows("analytics.activity__quarantine", "_line")
    assert int(line) == 3 + blank.count("\n")


def test_a_header_without_rows_is_a_good_file(project: Project) -> None:
    project.land("activity", "f.csv", HEADER)
    assert project.cli("run").feed["files"][0]["status"] == "archived"


def test_a_megabyte_in_one_field(project: Project) -> None:
    project.land("activity", "f.csv", HEADER + "1," + "x" * (1 << 20) + ",2026-01-01\n")
    project.cli("run")
    assert project.rows("analytics.activity", "length(event) n") == [(str(1 << 20),)]


@pytest.mark.embedded
def test_five_thousand_columns(project: Project) -> None:
    names = [f"c{number}" for number in range(5000)]
    project.land(
        "activity", "f.csv", ",".join([*names, "user_id", "event_time"]) + "\n" + "1," * 5000 + "7,2026-01-01\n"
    )
    assert project.cli("run").feed["rows"]["staged"] == 1


def test_a_header_without_end(project: Project) -> None:
    """It is rejected; nine thousand columns are not, and no other file suffers."""
    ends = [",user_id,event_time\n", ",7,2026-01-01\n"]
    for count in (9_900, 40_000):
        names, values = [f"c{number}" for number in range(count)], ["1"] * count
        project.land("activity", f"{count}.csv", ",".join(names) + ends[0] + ",".join(values) + ends[1])
    project.land("activity", "good.csv", HEADER + GOOD)
    report = project.cli("run").feed
    assert report["rows"]["read"] == 2
    reasons = {os.path.basename(file["file"]): file["reason"] for file in report["files"]}
    assert reasons == {
        "9900.csv": None,
        "40000.csv": "the header has 40002 columns; a file may have 10000",
        "good.csv": None,
    }


def test_json_with_a_key_of_its_own_in_every_record(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity").replace("format: csv", "format: json"))
    lines = [json.dumps({"user_id": n, "event_time": "2026-01-01", f"key{n}": n}) for n in range(20_000)]
    project.land("activity", "f.json", "\n".join(lines))
    assert project.cli("run").feed["rows"]["staged"] == 20_000


@pytest.mark.parametrize(
    "name", ["a b.csv", "it's.csv", "100%.csv", "new\nline.csv", "ünï*[1]?.csv", 'q"uote.csv', "#&+.csv"]
)
def test_names_of_any_kind(project: Project, name: str) -> None:
    project.land("activity", name, HEADER + GOOD)
    project.land("activity", "plain.csv", HEADER + "2,b,2026-01-01\n")
    result = project.cli("run")
    assert result.feed["rows"]["inserted"] == 2, result.document
    assert any(os.path.basename(file) == name for file in project.files("archive"))
    assert any(row[0].endswith(name) for row in project.rows("analytics.activity__staging", "_source_file"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("feed: [\n", ""),
        (ACTIVITY.format(name="activity").replace("keys:", "kyes:"), "kyes"),
        (ACTIVITY.format(name="activity").replace("[user_id]", "[usr_id]"), "usr_id"),
        (ACTIVITY.format(name="activity").replace("bigint", "bignit"), "bignit"),
        (ACTIVITY.format(name="activity").replace("${landing}", "${landnig}"), "landnig"),
        (ACTIVITY.format(name="activity") + "filter: user_id > 1\n", "not supported yet"),
        (ACTIVITY.format(name="activity").replace("format: csv", "format: parquet"), "not supported yet"),
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

"""Archives of several files: each member is a file of its own, and they leave landing together."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from typing import Any

import pytest

from tests.runs.habits import zipped
from tests.support import Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

FEED = """\
feed: orders
source: {{path: "${{landing}}/orders/", format: csv, files: "{{day:yyyyMMdd}}*"{more}}}
schema: {{id: bigint, name: string, day: {{type: date, from_file: day}}}}
target: {{table: s.orders, keys: [id], sequence_by: day, audit_columns: true}}
archive: {{on_success: {action}}}
"""
A, B, BAD = b"id,name\n1,a\n2,b\n", b"id,name\n3,c\nx,bad\n", b"number,name\n4,d\n"
TWO = {"a.csv": A, "in/b.csv": B}


def orders(project: Project, more: str = "", action: str = "move") -> None:
    project.feed("orders", FEED.format(more=more and f", {more}", action=action))


def files(result: Any) -> dict[str, tuple[str, int, str]]:
    """By name: status, rows, and the folder to which it was moved."""
    return {
        file["file"].rpartition("/orders/")[2]: (
            file["status"],
            file["rows_read"],
            "" if file["moved_to"] is None else os.path.basename(file["moved_to"]),
        )
        for file in result.feed["files"]
    }


def test_members_are_files_and_the_archive_is_archived_once(project: Project) -> None:
    orders(project)
    content = zipped(TWO)
    project.land("orders", "20260101.zip", content)
    project.land("orders", "20260102.csv", b"id,name\n3,later\n")
    result = project.cli("run", "orders")
    assert result.code == 0
    assert files(result) == {
        "20260101.zip!a.csv": ("archived", 2, "20260101.zip"),
        "20260101.zip!in/b.csv": ("archived", 2, "20260101.zip"),
        "20260102.csv": ("archived", 1, "20260102.csv"),
    }
    source = "split_part(_source_file, '/orders/', 2)"
    assert project.rows("s.orders", f"id, name, day, {source}") == [
        ("1", "a", "2026-01-01", "20260101.zip!a.csv"),
        ("2", "b", "2026-01-01", "20260101.zip!a.csv"),
        ("3", "later", "2026-01-02", "20260102.csv"),
    ]
    assert project.rows("s.orders__quarantine", f"{source}, _line, _record") == [
        ("20260101.zip!in/b.csv", "3", "x,bad")
    ]
    archived = [name for name in project.files("archive/orders") if name.endswith(".zip")]
    assert len(archived) == 1
    with open(project.path("archive/orders", archived[0]), "rb") as file:
        assert file.read() == content
    assert project.files("landing/orders") == []
    events = project.rows("_landfeed.files", "split_part(file, '/orders/', 2) AS f, state, rows_read", "f, state")
    assert [event for event in events if ".zip" in event[0]] == [
        ("20260101.zip", "archived", "0"),
        *(("20260101.zip!a.csv", state, "2") for state in ("archived", "merged", "staged")),
        *(("20260101.zip!in/b.csv", state, "2") for state in ("archived", "merged", "staged")),
    ]
    assert project.cli("history", "--files").code == 0


def test_a_rejected_member_rejects_its_archive(project: Project) -> None:
    orders(project)
    project.land("orders", "20260101.zip", zipped({**TWO, "c.csv": BAD}))
    project.land("orders", "20260102.zip", zipped({"a.csv": A}))
    result = project.cli("run", "orders")
    reasons = {file["file"].rpartition("/")[2]: file["reason"] for file in result.feed["files"]}
    assert (result.code, len(project.rows("s.orders"))) == (3, 2)
    assert "there is no column 'id'" in reasons["20260101.zip!c.csv"]
    other = "20260101.zip!c.csv in the same archive is rejected (source.members_on_error)"
    assert (reasons["20260101.zip!a.csv"], reasons["b.csv"], reasons["20260102.zip!a.csv"]) == (other, other, None)
    assert project.rows("s.orders__quarantine") == []
    assert [os.path.basename(name) for name in project.files("archive/_rejected")] == ["20260101.zip"]


@pytest.mark.parametrize("action", ["move", "keep"])
def test_only_members_are_rejected(project: Project, action: str) -> None:
    """… of which the whole archive, so that nothing of it is lost, lies with the rejected files too."""
    orders(project, "members_on_error: reject_members", action)
    project.land("orders", "20260101.zip", zipped({**TWO, "c.csv": BAD}))
    result = project.cli("run", "orders")
    assert (result.code, len(project.rows("s.orders"))) == (3, 3)
    archived = "20260101.zip" if action == "move" else ""
    assert files(result) == {
        "20260101.zip!a.csv": ("archived", 2, archived),
        "20260101.zip!c.csv": ("rejected", 0, "20260101.zip"),
        "20260101.zip!in/b.csv": ("archived", 2, archived),
    }
    assert [os.path.basename(name) for name in project.files("archive/_rejected")] == ["20260101.zip"]
    assert project.cli("run", "orders").document["status"] == "nothing_to_do"


def test_which_members_are_files(project: Project) -> None:
    orders(project, 'members: "*.csv"')
    project.land("orders", "20260101.zip", zipped({**TWO, "readme.txt": b"?", "c.csv.gz": b"?"}))
    project.land("orders", "20260102.zip", zipped({"readme.txt": b"?"}))
    project.land("orders", "20260103.zip", zipped({"a.csv": A}))
    project.land("orders", "20260103.zip!a.csv", b"id,name\n9,i\n")
    twice = BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("a.csv", A)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", A)
    project.land("orders", "20260104.zip", twice.getvalue())
    result = project.cli("run", "orders")
    reasons = {os.path.basename(file["file"]): file["reason"] for file in result.feed["files"] if file["reason"]}
    assert reasons == {
        "20260102.zip": "no file in the zip archive matches source.members (*.csv); it holds 'readme.txt'",
        "20260103.zip": f"another file is called as one in the zip archive is: "
        f"{project.path('landing/orders/20260103.zip!a.csv')}",
        "20260104.zip": "the zip archive holds 'a.csv' twice",
    }
    assert [row[0] for row in project.rows("s.orders", "id")] == ["1", "2", "3", "9"]


@pytest.mark.embedded
def test_the_control_file_of_an_archive(project: Project) -> None:
    control = r"control: {file: '{file}.ctl', count: '^rows=(\d+)$'}"
    orders(project, control)
    for name, members, rows in (("20260101", {"a.csv": A}, 2), ("20260102", {"a.csv": A}, 3), ("20260103", TWO, 4)):
        project.land("orders", f"{name}.zip", zipped(members))
        project.land("orders", f"{name}.zip.ctl", f"rows={rows}\n")
    reasons = [file["reason"] for file in project.cli("run", "orders").feed["files"]]
    assert reasons == [
        None,
        "its control file 20260102.zip.ctl says 3 records, and there are 2",
        "its control file 20260103.zip.ctl tells of one file, and the zip archive holds 2",
    ]
    assert project.files("landing/orders") == []


@pytest.mark.embedded
def test_archives_are_replayed_and_rebuilt_from(project: Project) -> None:
    orders(project, "members_on_error: reject_members")
    project.land("orders", "20260101.zip", zipped({**TWO, "c.csv": BAD}))
    project.cli("run", "orders")
    before, archive = project.rows("s.orders", "id, name"), project.files("archive")
    delta = project.table("s.orders")
    assert delta is not None
    delta.update({"name": "'lost'", "day": "CAST('2025-01-01' AS DATE)"})
    (delivery,) = project.cli("replay", "--all").document["deliveries"]
    assert ([os.path.basename(file) for file in delivery["files"]], delivery["rows"]["updated"]) == (
        ["20260101.zip"],
        3,
    )
    assert project.rows("s.orders", "id, name") == before
    rebuilt = project.cli("rebuild", "orders", "--swap").document
    assert (rebuilt["feeds"][0]["error"], rebuilt["feeds"][0]["rows_after"]) == (None, 3)
    assert project.rows("s.orders", "id, name") == before
    assert project.files("archive") == archive
    assert project.cli("run", "orders").document["status"] == "nothing_to_do"


@pytest.mark.embedded
def test_an_archive_that_comes_to_more_than_it_may(project: Project) -> None:
    """… counted over all members, by what the archive says, before a byte is unpacked."""
    path = "pipelines_config/environments/local.yml"
    with open(project.path(path), encoding="utf-8") as file:
        project.write(path, file.read() + "limits: {unpacked: 100 MB}\n")
    orders(project)
    large = b"id,name\n" + b"1,xxxxxx\n" * 4_500_000
    packed = zipped({f"{number}.csv": large for number in range(3)})
    project.land("orders", "20260101.zip", packed)
    with_lie = zipped({"a.csv": A * 50, "b.csv": A})
    lie = with_lie.replace((len(A) * 50).to_bytes(4, "little"), (5).to_bytes(4, "little"))
    project.land("orders", "20260102.zip", lie)
    reasons = [file["reason"] for file in project.cli("run", "orders").feed["files"]]
    assert reasons[0] == "unpacked the file has more than 100000000 bytes (limits.unpacked)"
    assert "'a.csv' in the zip archive cannot be unpacked: the file is not a complete zip file" in reasons[1]
    assert project.rows("s.orders") == []

"""Complete pictures: their order, what they delete and close, and what keeps a cut one out."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.support import Project

pytestmark = pytest.mark.engines

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv{files}}}
schema: {{k: int, a: string, b: int}}
target:
  table: s.{name}
  mode: snapshot
  keys: [k]
{more}"""
DATED = ', files: "p_{day:int}*.csv"'
BY = "  snapshot: {{by: day{more}}}\n"


def feed(project: Project, name: str, more: str = "", *, guards: str = ", max_deletes: 1", by: bool = True) -> None:
    snapshot = BY.format(more=guards) if by else f"  snapshot: {{{guards.removeprefix(', ')}}}\n"
    project.feed(name, FEED.format(name=name, files=DATED if by else "", more=more + snapshot))


def picture(project: Project, name: str, day: int | str, rows: Mapping[int, str], part: str = "") -> None:
    text = "k,a,b\n" + "".join(f"{key},{value},{len(value)}\n" for key, value in rows.items())
    project.land(name, f"p_{day}{part}.csv", text)


def found(project: Project, name: str) -> list[str]:
    return [":".join(map(str, row)) for row in project.rows(f"s.{name}", "k, a")]


def versions(project: Project, name: str) -> list[str]:
    rows = project.rows(f"s.{name}", "k, a, __START_AT s, coalesce(CAST(__END_AT AS VARCHAR), '') e")
    return sorted(f"{key}:{value}[{start},{end})" for key, value, start, end in rows)


@pytest.mark.rarely
def test_pictures_one_after_the_other(project: Project) -> None:
    """Cases 36, 38 and 39, each in a feed for rows as they are now, one that marks, and one that keeps versions."""
    for name, more in (("now", ""), ("soft", "  delete_mode: soft\n"), ("was", "  scd_type: 2\n")):
        feed(project, name, more)
        picture(project, name, 10, {2: "C", 3: "T", 4: "D"})
        picture(project, name, 9, {1: "O", 2: "M"}, "a")
        picture(project, name, 9, {3: "T"}, "b")
    result = project.cli("run", "now", "soft", "was")
    assert result.code == 0, [each["error"] for each in result.document["feeds"]]
    figures = [each["rows"] for each in result.document["feeds"]]
    assert [(rows["inserted"], rows["updated"], rows["unchanged"], rows["staged"]) for rows in figures] == [
        (4, 1, 1, 6)
    ] * 3
    assert found(project, "now") == ["2:C", "3:T", "4:D"]
    assert project.rows("s.soft", "k, a, _deleted_at d") == [
        ("1", "O", "10"),
        ("2", "C", None),
        ("3", "T", None),
        ("4", "D", None),
    ]
    assert versions(project, "was") == ["1:O[9,10)", "2:C[10,)", "2:M[9,10)", "3:T[9,)", "4:D[10,)"]
    for name in ("now", "soft", "was"):
        picture(project, name, 8, {7: "old"})
        picture(project, name, 10, {7: "again"}, "c")
        picture(project, name, 12, {1: "O", 3: "TT"})
    late = project.cli("run", "now", "soft", "was")
    assert [each["rows"]["stale"] for each in late.document["feeds"]] == [2, 2, 2]
    assert found(project, "now") == ["1:O", "3:TT"]
    live = project.rows("s.soft", "k, _deleted_at d")
    assert live == [("1", None), ("2", "12"), ("3", None), ("4", "12")]
    closed = ["1:O[12,)", "1:O[9,10)", "2:C[10,12)", "2:M[9,10)", "3:TT[12,)", "3:T[9,12)", "4:D[10,12)"]
    assert versions(project, "was") == sorted(closed)
    assert project.files("landing") == [], "what is not newer is archived too"


def test_pictures_that_must_not_be_applied(project: Project) -> None:
    feed(project, "guarded", guards="")
    picture(project, "guarded", 1, {1: "a", 2: "b", 3: "c", 4: "d"})
    assert project.cli("run", "guarded").code == 0
    project.land("guarded", "p_2.csv", "k,a,b\n1,a,1\n2,b,1\nx,c,1\n4,d,1\n")
    project.land("guarded", "p_3.csv", "k,a,b\n")
    project.land("guarded", "p_4.csv", "k,a,b\n1,a,1\n")
    project.land("guarded", "p_5.csv", "k,a,b\n1,a,1\n2,b,1\n1,c,1\n3,c,1\n4,d,1\n")
    picture(project, "guarded", 6, {1: "a", 2: "b", 3: "c"}, "a")
    project.land("guarded", "p_6b.csv", "\0")
    picture(project, "guarded", 7, {1: "z", 2: "b"})
    result = project.cli("run", "guarded")
    assert (result.code, result.document["status"]) == (3, "rejected")
    reasons = {os.path.basename(file["file"]): file["reason"] or "" for file in result.feed["files"]}
    assert "1 of 4 rows are bad, and a picture without them would delete their keys" in reasons["p_2.csv"]
    assert "target.snapshot.allow_empty: true lets it" in reasons["p_3.csv"]
    assert reasons["p_4.csv"] == (
        "the picture lacks 3 of the 4 keys of s.guarded, more than target.snapshot.max_deletes (0.5) lets it delete"
    )
    assert "keys more than once, first k = 1" in reasons["p_5.csv"]
    assert "p_6b.csv of the same picture is rejected" in reasons["p_6a.csv"]
    assert reasons["p_7.csv"] == ""
    assert found(project, "guarded") == ["1:z", "2:b"]


@pytest.mark.rarely
def test_an_empty_picture_that_is_allowed_closes_every_row(project: Project) -> None:
    """Case 37."""
    feed(project, "emptied", "  scd_type: 2\n", guards=", allow_empty: true, max_deletes: 1")
    for day, rows in enumerate(({1: "a"}, {}, {1: "a"})):
        picture(project, "emptied", day, rows)
    assert project.cli("run", "emptied").code == 0
    assert versions(project, "emptied") == ["1:a[0,1)", "1:a[2,)"]


@pytest.mark.rarely
def test_each_file_is_a_picture_in_the_order_of_time(project: Project) -> None:
    feed(project, "files", "  scd_type: 2\n  track_columns: [a]\n", by=False)
    for hour, (name, rows) in enumerate((("z", "1,a,1\n2,b,1\n"), ("a", "1,a,2\n"), ("m", "1,c,3\n"))):
        path = project.land("files", f"{name}.csv", "k,a,b\n" + rows)
        os.utime(path, (1_700_000_000 + hour * 3600,) * 2)
    assert project.cli("run", "files").code == 0
    was = project.rows("s.files", "k, a, b, strftime(__START_AT, '%H') s, strftime(__END_AT, '%H') e")
    assert was == [("1", "a", "2", "22", "00"), ("1", "c", "3", "00", None), ("2", "b", "1", "22", "23")]

"""Batches that take the place of what is there, or of the rows with their values."""

from __future__ import annotations

import pytest

from tests.support import Project

pytestmark = pytest.mark.engines

WHOLE = """\
feed: whole
source: {{path: "${{landing}}/whole/", format: csv}}
schema: {{k: int, a: string}}
target: {{table: s.whole, mode: overwrite{more}}}
"""
PARTS = """\
feed: parts
source: {path: "${landing}/parts/", format: csv}
schema: {k: int, day: date, at: timestamp, price: "decimal(12,2)", a: string}
target: {table: s.parts, mode: overwrite, overwrite_by: [day, at, price]}
"""


@pytest.mark.rarely
def test_the_batch_takes_the_place_of_all_rows(project: Project) -> None:
    project.feed("whole", WHOLE.format(more=""))
    project.land("whole", "1.csv", "k,a\n1,x\n2,y\n")
    project.land("whole", "2.csv", "k,a\n1,z\nno,z\n")
    first = project.cli("run", "whole")
    assert (first.code, first.feed["rows"]["inserted"], first.feed["rows"]["quarantined"]) == (0, 3, 1)
    project.land("whole", "3.csv", "k,a\n7,new\n")
    project.land("whole", "broken.csv", "\0")
    assert project.cli("run", "whole").code == 3
    assert project.rows("s.whole") == [("7", "new")]
    version = project.version("s.whole")
    project.land("whole", "4.csv", "k,a\n")
    project.land("whole", "5.csv", "k,a\nno,x\n")
    empty = project.cli("run", "whole")
    assert (empty.code, empty.feed["status"]) == (3, "rejected")
    reasons = [file["reason"] for file in empty.feed["files"]]
    assert "no file of the batch has a good row, and it would empty s.whole" in reasons[0]
    assert project.rows("s.whole") == [("7", "new")]
    assert project.version("s.whole") == version + 1, "the batch has its commit, which has no rows"
    project.feed("whole", WHOLE.format(more=", allow_empty: true"))
    project.land("whole", "6.csv", "k,a\n")
    assert project.cli("run", "whole").code == 0
    assert project.rows("s.whole") == []
    project.land("whole", "7.csv", "\0")
    project.land("whole", "8.csv", "k,a\n8,x\n")
    assert project.cli("run", "whole").code == 3
    project.land("whole", "9.csv", "\0")
    assert project.cli("run", "whole").code == 3
    assert project.rows("s.whole") == [("8", "x")], "a batch of which every file is rejected replaces nothing"


def test_the_batch_takes_the_place_of_the_rows_with_its_values(project: Project) -> None:
    project.feed("parts", PARTS)
    header = "k,day,at,price,a\n"
    old = [
        "1,2026-01-01,2026-01-01T10:00:00.5Z,1.50,old",
        "2,2026-01-01,2026-01-01T10:00:00.5Z,1.50,old",
        "3,2026-01-02,2026-01-01T10:00:00.5Z,1.50,old",
        "4,,,,old",
        "5,2026-01-01,,1.50,old",
    ]
    project.land("parts", "1.csv", header + "\n".join(old) + "\n")
    assert project.cli("run", "parts").code == 0
    project.land("parts", "2.csv", header + "6,2026-01-01,2026-01-01T10:00:00.5Z,1.5,new\n7,,,,new\n7,,,,new\n")
    result = project.cli("run", "parts")
    assert result.feed["rows"]["inserted"] == 3, result.document
    assert [(row[0], row[1]) for row in project.rows("s.parts", "k, a")] == [
        ("3", "old"),
        ("5", "old"),
        ("6", "new"),
        ("7", "new"),
        ("7", "new"),
    ]
    project.feed("parts", PARTS.replace("[day, at, price]", "a"))
    project.land("parts", "3.csv", header + "8,2026-01-01,,,it's\n9,,,,\n9,,,,new\n")
    assert project.cli("run", "parts").code == 0
    found = [("3", "old"), ("5", "old"), ("8", "it's"), ("9", "new"), ("9", None)]
    assert project.rows("s.parts", "k, a") == found

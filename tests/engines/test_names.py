"""A column may be called whatever an engine calls something of its own: as key, as sequence, as a bad value."""

from __future__ import annotations

import os

import pytest

from tests.support import Project

NAMES = (
    *("rowid", "_rowid_", "_file", "_texts", "_bytes", "_line", "_block", "_record", "_why", "_errors", "_once"),
    *("_verdict", "_row", "_rank", "_path", "_metadata", "_feed", "_quarantined_at", "id", "line", "filename", "value"),
    *("fields", "file_row_number", "metadata", "file_path", "f0", "f1", "v0", "v1", "t0", "t1", "n0", "d0", "s", "t"),
    *("e", "key", "record", "batch", "losers", "select", "odd`name", 'a"b', "it's", "--", "x.y", "Größe"),
)
KEYS = ("rowid", "v0", "line", "_record", "it's", "odd`name")
SEQUENCES = ("_file", "t0", "_line", "filename", "--", 'a"b')
FEED = """\
feed: any
source: {{path: "${{landing}}/any/", format: csv}}
schema:
{columns}target: {{table: s.any, keys: [{keys}], sequence_by: [{sequences}]}}
"""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'


def listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))


def csv(*rows: tuple[int, int, str]) -> str:
    """A file with these keys and sequences, and the third value in all other columns."""
    header = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    lines = [
        ",".join(str(key if name in KEYS else at if name in SEQUENCES else value) for name in NAMES)
        for key, at, value in rows
    ]
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.engines
def test_every_name_works(tmp_path: os.PathLike[str], engine: str) -> None:
    """Of keys, of sequence columns and of others: one feed, since to plan its many columns is what costs."""
    project = Project(os.fspath(tmp_path), engine=engine)
    columns = "".join(f"  {quoted(column)}: int\n" for column in NAMES)
    project.feed("any", FEED.format(columns=columns, keys=listed(KEYS), sequences=listed(SEQUENCES)))
    project.land("any", "1.csv", csv((1, 2, "5"), (2, 0, "5"), (2, 1, "6")))
    assert project.cli("validate").document["problems"] == []
    assert project.cli("run").feed["error"] is None
    project.land("any", "2.csv", csv((1, 3, "7"), (8, 1, "x"), (2, 0, "9"), (3, 9, "1")))
    report = project.cli("run").feed
    assert report["error"] is None
    figures = {figure: count for figure, count in report["rows"].items() if count}
    assert figures == {"read": 4, "staged": 3, "quarantined": 1, "inserted": 1, "updated": 1, "stale": 1}
    others = [name for name in NAMES if name not in (*KEYS, *SEQUENCES)]
    held = ", ".join('"' + name.replace('"', '""') + '"' for name in (*KEYS, *SEQUENCES, *others))
    expected = [("1", "3", "7"), ("2", "1", "6"), ("3", "9", "1")]
    shapes = len(KEYS), len(SEQUENCES), len(others)
    assert project.rows("s.any", held) == [
        tuple(text for text, times in zip(row, shapes, strict=True) for _ in range(times)) for row in expected
    ]
    ((line, record, count),) = project.rows("s.any__quarantine", "_line, _record, len(_errors)")
    assert (line, count) == ("3", str(len(others)))
    assert record == csv((8, 1, "x")).splitlines()[1]
    assert {reason["value"] for reason in report["reasons"]} == {"x"}

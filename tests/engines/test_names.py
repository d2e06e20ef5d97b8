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
KEYS, SEQUENCES = ("rowid", "v0", "line", "_record", "it's"), ("_file", "t0", "_line", "filename", "--")
ROLES = ((KEYS, SEQUENCES), (("odd`name",), ('a"b',)))
"""Key columns and sequence columns."""
Names = tuple[str, ...]


def feed(name: str, keys: Names, sequence: Names) -> str:
    columns = "".join(f"  {quoted(column)}: int\n" for column in NAMES)
    return (
        f'feed: {name}\nsource: {{path: "${{landing}}/{name}/", format: csv}}\nschema:\n{columns}'
        f"target: {{table: s.{name}, keys: [{listed(keys)}], sequence_by: [{listed(sequence)}]}}\n"
    )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'


def listed(names: Names) -> str:
    return ", ".join(map(quoted, names))


def csv(keys: Names, sequence: Names, *rows: tuple[int, int, str]) -> str:
    """A file with these keys and sequences, and the third value in all other columns."""
    header = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    lines = [",".join(str(k if name in keys else s if name in sequence else v) for name in NAMES) for k, s, v in rows]
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.engines
def test_every_name_works(tmp_path: os.PathLike[str], engine: str) -> None:
    project = Project(os.fspath(tmp_path), engine=engine)
    for index, roles in enumerate(ROLES):
        project.feed(f"n{index}", feed(f"n{index}", *roles))
        project.land(f"n{index}", "1.csv", csv(*roles, (1, 2, "5"), (2, 0, "5"), (2, 1, "6")))
    assert project.cli("validate").document["problems"] == []
    reports = project.cli("run").document["feeds"]
    assert [(report["feed"], report["error"]) for report in reports if report["error"]] == []
    for index, roles in enumerate(ROLES):
        days = csv(*roles, (1, 3, "7"), (8, 1, "x"), (2, 0, "9"), (3, 9, "1"))
        project.land(f"n{index}", "2.csv", days)
    for index, (report, (keys, sequence)) in enumerate(zip(project.cli("run").document["feeds"], ROLES, strict=True)):
        assert report["error"] is None, keys
        figures = {figure: count for figure, count in report["rows"].items() if count}
        assert figures == {"read": 4, "staged": 3, "quarantined": 1, "inserted": 1, "updated": 1, "stale": 1}, keys
        other = next(name for name in NAMES if name not in (*keys, *sequence))
        held = ", ".join('"' + name.replace('"', '""') + '"' for name in (*keys, *sequence, other))
        expected = [
            (*k * len(keys), *s * len(sequence), v) for k, s, v in (("1", "3", "7"), ("2", "1", "6"), ("3", "9", "1"))
        ]
        assert project.rows(f"s.n{index}", held) == expected, keys
        ((line, record, count),) = project.rows(f"s.n{index}__quarantine", "_line, _record, len(_errors)")
        assert (line, count) == ("3", str(len(NAMES) - len(keys) - len(sequence))), keys
        assert record == csv(keys, sequence, (8, 1, "x")).splitlines()[1], keys
        assert {reason["value"] for reason in report["reasons"]} == {"x"}, keys

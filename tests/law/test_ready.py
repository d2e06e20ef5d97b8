"""When a file counts as complete."""

from __future__ import annotations

import pytest

from framework.feed import Format, ReadyWhen, Source
from framework.law.discovery import discover
from framework.names import File

NOW = 1_000_000_000_000


def file(name: str, age_seconds: float = 0) -> File:
    modified = NOW - int(age_seconds * 1e9)
    return File(f"/landing/{name}", name, modified, 1, modified)


def listed(source: Source, *files: File) -> tuple[list[str], dict[str, str]]:
    listing = discover(source, files, NOW)
    return [each.name for each in listing.pending], {each.file.name: each.reason for each in listing.skipped}


@pytest.mark.parametrize(("age", "pending"), [(119.9, False), (120, True), (121, True), (-5, False)])
def test_a_file_must_not_have_changed_for_so_long(age: float, pending: bool) -> None:
    source = Source("/landing/", Format.CSV, ready_when=ReadyWhen(min_age_seconds=120))
    there, skipped = listed(source, file("a.csv", age))
    assert there == (["a.csv"] if pending else [])
    assert skipped == ({} if pending else {"a.csv": "it is not ready: it has changed less than 120 s ago"})


def test_a_marker_stands_beside_its_file_and_is_not_older() -> None:
    source = Source("/landing/", Format.CSV, recursive=True, ready_when=ReadyWhen(marker="{file}.done"))
    there, skipped = listed(
        source,
        *(file("a.csv", 10), file("a.csv.done", 10), file("b.csv", 5), file("b.csv.done", 6)),
        *(file("c.csv"), file("x/d.csv", 2), file("x/d.csv.done", 1), file("e.csv"), file("x/e.csv.done")),
    )
    assert there == ["a.csv", "x/d.csv"]
    assert skipped["b.csv"] == "it is not ready: its marker b.csv.done is older than it"
    assert skipped["c.csv"] == "it is not ready: its marker c.csv.done is not there"
    assert skipped["e.csv"] == "it is not ready: its marker e.csv.done is not there"


def test_one_marker_may_stand_for_a_whole_folder() -> None:
    source = Source("/landing/", Format.CSV, recursive=True, ready_when=ReadyWhen(marker="_SUCCESS"))
    there, _ = listed(source, file("1/a.csv", 9), file("1/b.csv", 8), file("1/_SUCCESS", 7), file("2/a.csv", 9))
    assert there == ["1/a.csv", "1/b.csv"]


@pytest.mark.parametrize("ending", [".done", ".ok", ".ctl", ".trg", ".md5", ".sha256", ".crc", ".DONE"])
def test_companions_are_no_data_unless_files_names_them(ending: str) -> None:
    assert listed(Source("/landing/", Format.CSV), file(f"a.csv{ending}"))[0] == []
    assert listed(Source("/landing/", Format.CSV, files="a*"), file(f"a.csv{ending}"))[0] == [f"a.csv{ending}"]

"""Old workbooks are read by a process of their own, which a file can end, and nothing more."""

from __future__ import annotations

import io
import sys

import pytest

from framework.feed import Feed
from framework.law.layout import Layout, Rejected
from framework.law.records import READERS, BrokenFile
from tests.feeds import column, made_feed
from tests.old_workbooks import a_day, a_number, a_shared_text, a_text, old_workbook

HEADER = a_text(0, 0, "a") + a_text(0, 1, "b")


def feed(**source: object) -> Feed:
    return made_feed(column("a"), column("b"), source={"format": "excel", **source}, target={"keys": ()})


def read(data: bytes, of: Feed) -> list[tuple[str | None, ...] | None] | Rejected:
    reader = READERS[of.source.format]
    layout, _ = reader.open(io.BytesIO(data), "utf-8", of)
    if not isinstance(layout, Layout):
        return layout
    return [record.fields for record in reader.records(io.BytesIO(data), "utf-8", of, layout)]


def test_cells_are_read() -> None:
    cells = HEADER + a_number(1, 0, 7.0) + a_day(1, 1, 46_000) + a_number(2, 0, 0.1) + a_shared_text(2, 1)
    assert read(old_workbook(cells, "gemeinsam"), feed()) == [("7", "2025-12-09"), ("0.1", "gemeinsam")]


def test_what_is_wrong_with_a_file_is_told() -> None:
    found = read(old_workbook(HEADER), feed(sheet="Z"))
    assert isinstance(found, Rejected)
    assert found.reason == "there is no sheet Z in the workbook; it has 'A'"
    with pytest.raises(BrokenFile, match="no complete Excel workbook"):
        read(old_workbook(HEADER)[:2000], feed())


@pytest.mark.parametrize("cells", [a_number(65_535, 65_535, 1), a_number(65_535, 255, 1)], ids=["all", "many"])
def test_two_cells_in_opposite_corners(cells: bytes) -> None:
    with pytest.raises(BrokenFile, match=r"takes more memory or time than its size allows: save it as \.xlsx"):
        read(old_workbook(HEADER + cells), feed())


def test_a_process_that_cannot_begin_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(MemoryError):
        read(old_workbook(HEADER), feed())

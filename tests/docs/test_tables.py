"""docs/tables.md has every column of the tables that Landfeed keeps, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TypeAlias

import pytest

from framework.ledger import BatchEvent, CheckEvent, FileEvent, NoticeEvent, ResolvedEvent, SchemaChangeEvent
from tests.documents import document
from tests.support import HEADER, Project

Event: TypeAlias = FileEvent | BatchEvent | CheckEvent | NoticeEvent | ResolvedEvent | SchemaChangeEvent


def documented(title: str) -> set[str]:
    """The columns in the first cells of a section's table."""
    section = document("docs", "tables.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    ("title", "event"),
    [
        ("files", FileEvent),
        ("batches", BatchEvent),
        ("checks", CheckEvent),
        ("notices", NoticeEvent),
        ("resolved", ResolvedEvent),
        ("schema_changes", SchemaChangeEvent),
    ],
)
def test_control_tables(title: str, event: type[Event]) -> None:
    assert documented(title) == {field.name.rstrip("_") for field in fields(event)}


def test_the_quarantine_table(project: Project) -> None:
    project.land("activity", "a.csv", HEADER + "x,login,2026-01-01\n1,login,2026-01-01\n")
    project.cli("run")
    table = project.table("analytics.activity__quarantine")
    assert table is not None
    assert documented("Quarantine") == {field.name for field in table.schema().fields}

"""Tables of other types than the rows that are to be written: nothing is written, where a writer would convert them
without a word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from framework.errors import LandfeedError
from framework.names import Table
from tests.engines.driving import Drive

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv}}
schema: {{id: bigint, amount: double, at: timestamp}}
target: {{table: s.{name}, keys: [id]{more}}}
"""
LINES = "id,amount,at\n1,2.7,2026-01-02 03:04:05\n"


@pytest.fixture(scope="module")
def drive(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    made = Drive(engine, os.fspath(tmp_path_factory.mktemp(engine)))
    yield made
    made.close()


@pytest.mark.parametrize("more", ["", ", mode: append", ", mode: overwrite", ", sequence_by: at, scd_type: 2"])
@pytest.mark.parametrize(("column", "type_"), [("amount", "int"), ("at", "date")])
def test_nothing_is_written_into_columns_of_other_types(drive: Drive, more: str, column: str, type_: str) -> None:
    """As when another program made the target anew after it was looked at."""
    name = f"f{len(more)}_{column}"
    feed = drive.feed(FEED.format(name=name, more=more).replace("keys: [id], mode: append", "mode: append"))
    types = {"id": "bigint", "amount": "double", "at": "timestamp", column: type_}
    history = {"__START_AT": "timestamp", "__END_AT": "timestamp"} if "scd_type" in more else {}
    drive.create(feed.target.table, **types, **history)
    staged = drive.stage(feed, 1, [drive.land(feed, "1.csv", LINES)])
    drive.prepare(feed)
    with pytest.raises(LandfeedError, match=f"column {column} of s.{name} is {type_}, and the staged rows have") as at:
        drive.merge(feed, staged)
    assert at.value.code == "schema"
    assert drive.rows(feed.target.table) == []


def test_bad_rows_are_not_written_into_columns_of_other_types(drive: Drive) -> None:
    feed = drive.feed(FEED.format(name="bad", more=""))
    table = Table("s.elsewhere")
    columns = {"_feed": "string", "_batch_id": "string", "_source_file": "string", "_line": "int", "_record": "string"}
    errors = "array<struct<code:string,column:string,value:string,message:string>>"
    drive.create(table, **columns, _errors=errors, _quarantined_at="timestamp")
    feed = replace(feed, quarantine=replace(feed.quarantine, table=table))
    file = drive.land(feed, "1.csv", LINES + "x,1,2026-01-01\n")
    with pytest.raises(LandfeedError, match=r"column _line of s\.elsewhere is int, and the staged rows have bigint"):
        drive.stage(feed, 1, [file])
    assert drive.rows(table) == []

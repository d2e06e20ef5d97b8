"""Rows that delete need their keys and their sequence only: neither checks nor computed columns hold them up."""

from __future__ import annotations

import os

import pytest

from framework.names import Rows
from tests.engines.driving import Drive

pytestmark = pytest.mark.engines

FEED = """\
feed: gone
source: {path: "${landing}/gone/", format: csv}
schema:
  id: bigint
  op: string
  amount: int
  parts: int
  each: {type: double, expr: "amount / parts", required: true}
  at: timestamp
filter: "amount > 0"
checks:
  - {name: paid, expr: "amount > 5", action: quarantine}
  - {name: whole, expr: "amount % parts = 0", action: fail}
target: {table: t.gone, keys: [id], sequence_by: at, apply_as_deletes: "upper(op) like 'D%' or 6 / amount > 2"}
"""


@pytest.mark.rarely
def test_a_delete_is_asked_nothing(engine: str, tmp_path: os.PathLike[str]) -> None:
    drive = Drive(engine, os.fspath(tmp_path))
    feed = drive.feed(FEED)
    header = "id,op,amount,parts,at\n"
    drive.load(
        feed, 1, [drive.land(feed, "1.csv", header + "1,u,6,2,2026-01-01\n2,u,8,2,2026-01-01\n3,u,9,3,2026-01-01\n")]
    )
    second = header + "1,del,,,2026-01-02\n2,D,-1,0,2026-01-02\n3,D,7,0,2026-01-02\n4,u,4,2,2026-01-02\n"
    second += "5,u,0,2,2026-01-02\n"  # whether it deletes, nobody knows
    staged, merged = drive.load(feed, 2, [drive.land(feed, "2.csv", second)])
    # A filter that is NULL lets a delete pass, one that is false does not.
    assert staged.manifest.rows == Rows(read=5, staged=2, quarantined=2, filtered=1)
    assert merged.rows.deleted == 2
    assert [row[0] for row in drive.rows(feed.target.table)] == ["2"]
    drive.close()

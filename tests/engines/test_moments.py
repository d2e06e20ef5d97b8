"""Moments as feeds bring them, loaded through the real command line into real tables, on every engine."""

from __future__ import annotations

import pytest

from tests.support import Project

pytestmark = pytest.mark.engines

FEED = """\
feed: moments
source: {{path: '${{landing}}/moments/', format: {format}}}
schema: {{id: int, {columns}}}
target: {{table: s.moments, keys: [id]}}
"""


def test_moments_of_all_kinds(project: Project) -> None:
    """The usual ends of time, numbers that count from 1970, optional parts, moments without a zone."""
    columns = (
        "ends: timestamp, seconds: {type: timestamp, format: epoch_seconds}, "
        "millis: {type: timestamp, format: [epoch_millis, yyyy-MM-dd]}, "
        "parts: {type: timestamp, format: 'yyyy-MM-dd HH:mm:ss[.SSS]XXX'}, local: timestamp_ntz, "
        "oracle: {type: date, format: 'dd-MMM-yy'}, amount: 'decimal(4,2)'"
    )
    project.feed("moments", FEED.format(format="csv", columns=columns))
    project.land(
        "moments",
        "a.csv",
        "id,ends,seconds,millis,parts,local,oracle,amount\n"
        "1,9999-12-31 23:59:59,1735689600,1735689600123,2025-01-01 00:00:00Z,2026-03-29 02:30:00,05-JAN-26,.5\n"
        "2,0001-01-01T00:00:00Z,-0.5,2025-01-01,2025-01-01 00:00:00.123+01:00,9999-12-31,05-jan-26,5.\n"
        "3,9999-12-31 23:59:59-00:01,1,1,2025-01-01 00:00:00Z,2026-01-01,05-JAN-26,1\n"
        "4,2026-01-01,1,1,2025-01-01 00:00:00Z,2026-01-01Z,05-JAN-26,1\n",
    )
    result = project.cli("run", "moments")
    assert (result.feed["rows"]["staged"], result.feed["rows"]["quarantined"]) == (2, 2), result.document
    assert project.rows("s.moments") == [
        (
            *("1", "9999-12-31 23:59:59+00", "2025-01-01 00:00:00+00", "2025-01-01 00:00:00.123+00"),
            *("2025-01-01 00:00:00+00", "2026-03-29 02:30:00", "2026-01-05", "0.50"),
        ),
        (
            *("2", "0001-01-01 00:00:00+00", "1969-12-31 23:59:59.5+00", "2025-01-01 00:00:00+00"),
            *("2024-12-31 23:00:00.123+00", "9999-12-31 00:00:00", "2026-01-05", "5.00"),
        ),
    ]


@pytest.mark.rarely
def test_a_moment_without_a_zone_comes_to_a_table_that_is_there(project: Project) -> None:
    project.feed("moments", FEED.format(format="json", columns="at: timestamp"))
    project.land("moments", "a.json", '{"id": 1, "at": "2026-01-01"}\n{"id": 2, "at": "2026-01-01 10:00 +02"}\n')
    assert project.cli("run", "moments").code == 0
    project.feed("moments", FEED.format(format="json", columns="at: timestamp, local: timestamp_ntz"))
    project.land("moments", "b.json", '{"id": 2, "at": "2026-01-02", "local": "2026-01-02T03:04:05.123456789"}\n')
    result = project.cli("run", "moments")
    assert result.code == 0, result.document
    assert project.rows("s.moments") == [
        ("1", "2026-01-01 00:00:00+00", None),
        ("2", "2026-01-02 00:00:00+00", "2026-01-02 03:04:05.123456"),
    ]

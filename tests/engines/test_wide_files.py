"""Files with more columns, or keys, than any feed has: they cost what they hold, and no other file suffers."""

from __future__ import annotations

import gzip
import json
import os

import pytest

from tests.support import ACTIVITY, HEADER, Project


def test_a_header_without_end(project: Project) -> None:
    """It is rejected; nine thousand columns are not, and no other file suffers."""
    ends = [",user_id,event_time\n", ",7,2026-01-01\n"]
    for count in (9_900, 40_000):
        names, values = [f"c{number}" for number in range(count)], ["1"] * count
        project.land("activity", f"{count}.csv", ",".join(names) + ends[0] + ",".join(values) + ends[1])
    project.land("activity", "good.csv", HEADER + "1,a,2026-01-01\n")
    report = project.cli("run").feed
    assert report["rows"]["read"] == 2
    reasons = {os.path.basename(file["file"]): file["reason"] for file in report["files"]}
    assert reasons == {
        "9900.csv": None,
        "40000.csv": "the header has 40002 columns; a file may have 10000 (limits.columns)",
        "good.csv": None,
    }


def test_json_with_a_key_of_its_own_in_every_record(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity").replace("format: csv", "format: json"))
    lines = [json.dumps({"user_id": n, "event_time": "2026-01-01", f"key{n}": n}) for n in range(20_000)]
    project.land("activity", "f.json", "\n".join(lines))
    assert project.cli("run").feed["rows"]["staged"] == 20_000


@pytest.mark.engines
@pytest.mark.rarely
def test_limits_of_the_environment(project: Project) -> None:
    """Each rejects the file that is beyond it, or its row, and no other."""
    with open(project.path("pipelines_config", "environments", "local.yml"), "a") as environment:
        environment.write("limits: {record: 2 MiB, columns: 4, unpacked: 3 MB, ratio: 900}\n")
    zeros = HEADER.encode() + b"1,a,2026-01-01\n" * 210_000
    project.land("activity", "bomb.csv.gz", gzip.compress(zeros))
    project.land("activity", "good.csv.gz", gzip.compress((HEADER + "1,a,2026-01-01\n").encode()))
    project.land("activity", "record.csv", f"{HEADER}2,{'x' * (2 << 20)},2026-01-01\n3,b,2026-01-01\n")
    project.land("activity", "wide.csv", "user_id,event,event_time,d,e\n4,c,2026-01-01,,\n")
    report = project.cli("run").feed
    assert {os.path.basename(file["file"]): file["reason"] for file in report["files"]} == {
        "bomb.csv.gz": "unpacked the file has more than 3000000 bytes (limits.unpacked)",
        "good.csv.gz": None,
        "record.csv": None,
        "wide.csv": "the header has 5 columns; a file may have 4 (limits.columns)",
    }
    assert project.rows("analytics.activity", "user_id") == [("1",), ("3",)]
    ((message,),) = project.rows("analytics.activity__quarantine", "_errors[1]['message']")
    assert message == "the record has 2097165 characters; it may have 2097152 (limits.record)"

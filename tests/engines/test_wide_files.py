"""Files with more columns, or keys, than any feed has: they cost what they hold, and no other file suffers."""

from __future__ import annotations

import json
import os

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
        "40000.csv": "the header has 40002 columns; a file may have 10000",
        "good.csv": None,
    }


def test_json_with_a_key_of_its_own_in_every_record(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity").replace("format: csv", "format: json"))
    lines = [json.dumps({"user_id": n, "event_time": "2026-01-01", f"key{n}": n}) for n in range(20_000)]
    project.land("activity", "f.json", "\n".join(lines))
    assert project.cli("run").feed["rows"]["staged"] == 20_000

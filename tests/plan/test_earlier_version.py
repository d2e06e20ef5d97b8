"""What earlier versions left behind is read and continued: their manifests, control tables and targets.

`fixtures/version_0_1_0` is a project of the first version, made at /tmp/project: one batch is archived, the next is
staged. Its manifests list the figures of files by position, and its tables have the columns of that time.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from framework.batch import FileOutcome, Manifest
from framework.engines.control import DeltaControl
from framework.engines.delta import DeltaTables
from framework.ledger import Ledger
from framework.names import BatchState, File, Rows
from tests.support import HEADER, REPOSITORY, Project

FIXTURE = os.path.join(REPOSITORY, "tests", "fixtures", "version_0_1_0")
LANDED = 1_767_312_000_123_456_789
MANIFEST = (
    '{"landfeed":1,"feed":"activity","seq":2,"batch_id":"b7f70e0f1695c895",'
    '"staged_at":"2026-11-26T21:02:26.910750+00:00","seconds":0.5,"rows":{"read":2,"staged":2,"quarantined":0,'
    '"filtered":0,"deduplicated":0,"inserted":0,"updated":0,"deleted":0,"unchanged":0,"stale":0},'
    '"files":[["/landing/2.csv","2.csv",1767312000123456789,56,1767312000123456789,[2,2,0,0,0],null],'
    '["/landing/3.csv","3.csv",5,56,5,[0,0,0,0,0],"not UTF-8"]]}'
)


@pytest.fixture
def earlier(project: Project) -> Project:
    """The project of the earlier version as if it had been made where this one stands."""
    for part in ("tables", "archive", "landing"):
        shutil.copytree(os.path.join(FIXTURE, part), project.path(part), dirs_exist_ok=True)
    files = [os.path.join(at, name) for at, _, names in os.walk(project.path("tables")) for name in names]
    logs = {path: Path(path).read_text(encoding="utf-8") for path in files if path.endswith(".json")}
    there = f"{project.root}/"
    ids: dict[bytes, bytes] = {}
    for path, text in logs.items():
        logs[path] = text.replace("/tmp/project/", there)  # noqa: S108 (where it was made)
        for line in logs[path].splitlines():
            manifest = Manifest.from_json(json.loads(line).get("commitInfo", {}).get("userMetadata"))
            if manifest is not None and manifest.outcomes:  # a batch's id is made of its files' paths
                ids[manifest.batch_id.encode()] = manifest.batch.id.encode()
    for path in files:
        content = logs[path].encode() if path in logs else Path(path).read_bytes()
        for old, new in ids.items():  # of the same length, so the files stay what they are
            content = content.replace(old, new)
        Path(path).write_bytes(content)
    os.utime(project.path("landing", "activity", "2.csv"), ns=(LANDED, LANDED))
    return project


def test_a_manifest_by_position_is_read_and_written_by_name() -> None:
    manifest = Manifest.from_json(MANIFEST)
    assert manifest is not None
    assert manifest.outcomes == (
        FileOutcome(File("/landing/2.csv", "2.csv", LANDED, 56, LANDED), Rows(2, 2)),
        FileOutcome(File("/landing/3.csv", "3.csv", 5, 56, 5), Rows(), "not UTF-8"),
    )
    assert (manifest.batch_id, manifest.batch.seq, manifest.rows) == ("b7f70e0f1695c895", 2, Rows(2, 2))
    written = json.loads(manifest.to_json())
    assert written["files"][0]["rows"] == {"read": 2, "staged": 2}
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_manifest_of_a_later_version_is_read() -> None:
    """Names that it does not know are passed over, and missing ones are zero."""
    manifest = Manifest.from_json(MANIFEST)
    assert manifest is not None
    document = json.loads(manifest.to_json())
    document["rows"] |= {"folded": 3}
    document["pages"] = 1
    del document["rows"]["stale"], document["seconds"]
    for file in document["files"]:
        file["rows"] |= {"folded": 3}
        file["file"] |= {"member": "a.csv"}
        file["layout"] = "wide"
    found = Manifest.from_json(json.dumps(document))
    assert found is not None
    assert (found.outcomes, found.rows, found.seconds) == (manifest.outcomes, manifest.rows, 0.0)


@pytest.mark.engines
def test_an_earlier_project_goes_on(earlier: Project) -> None:
    """The batch that it staged is merged and archived as it is, and the next one works."""
    ledger = Ledger(DeltaControl(DeltaTables(earlier.path("tables"), {})), "_landfeed")
    (staged, archived) = ledger.batch_events(limit=4)[:2]
    assert (staged.state, staged.rows, archived.state) == (BatchState.STAGED, Rows(2, 2), BatchState.ARCHIVED)
    assert earlier.cli("status").document["feeds"][0]["last_batch"]["state"] == "staged"
    assert len(earlier.cli("history").document["batches"]) == 2
    done = earlier.cli("run")
    assert (done.code, done.feed["batch_id"]) == (0, staged.batch_id)
    assert (done.feed["rows"]["updated"], done.feed["rows"]["inserted"]) == (1, 1)
    earlier.land("activity", "3.csv", HEADER + "4,d,2026-01-06\n")
    assert earlier.cli("run").feed["rows"]["inserted"] == 1
    assert earlier.rows("analytics.activity", "user_id, event") == [("1", "a2"), ("2", "b2"), ("3", "c"), ("4", "d")]
    assert [event.state for event in ledger.batch_events(batch_ids=[staged.batch_id])].count(BatchState.STAGED) == 1
    assert earlier.files("landing") == []

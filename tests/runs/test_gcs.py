"""Landfeed on Google Cloud Storage: files, archive and tables in buckets, through the real command line."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.bucket_project import BucketProject
from tests.gcs_server import GcsServer
from tests.recovery.test_kill import state
from tests.support import ACTIVITY, HEADER, Result

pytestmark = pytest.mark.gcs

Make = Callable[[str, GcsServer, str], BucketProject]

ELSEWHERE = partial(BucketProject, other_archive=True, local_tables=True)
PLACES = [
    pytest.param(BucketProject, id="all in one bucket"),
    pytest.param(ELSEWHERE, id="another archive bucket, local tables"),
]


@pytest.fixture(scope="module", autouse=True)
def _emulator(gcs_server: GcsServer) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", gcs_server.address)
        yield


@pytest.fixture
def project(tmp_path: os.PathLike[str], gcs_server: GcsServer) -> BucketProject:
    """All in one bucket."""
    return BucketProject(os.fspath(tmp_path), gcs_server, "activity")


@pytest.fixture
def at_home(tmp_path: os.PathLike[str], gcs_server: GcsServer) -> BucketProject:
    """Files in a bucket, tables in a local folder."""
    return BucketProject(os.fspath(tmp_path), gcs_server, "activity", local_tables=True)


def finished(process: subprocess.Popen[str]) -> Result:
    out, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    return Result(process.returncode, json.loads(out))


def until(true: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Loading


@pytest.mark.parametrize("make", PLACES)
def test_login_becomes_purchase(make: Make, tmp_path: os.PathLike[str], gcs_server: GcsServer) -> None:
    project = make(os.fspath(tmp_path), gcs_server, "activity")
    first = project.land("activity", "file1.csv", HEADER + "123,login,2026-01-01 10:00:00\n")
    report = project.cli("run")
    assert (report.code, report.feed["rows"]["inserted"]) == (0, 1)
    project.land("activity", "file2.csv", HEADER + "123,purchase,2026-01-02 10:00:00\n")
    report = project.cli("run")
    assert (report.code, report.feed["rows"]["updated"]) == (0, 1)
    assert [row[:2] for row in project.rows("analytics.activity")] == [("123", "purchase")]
    assert project.files("landing") == []
    assert sorted(name.rsplit("/", 1)[1] for name in project.files("archive")) == ["file1.csv", "file2.csv"]
    [moved] = [to for file, to in project.rows("_landfeed.files", "file, moved_to") if file == first and to]
    assert moved.startswith(f"gs://{project.archive}/archive/activity/")
    assert project.content(moved).startswith(b"user_id,event")
    assert project.cli("run").document["status"] == "nothing_to_do"


def test_reports_in_a_bucket(at_home: BucketProject) -> None:
    """Of a run that loads, and of one that fails; the newest one is latest.json."""
    project = at_home
    project.environment("embedded", f"reports: 'gs://{project.bucket}/told/reports'\n")
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    done = project.cli("run")
    project.land("activity", "b.csv", "no,header\n")
    failed = project.cli("run")
    *reports, latest = project.files("told/reports")
    found = [json.loads(project.content(f"gs://{project.bucket}/told/reports/{name}")) for name in (*reports, latest)]
    assert (latest, found) == ("latest.json", [done.document, failed.document, failed.document])
    assert [document["exit_code"] for document in found] == [0, 3, 3]


def test_compressed_files_json_bad_rows_and_a_rejected_file(project: BucketProject) -> None:
    rejected = f"gs://{project.archive}/refused/"
    text = ACTIVITY.format(name="events").replace("csv", "json") + f"archive: {{rejected_path: '{rejected}'}}\n"
    project.feed("events", text)
    good = project.land(
        "events", "a.json.gz", gzip.compress(b'{"user_id": 1, "event": "a", "event_time": "2026-01-01"}\n')
    )
    bad = project.land(
        "events", "b.json", '{"user_id": "x", "event": "b"}\n{"user_id": 2, "event_time": "2026-01-01"}\n'
    )
    broken = project.land("events", "c.json.gz", b"\x1f\x8b not gzip")
    report = project.cli("run", "events")
    assert (report.code, report.document["status"]) == (3, "rejected")
    assert {key: report.feed["rows"][key] for key in ("read", "staged", "quarantined")} == {
        "read": 3,
        "staged": 2,
        "quarantined": 1,
    }
    assert [file["status"] for file in report.feed["files"]] == ["archived", "archived", "rejected"]
    moved = report.feed["files"][2]["moved_to"]
    assert moved.startswith(rejected)
    assert project.content(moved) == b"\x1f\x8b not gzip"
    assert [row[0] for row in project.rows("analytics.events__staging", "_source_file")] == [good, bad]
    assert project.rows("analytics.events__quarantine", "_source_file, _line") == [(bad, "1")]
    assert broken in {row[0] for row in project.rows("_landfeed.files", "file", "file")}


def test_three_tasks_as_three_processes(project: BucketProject) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\nx,bad,2026-01-01\n")
    reports = [finished(project.start(task)) for task in ("stage", "merge", "archive")]
    assert [report.code for report in reports] == [0, 0, 0]
    assert [report.feed["files"][0]["status"] for report in reports] == ["pending", "merged", "archived"]
    assert len(project.rows("analytics.activity")) == len(project.rows("analytics.activity__quarantine")) == 1
    assert len(project.files("archive")) == 1


def test_status_plan_history_and_show(project: BucketProject) -> None:
    path = project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    plan = project.cli("plan").document["feeds"][0]
    assert [file["file"] for file in plan["files"]] == [path]
    assert project.cli("status").feed["pending_files"] == 1
    assert project.files("tables") == [], "plan and status write nothing"
    assert project.cli("run").code == 0
    status = project.cli("status").feed
    assert (status["pending_files"], status["last_batch"]["state"]) == (0, "archived")
    history = project.cli("history", "activity", "--files").document
    assert [batch["inserted"] for batch in history["batches"]] == [1]
    assert project.cli("show", "activity").feed["rows"][0]["event"] == "a"


def test_watch_lists_the_bucket_again_and_again(at_home: BucketProject) -> None:
    with at_home.start("watch", "--interval", "0.2", "--quiet", "0.1") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "started"
        for number in range(2):
            at_home.land("activity", f"{number}.csv", HEADER + f"{number},a,2026-01-01\n")
            events = [json.loads(process.stdout.readline()) for _ in range(2)]
            assert [event["event"] for event in events] == ["seen", "succeeded"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(at_home.rows("analytics.activity")) == len(at_home.files("archive")) == 2


# Files that change, and an archive that does not


def replaced_during(project: BucketProject, operation: str) -> Result:
    """A run of which the first request of a class waits until its file has been uploaded again."""
    path = project.land("activity", "a.csv", HEADER + "1,old,2026-01-01\n")
    project.server.reset_counts()
    with project.server.faults({"operation": operation, "path": "/landing/activity/a.csv", "delay_seconds": 1}):
        process = project.start("run")
        until(lambda: project.server.counts()[operation])
        assert project.land("activity", "a.csv", HEADER + "1,new,2026-01-02\n") == path
        return finished(process)


def test_a_file_replaced_before_its_download_is_loaded_by_the_next_run(at_home: BucketProject) -> None:
    report = replaced_during(at_home, "media")
    assert report.code == 0
    assert report.feed["warnings"] == ["a.csv: changed while being read, stays pending in its new version"]
    assert at_home.rows("analytics.activity") == []
    assert at_home.files("landing") == ["activity/a.csv"]
    assert at_home.cli("run").feed["rows"]["inserted"] == 1
    assert [row[1] for row in at_home.rows("analytics.activity")] == ["new"]


@pytest.mark.parametrize(("other_archive", "operation"), [(False, "move"), (True, "rewrite"), (True, "delete")])
def test_a_file_replaced_before_its_move_is_loaded_by_the_next_run(
    other_archive: bool, operation: str, tmp_path: os.PathLike[str], gcs_server: GcsServer
) -> None:
    """What was loaded is the old version; the new one is not touched by its move."""
    root = os.fspath(tmp_path)
    project = BucketProject(root, gcs_server, "activity", other_archive=other_archive, local_tables=True)
    report = replaced_during(project, operation)
    assert report.code == 0
    [file] = report.feed["files"]
    if operation == "delete":  # of the original, when its copy is in the archive already
        assert b"old" in project.content(file["moved_to"])
    else:
        assert file["reason"] == "the file was replaced in landing; the new version is pending"
        assert project.files("archive") == []
    assert [row[1] for row in project.rows("analytics.activity")] == ["old"]
    assert project.files("landing") == ["activity/a.csv"]
    assert project.cli("run").feed["rows"]["updated"] == 1
    assert [row[1] for row in project.rows("analytics.activity")] == ["new"]
    assert project.files("landing") == []


@pytest.mark.parametrize("make", PLACES)
def test_nothing_in_the_archive_is_overwritten(make: Make, tmp_path: os.PathLike[str], gcs_server: GcsServer) -> None:
    project = make(os.fspath(tmp_path), gcs_server, "activity")
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    assert project.cli("stage").code == project.cli("merge").code == 0
    [(batch, day)] = set(project.rows("_landfeed.batches", "batch_id, strftime(recorded_at, '%Y-%m-%d')"))
    store = gcs_server.client().bucket(project.archive)
    store.blob(f"archive/activity/{day}/{batch}/a.csv").upload_from_string(b"somebody else's")
    report = project.cli("archive")
    assert (report.code, report.feed["error"]["code"]) == (1, "archive_exists")
    assert project.files("landing") == ["activity/a.csv"]
    [name] = project.files("archive")
    assert project.content(f"gs://{project.archive}/archive/{name}") == b"somebody else's"


# Crashes and several runners


def prepare(project: BucketProject) -> None:
    """A day with good, bad and duplicate rows and a broken file, after another day."""
    project.land("activity", "day1.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n")
    assert project.cli("run").code == 0
    project.land("activity", "a.csv", HEADER + "1,a2,2026-01-02\nx,bad,2026-01-02\n3,c,2026-01-02\n")
    project.land("activity", "b.csv", HEADER + "3,c3,2026-01-03\n2,old,2025-01-01\n")
    project.land("activity", "broken.csv", "nothing,here\n1,2\n")


def killed_before(project: BucketProject, operation: str, number: int) -> None:
    """Kill a run when it has sent `number` requests of a class and the next one is held up, never to be carried out."""
    project.server.reset_counts()
    held = {"operation": operation, "skip": number, "times": -1, "delay_seconds": 60, "drop_request": True}
    with project.server.faults(held):
        process = project.start("run")
        until(lambda: project.server.counts()[operation] > number or process.poll() is not None)
        assert process.poll() is None, "it has fewer requests of this class"
        process.kill()
        process.communicate()
    project.release_leases()


KILLS: dict[str, tuple[Make, dict[str, int]]] = {
    "tables in the bucket": (BucketProject, {"upload": 13, "move": 3}),
    "another archive bucket": (ELSEWHERE, {"rewrite": 3, "delete": 3}),
}
"""For each arrangement how many requests that write a run has, by class."""
EACH = [
    pytest.param(places, operation, at, marks=[pytest.mark.torture] if operation == "upload" and at % 3 else [])
    for places, (_, classes) in KILLS.items()
    for operation, number in classes.items()
    for at in range(number)
]


@pytest.fixture(scope="module")
def uninterrupted(gcs_server: GcsServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a run that nothing happens to leaves, by arrangement."""
    states = {}
    for name, (make, classes) in KILLS.items():
        project = make(os.fspath(tmp_path_factory.mktemp("whole")), gcs_server, "activity")
        prepare(project)
        gcs_server.reset_counts()
        assert finished(project.start("run")).code == 3
        counts = gcs_server.counts()
        assert {operation: counts[operation] for operation in classes} == classes, "KILLS must say how many there are"
        states[name] = state(project)
    return states


@pytest.mark.parametrize(("places", "operation", "at"), EACH)
def test_killed_and_run_again(
    places: str,
    operation: str,
    at: int,
    tmp_path: os.PathLike[str],
    gcs_server: GcsServer,
    uninterrupted: dict[str, dict[str, Any]],
) -> None:
    """Everything is as if nothing had happened."""
    project = KILLS[places][0](os.fspath(tmp_path), gcs_server, "activity")
    prepare(project)
    killed_before(project, operation, at)
    project.cli("run")
    assert state(project) == uninterrupted[places]
    assert project.cli("run").document["status"] == "nothing_to_do"


def test_two_runners_at_once(tmp_path: os.PathLike[str], gcs_server: GcsServer) -> None:
    """Nothing is lost and nothing doubled, from the first run on, when every table is made."""
    names = ["first", "second", "third"]
    project = BucketProject(os.fspath(tmp_path), gcs_server, *names)
    for number in range(2):
        for name in names:
            project.land(name, f"{number}.csv", HEADER + f"{number},a,2026-01-01\nx{number},bad,2026-01-01\n")
        for report in [finished(runner) for runner in [project.start("run") for _ in range(2)]]:
            assert report.code == 0, report.document
    assert project.cli("run").code == 0
    for name in names:
        assert [row[0] for row in project.rows(f"analytics.{name}")] == ["0", "1"]
        assert len(project.rows(f"analytics.{name}__quarantine")) == 2
    assert project.files("landing") == []
    assert len(project.files("archive")) == 6
    states = project.rows("_landfeed.files", "file, state")
    assert len(states) == len(set(states)) == 18


# Refusals


def refused(process: subprocess.Popen[str]) -> dict[str, str]:
    """Why a run failed: exit code 1, one sentence with what to do, and nothing of how it came to it."""
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1, out + errors
    assert "Traceback" not in out + errors
    document = json.loads(out)
    found: dict[str, str] = document.get("error") or document["feeds"][0]["error"]
    assert "\n" not in found["message"]
    assert found["hint"]
    assert IN_THE_KEY not in out + errors
    return found


IN_THE_KEY = "c2VjcmV0"


def test_a_missing_landing_bucket(at_home: BucketProject) -> None:
    at_home.bucket = "no-such-bucket"
    at_home.environment("embedded")
    error = refused(at_home.start("run"))
    assert error["code"] == "missing_folder"
    assert error["message"].startswith("gs://no-such-bucket/landing/activity/ cannot be listed: ")


def test_a_missing_archive_bucket(at_home: BucketProject) -> None:
    at_home.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    at_home.archive = "no-such-bucket"
    at_home.environment("embedded")
    error = refused(at_home.start("run"))
    assert error["code"] == "missing_folder"
    assert "no-such-bucket" in error["message"]
    assert at_home.files("landing") == ["activity/a.csv"]


def test_a_missing_bucket_for_tables(project: BucketProject) -> None:
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    project.tables = "gs://no-such-bucket/tables"
    project.environment("embedded")
    error = refused(project.start("run"))
    assert error["message"] == "table _landfeed.batches: there is no such bucket"
    assert "tables.root" in error["hint"]


@pytest.mark.parametrize("where", ["at_home", "project"])
def test_no_credentials(where: str, request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> None:
    project: BucketProject = request.getfixturevalue(where)
    nobody = {"STORAGE_EMULATOR_HOST": "", "HOME": os.fspath(tmp_path), "GOOGLE_APPLICATION_CREDENTIALS": ""}
    error = refused(project.start("run", **nobody, NO_GCE_CHECK="true", CLOUDSDK_CONFIG=os.fspath(tmp_path)))
    assert error["code"] == "credentials"
    assert "gcloud auth application-default login" in error["hint"]


def test_a_key_file_that_is_none(at_home: BucketProject) -> None:
    key = at_home.write("key.json", json.dumps({"type": "service_account", "private_key": IN_THE_KEY}))
    at_home.environment("embedded", f"gcs: {{credentials: '{key}'}}\n")
    error = refused(at_home.start("run", STORAGE_EMULATOR_HOST=""))
    assert error["message"] == f"{key} is not the key of a service account"


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("list", "storage.objects.list"), ("media", "storage.objects.get"), ("move", "storage.objects.move")],
)
def test_a_missing_permission_is_named(at_home: BucketProject, operation: str, permission: str) -> None:
    at_home.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    message = f"loader@p.iam.gserviceaccount.com does not have {permission} access to the Google Cloud Storage object."
    body = json.dumps({"error": {"code": 403, "message": message, "errors": [{"message": message}]}})
    with at_home.server.faults({"operation": operation, "status": 403, "times": -1, "body": body}):
        error = refused(at_home.start("run"))
    assert error["code"] == "forbidden"
    assert f"the permission {permission} is missing" in error["message"]
    assert at_home.files("landing") == ["activity/a.csv"]
    assert at_home.cli("run").code == 0


def test_a_missing_permission_on_the_tables_is_named(project: BucketProject) -> None:
    details = "loader@p.iam.gserviceaccount.com does not have storage.objects.create access to the object."
    body = f"<Error><Code>AccessDenied</Code><Message>Access denied.</Message><Details>{details}</Details></Error>"
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    rule = {"operation": "upload", "path": "/tables/analytics", "status": 403, "times": -1, "body": body}
    with project.server.faults(rule):
        error = refused(project.start("run"))
    assert error["code"] == "forbidden"
    assert "the permission storage.objects.create is missing" in error["message"]
    assert project.cli("run").code == 0


# What it costs


def requests(server: GcsServer) -> dict[str, int]:
    """By class, without the one with which Google's client asks what a bucket is, beside its work."""
    return {operation: count for operation, count in server.counts().items() if count and operation != "bucket"}


def test_one_listing_for_many_feeds(tmp_path: os.PathLike[str], gcs_server: GcsServer) -> None:
    names = [f"feed{number:02}" for number in range(20)]
    project = BucketProject(os.fspath(tmp_path), gcs_server, *names, local_tables=True)
    gcs_server.reset_counts()
    assert project.cli("run").document["status"] == "nothing_to_do"
    assert requests(gcs_server) == {"list": 1}
    for name in names:
        project.land(name, "a.csv", HEADER + "1,a,2026-01-01\n")
    gcs_server.reset_counts()
    assert project.cli("run").code == 0
    assert requests(gcs_server) == {"list": 1, "media": 20, "move": 20}


def test_one_download_and_one_move_a_file(at_home: BucketProject) -> None:
    """As three tasks, too: each lists once more, and nothing is asked about single files."""
    for number in range(30):
        at_home.land("activity", f"{number}.csv", HEADER + f"{number},a,2026-01-01\n")
    found = []
    for task in ("stage", "merge", "archive"):
        at_home.server.reset_counts()
        assert at_home.cli(task).code == 0
        found.append(requests(at_home.server))
    assert found == [{"list": 1, "media": 30}, {"list": 1}, {"list": 1, "move": 30}]

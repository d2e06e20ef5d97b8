"""What is particular to buckets: paging, folder markers, lost answers, faults of the network and refusals."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from framework.errors import FileGone, StorageError
from framework.names import File
from framework.storages.gcs import GcsStorage
from framework.storages.gcs_client import GcsAccount
from tests.gcs_server import GcsServer, running
from tests.storages.places import Buckets
from tests.support import REPOSITORY

pytestmark = pytest.mark.gcs

KILLED = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from framework.names import File
from framework.storages.gcs import GcsStorage
from framework.storages.gcs_client import GcsAccount
storage, sent = GcsStorage(GcsAccount(emulator={address!r})), 0
def hook(event, args):
    global sent
    if event == "http.client.send":
        if sent == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
        sent += 1
sys.addaudithook(hook)
storage.move({file!r}, {destination!r})
"""


@pytest.fixture(params=["bucket", "two buckets"])
def place(request: pytest.FixtureRequest, gcs_server: GcsServer) -> Buckets:
    bucket = gcs_server.create_bucket()
    return Buckets(gcs_server, bucket, gcs_server.create_bucket() if request.param == "two buckets" else bucket)


@pytest.fixture
def hasty(gcs_server: GcsServer) -> Buckets:
    """Gives up after a second."""
    bucket = gcs_server.create_bucket()
    return Buckets(gcs_server, bucket, bucket, retry_seconds=1)


def refusal(call: Callable[[], object]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        call()
    return caught.value


def denied(message: str) -> dict[str, Any]:
    document = {"error": {"code": 403, "message": message, "errors": [{"message": message}]}}
    return {"status": 403, "times": -1, "body": json.dumps(document)}


# Listing


def test_a_list_of_more_than_a_page(hasty: Buckets) -> None:
    for number in range(1200):
        hasty.object(f"{hasty.landing}{number}.csv").upload_from_string(b"x")
    hasty.server.reset_counts()
    names = {file.name for file in hasty.storage.list(hasty.landing, recursive=True)}
    assert names == {f"{number}.csv" for number in range(1200)}
    assert hasty.server.counts()["list"] == 2
    assert hasty.server.counts()["metadata"] == 0


def test_marks_of_folders_are_no_files(hasty: Buckets) -> None:
    for name in ("", "sub/", "sub/a.csv"):
        hasty.land(name, b"")
    hasty.land("slash/", b"a file all the same")
    assert [file.name for file in hasty.storage.list(hasty.landing, recursive=True)] == ["slash/", "sub/a.csv"]
    assert list(hasty.storage.list(hasty.landing, recursive=False)) == []


def test_a_prefix_without_objects_is_an_empty_folder(hasty: Buckets) -> None:
    assert list(hasty.storage.list(f"{hasty.landing}nothing/here/", recursive=True)) == []


def test_a_whole_bucket(hasty: Buckets) -> None:
    hasty.land("a.csv")
    root = hasty.landing.removesuffix("landing/")
    for folder in (root, root.rstrip("/")):
        assert [file.name for file in hasty.storage.list(folder, recursive=True)] == ["landing/a.csv"]


def test_a_bucket_that_is_missing(hasty: Buckets) -> None:
    error = refusal(lambda: list(hasty.storage.list("gs://no-such-bucket/landing/", recursive=True)))
    assert (error.code, error.hint) == ("missing_folder", "check the name of the bucket")
    assert error.message == "gs://no-such-bucket/landing/ cannot be listed: there is no such bucket or object"
    file = hasty.land("a.csv")
    error = refusal(lambda: hasty.storage.move(file, "gs://no-such-bucket/a.csv"))
    assert (error.code, hasty.read(file.path)) == ("missing_folder", b"id\n1\n")
    assert error.message == (
        f"{file.path} cannot be copied to gs://no-such-bucket/a.csv: there is no such bucket or object"
    )


def test_the_time_of_modification(hasty: Buckets) -> None:
    before = time.time_ns()
    file = hasty.land("a.csv")
    listed = next(hasty.storage.list(hasty.landing, recursive=True))
    assert listed.modified == file.modified
    assert before - 1_000_000 <= listed.modified <= time.time_ns()
    assert listed.modified % 1000 == 0


# Answers that are lost


@pytest.mark.parametrize("operation", ["move", "rewrite", "delete"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_answer(place: Buckets, operation: str, times: int) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    with place.server.faults({"operation": operation, "drop_reply": True, "times": times}):
        assert place.storage.move(file, destination)
    assert (place.read(destination), place.stored(place.landing)) == (b"one", [])


def test_a_lost_answer_and_then_another_upload(place: Buckets) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    operation = "move" if place.landing.split("/")[2] == place.archive.split("/")[2] else "delete"
    with place.server.faults(
        {"operation": operation, "drop_reply": True}, {"operation": operation, "skip": 0, "delay_seconds": 0.5}
    ):
        mover = threading.Thread(target=place.storage.move, args=(file, destination))
        mover.start()
        while place.object(file.path).exists():
            time.sleep(0.01)
        place.land("a.csv", b"two")
        mover.join()
    assert (place.read(destination), place.read(file.path)) == (b"one", b"two")


def test_a_lost_answer_to_a_deletion(place: Buckets) -> None:
    file = place.land("a.csv")
    with place.server.faults({"operation": "delete", "drop_reply": True}):
        assert place.storage.delete(file)


def test_an_upload_between_the_copy_and_the_deletion(gcs_server: GcsServer) -> None:
    place = Buckets(gcs_server, gcs_server.create_bucket(), gcs_server.create_bucket())
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    with place.server.faults({"operation": "delete", "delay_seconds": 0.5}):
        mover = threading.Thread(target=place.storage.move, args=(file, destination))
        mover.start()
        while not place.object(destination).exists():
            time.sleep(0.01)
        place.land("a.csv", b"two")
        mover.join()
    assert (place.read(destination), place.read(file.path)) == (b"one", b"two")


def test_a_copy_that_takes_several_requests() -> None:
    with running("-rewrite-chunk", "1000") as server:
        place = Buckets(server, server.create_bucket(), server.create_bucket())
        content = os.urandom(3_500)
        file, destination = place.land("a.csv", content), f"{place.archive}a.csv"
        server.reset_counts()
        with server.faults({"operation": "rewrite", "status": 503, "skip": 2}):
            assert place.storage.move(file, destination)
        assert server.counts()["rewrite"] == 5
        assert (place.read(destination), place.stored(place.landing)) == (content, [])


def test_a_copy_that_differs_is_taken_away(gcs_server: GcsServer) -> None:
    place = Buckets(gcs_server, gcs_server.create_bucket(), gcs_server.create_bucket())
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    wrong = place.write(destination, b"eno")
    copied = {"generation": str(wrong.version), "size": "3", "crc32c": "AAAAAA=="}
    answer = {"done": True, "totalBytesRewritten": "3", "objectSize": "3", "resource": copied}
    with place.server.faults({"operation": "rewrite", "status": 200, "body": json.dumps(answer)}):
        error = refusal(lambda: place.storage.move(file, destination))
    assert error.message == f"the copy of {file.path} at {destination} differs from it"
    assert (place.read(destination), place.read(file.path)) == (None, b"one")


def test_what_a_copy_keeps(gcs_server: GcsServer) -> None:
    place = Buckets(gcs_server, gcs_server.create_bucket(), gcs_server.create_bucket())
    blob = place.object(f"{place.landing}a.csv")
    blob.content_encoding, blob.metadata = "gzip", {"sender": "crm"}
    blob.upload_from_string(gzip.compress(b"one"), "text/csv")
    file = next(place.storage.list(place.landing, recursive=True))
    assert place.storage.move(file, f"{place.archive}a.csv")
    copy = place.object(f"{place.archive}a.csv")
    copy.reload()
    assert (copy.content_type, copy.content_encoding, copy.metadata) == ("text/csv", "gzip", {"sender": "crm"})


@pytest.mark.parametrize("reupload", [False, True])
def test_killed_before_any_request(place: Buckets, reupload: bool) -> None:
    for at in range(20):
        file, destination = place.land(f"{at}.csv", b"content %d" % at), f"{place.archive}{at}/x.csv"
        code = kill(place, file, destination, at)
        if reupload:
            place.write(file.path, b"new upload")
        moved = place.storage.move(file, destination)
        assert place.read(destination) == (b"content %d" % at if moved else None)
        assert moved or (reupload and code == -signal.SIGKILL)
        assert place.read(file.path) == (b"new upload" if reupload else None)
        if code == 0:
            assert at > 0, "something was killed before"
            return
    pytest.fail("the move never came to its end")


def kill(place: Buckets, file: File, destination: str, at: int) -> int:
    """Move in a process that kills itself before it sends for the `at`-th time."""
    script = KILLED.format(
        repository=REPOSITORY, address=place.server.address, at=at, file=file, destination=destination
    )
    return subprocess.run([sys.executable, "-c", script], check=False).returncode


# Faults of the service and the network


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_a_fault_that_passes(place: Buckets, status: int, tmp_path: os.PathLike[str]) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    operations = ("list", "metadata", "media", "move", "rewrite", "delete")
    with place.server.faults(*({"operation": operation, "status": status} for operation in operations)):
        assert [found.identity for found in place.storage.list(place.landing, recursive=True)] == [file.identity]
        assert place.storage.read_range(file, 0, 3) == b"one"
        assert place.storage.move(file, destination)
    assert place.read(destination) == b"one"


@pytest.mark.parametrize("status", [429, 503])
def test_a_fault_that_lasts(hasty: Buckets, status: int, tmp_path: os.PathLike[str]) -> None:
    file, destination = hasty.land("a.csv", b"one"), f"{hasty.archive}a.csv"
    with hasty.server.faults({"status": status, "times": -1}):
        for call in every_call(hasty, file, destination, tmp_path):
            error = refusal(call)
            assert (error.code, error.hint) == ("unavailable", "it was tried again and again; run it again later")
            assert error.message.endswith(f"Storage is not available ({status} A fault that a test asked for.)")
    assert (hasty.read(file.path), os.listdir(tmp_path)) == (b"one", [])
    assert hasty.storage.move(file, destination)


def test_nobody_answers(tmp_path: os.PathLike[str]) -> None:
    storage = GcsStorage(GcsAccount(emulator="http://127.0.0.1:9", retry_seconds=0.5))
    error = refusal(lambda: list(storage.list("gs://b/landing/", recursive=True)))
    assert (error.code, error.hint) == ("unavailable", "check the network")
    assert error.message == (
        "gs://b/landing/ cannot be listed: Google Cloud Storage cannot be reached (ConnectionError)"
    )


def test_slow_answers(hasty: Buckets) -> None:
    file, destination = hasty.land("a.csv", b"one"), f"{hasty.archive}a.csv"
    with hasty.server.faults({"operation": "move", "delay_seconds": 1.5}):
        assert hasty.storage.move(file, destination)


def test_downloads_that_are_cut_off(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    content = os.urandom(3_000_000)
    file = hasty.land("a.csv", content)
    hasty.server.reset_counts()
    with hasty.server.faults({"operation": "media", "cut_after_bytes": 1_000_000, "times": 5}):
        assert read(hasty.storage.fetch(file, os.fspath(tmp_path))) == content
    assert hasty.server.counts()["media"] == 3, "each went on where the one before was cut off"
    assert len(os.listdir(tmp_path)) == 1


def test_a_download_goes_on_as_long_as_bytes_arrive(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    """The time for retries is that without progress."""
    content = os.urandom(1_000_000)
    file = hasty.land("a.csv", content)
    with hasty.server.faults({"operation": "media", "cut_after_bytes": 70_000, "times": -1, "delay_seconds": 0.1}):
        assert read(hasty.storage.fetch(file, os.fspath(tmp_path))) == content
    with hasty.server.faults({"operation": "media", "cut_after_bytes": 0, "times": -1}):
        assert refusal(lambda: hasty.storage.fetch(file, os.fspath(tmp_path))).code == "unavailable"


def test_a_download_that_arrives_damaged(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    file = hasty.land("a.csv", b"0123456789" * 1000)
    with hasty.server.faults({"operation": "media", "corrupt": True}):
        assert read(hasty.storage.fetch(file, os.fspath(tmp_path))) == b"0123456789" * 1000
    cut = {"operation": "media", "cut_after_bytes": 100}
    with hasty.server.faults(cut, {"operation": "media", "corrupt": True, "times": 1}):
        assert read(hasty.storage.fetch(file, os.fspath(tmp_path))) == b"0123456789" * 1000
    with hasty.server.faults({"operation": "media", "corrupt": True}), hasty.storage.open(file) as stream:
        assert stream.read() == b"0123456789" * 1000
    with hasty.server.faults({"operation": "media", "corrupt": True, "times": -1}):
        assert refusal(lambda: hasty.storage.open(file)).code == "damaged"
        error = refusal(lambda: hasty.storage.fetch(file, os.fspath(tmp_path)))
    assert (error.code, error.hint) == ("damaged", "it was downloaded 3 times; check the network")
    assert len(os.listdir(tmp_path)) == 1, "of the three only those that are right"


def test_a_replaced_file_is_not_downloaded(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    file = hasty.land("a.csv", os.urandom(200_000))
    with hasty.server.faults({"operation": "media", "cut_after_bytes": 100_000, "delay_seconds": 0.3}):
        uploader = threading.Timer(0.1, hasty.land, ("a.csv", b"another version"))
        uploader.start()
        with pytest.raises(FileGone):
            hasty.storage.fetch(file, os.fspath(tmp_path))
        uploader.join()
    assert os.listdir(tmp_path) == []


def test_there_is_no_place_for_a_download(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    file = hasty.land("a.csv")
    error = refusal(lambda: hasty.storage.fetch(file, os.path.join(tmp_path, "nowhere")))
    assert error.message == f"{file.path} cannot be read: No such file or directory"


def test_a_compressed_object_is_told_by_its_ending(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    blob = hasty.object(f"{hasty.landing}a.csv")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(b"id\n1\n"), "text/csv")
    file = next(hasty.storage.list(hasty.landing, recursive=True))
    path = hasty.storage.fetch(file, os.fspath(tmp_path))
    assert path is not None
    assert path.endswith(".csv.gz")
    assert gzip.decompress(read(path)) == b"id\n1\n"
    with hasty.storage.open(file) as stream:
        assert stream.read() == b"id\n1\n", "its name does not say that it is compressed"


# Refusals


def test_a_permission_that_is_missing(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    file, destination = hasty.land("a.csv", b"one"), f"{hasty.archive}a.csv"
    message = "me@x.iam.gserviceaccount.com does not have storage.objects.special access to the object."
    with hasty.server.faults(denied(message)):
        for call in every_call(hasty, file, destination, tmp_path):
            error = refusal(call)
            assert error.code == "forbidden"
            assert "the permission storage.objects.special is missing" in error.message
            assert error.hint == "grant it on the bucket (the role Storage Object User has it)"


def test_access_that_is_denied_without_a_reason(hasty: Buckets, tmp_path: os.PathLike[str]) -> None:
    file, destination = hasty.land("household retention.csv", b"one"), f"{hasty.archive}hold.csv"
    with hasty.server.faults(denied("The billing account is closed.")):
        found = [refusal(call) for call in every_call(hasty, file, destination, tmp_path)]
    verbs = ["listed", "read", "read", "read", "moved", "copied", "deleted"]
    needed = ["list", "get", "get", "get", "move", "create", "delete"]
    for error, verb, permission in zip(found, verbs, needed, strict=True):
        assert f"cannot be {verb}" in error.message
        assert error.message.endswith(": access is denied (403 The billing account is closed.)")
        assert (error.code, error.hint) == ("forbidden", f"it takes storage.objects.{permission} on the bucket")


@pytest.mark.parametrize("kind", ["temporary_hold", "event_based_hold"])
def test_a_file_that_is_held(place: Buckets, kind: str) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    blob = place.object(file.path)
    setattr(blob, kind, True)
    blob.patch()
    for verb in (place.storage.move, place.storage.move, lambda file, _: place.storage.delete(file)):
        error = refusal(partial(verb, file, destination))
        assert (error.code, error.hint) == ("held", "release it, or set archive.on_success: keep")
        assert error.message.startswith(f"{file.path} cannot be ")
        assert error.message.endswith(": the object is under a hold or a retention policy")
        assert place.read(file.path) == b"one"
    setattr(blob, kind, False)
    blob.patch()
    assert place.storage.move(file, destination), "released"
    assert place.stored(place.landing) == []


def test_a_file_under_a_retention_policy(hasty: Buckets) -> None:
    file = hasty.land("a.csv", b"one")
    message = "Object 'b/a' is subject to bucket's retention policy and cannot be deleted until 2030-01-01T00:00:00Z"
    with hasty.server.faults(denied(message)):
        assert refusal(lambda: hasty.storage.move(file, f"{hasty.archive}a.csv")).code == "held"


def test_a_condition_that_fails_for_no_visible_reason(place: Buckets) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    with place.server.faults({"operation": "move", "status": 412}, {"operation": "rewrite", "status": 412}):
        error = refusal(lambda: place.storage.move(file, destination))
        assert error.message.endswith("Google Cloud Storage refused it (412 A fault that a test asked for.)")
    assert place.storage.move(file, destination), "tried again in the next run"


def test_a_name_that_is_too_long(hasty: Buckets) -> None:
    file = hasty.land("a.csv")
    error = refusal(lambda: hasty.storage.move(file, f"{hasty.archive}{'x' * 1024}"))
    assert error.message.startswith(f"{file.path} cannot be moved to {hasty.archive}xxx")
    assert "xxx: Google Cloud Storage refused it (400 an object name" in error.message


def every_call(place: Buckets, file: File, destination: str, folder: os.PathLike[str]) -> list[Callable[[], object]]:
    storage = place.storage
    return [
        lambda: list(storage.list(place.landing, recursive=True)),
        lambda: storage.head(file.path),
        lambda: storage.read_range(file, 0, 1),
        lambda: storage.fetch(file, os.fspath(folder)),
        lambda: storage.move(file, destination),
        lambda: storage.copy(file, destination),
        lambda: storage.delete(file),
    ]


def read(path: str | None) -> bytes:
    assert path is not None
    with open(path, "rb") as stream:
        return stream.read()

"""Leases, on a disk and in a bucket: one holder at a time, and a dead one is followed by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from framework.errors import Busy, StorageError
from framework.leases import Leases
from framework.storages.gcs_client import GcsAccount
from framework.storages.gcs_leases import GcsLeases
from framework.storages.local_leases import LocalLeases
from tests.gcs_server import GcsServer
from tests.support import REPOSITORY

HOLDER = """
import sys, time
sys.path.insert(0, {repository!r})
from framework.storages.gcs_client import GcsAccount
from framework.storages.gcs_leases import GcsLeases
from framework.storages.local_leases import LocalLeases
with {leases}.hold("orders", 0):
    print("held", flush=True)
    time.sleep(60)
"""


class Bucket:
    """Leases in a bucket that expire sooner than usual."""

    def __init__(self, server: GcsServer) -> None:
        self.server = server
        self.name = server.create_bucket()
        self.path = f"gs://{self.name}/tables/_landfeed/_leases"
        self.text = f"GcsLeases(GcsAccount(emulator={server.address!r}), {self.path!r}, heartbeat=0.5, expiry=3)"

    def leases(self, heartbeat: float = 0.5, expiry: float = 3) -> GcsLeases:
        return GcsLeases(
            GcsAccount(emulator=self.server.address, retry_seconds=2), self.path, heartbeat=heartbeat, expiry=expiry
        )

    def objects(self) -> list[str]:
        return [blob.name for blob in self.server.client().list_blobs(self.name)]


@pytest.fixture
def bucket(gcs_server: GcsServer) -> Bucket:
    return Bucket(gcs_server)


@pytest.fixture(params=["disk", pytest.param("bucket", marks=pytest.mark.gcs)])
def made(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> Iterator[tuple[Leases, str]]:
    """Leases, and the Python text that opens the same ones in another process."""
    if request.param == "disk":
        yield LocalLeases(os.fspath(tmp_path)), f"LocalLeases({os.fspath(tmp_path)!r})"
    else:
        bucket = Bucket(request.getfixturevalue("gcs_server"))
        yield bucket.leases(), bucket.text


def holder(text: str) -> subprocess.Popen[str]:
    """A process that holds the lease on orders."""
    script = HOLDER.format(repository=REPOSITORY, leases=text)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_one_holder_at_a_time(made: tuple[Leases, str]) -> None:
    leases, _ = made
    with leases.hold("orders", 0):
        with pytest.raises(Busy) as caught, leases.hold("orders", 0):
            pass
        assert caught.value.message == "another runner is working on feed orders"
        assert caught.value.hint == "wait for it with --wait SECONDS"
        with leases.hold("customers", 0):
            pass
    with leases.hold("orders", 0):
        pass


def test_a_lease_is_given_back_after_an_error(made: tuple[Leases, str]) -> None:
    leases, _ = made
    with pytest.raises(ZeroDivisionError), leases.hold("orders", 0):
        raise ZeroDivisionError
    with leases.hold("orders", 0):
        pass


def test_waiting_for_a_lease(made: tuple[Leases, str]) -> None:
    leases, _ = made
    released = threading.Event()

    def wait() -> bool:
        with leases.hold("orders", 30):
            return released.is_set()

    with ThreadPoolExecutor(1) as pool:
        with leases.hold("orders", 0):
            waiting = pool.submit(wait)
            time.sleep(0.3)
            released.set()
        assert waiting.result(), "not before it was released"


def test_waiting_in_vain(made: tuple[Leases, str]) -> None:
    leases, _ = made
    with leases.hold("orders", 0):
        started = time.monotonic()
        with pytest.raises(Busy), leases.hold("orders", 0.4):
            pass
        assert 0.4 <= time.monotonic() - started < 5


def test_many_threads_take_turns(made: tuple[Leases, str]) -> None:
    leases, _ = made
    inside, most = [], []

    def turn(number: int) -> None:
        with leases.hold("orders", 60):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(turn, range(6)))
    assert most == [1] * 6


def test_another_process_holds_it_and_is_killed(made: tuple[Leases, str]) -> None:
    leases, text = made
    process = holder(text)
    with pytest.raises(Busy), leases.hold("orders", 0):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with leases.hold("orders", 30):
        pass


@pytest.mark.gcs
def test_a_lease_lives_as_long_as_its_holder(bucket: Bucket) -> None:
    process = holder(bucket.text)
    started = time.monotonic()
    with pytest.raises(Busy), bucket.leases().hold("orders", 6):
        pass
    assert time.monotonic() - started > 5, "twice its expiry"
    end(process)


@pytest.mark.gcs
def test_a_lease_leaves_nothing_behind(bucket: Bucket) -> None:
    with bucket.leases().hold("orders", 0):
        assert bucket.objects() == ["tables/_landfeed/_leases/orders.lease"]
        time.sleep(1.2)
    assert bucket.objects() == []


@pytest.mark.gcs
def test_a_holder_that_was_held_up_notices(bucket: Bucket) -> None:
    """Stopped past its expiry, it neither writes over the next holder's lease nor deletes it."""
    process = holder(bucket.text)
    process.send_signal(signal.SIGSTOP)
    with bucket.leases().hold("orders", 30):
        process.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        with pytest.raises(Busy), bucket.leases().hold("orders", 0):
            pass
        end(process)
    assert bucket.objects() == []


@pytest.mark.gcs
def test_of_two_that_take_over_one_succeeds(bucket: Bucket) -> None:
    for _ in range(3):
        end(holder(bucket.text))
        time.sleep(2.2)
        barrier = threading.Barrier(4)
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(partial(take, bucket.leases(expiry=1)), [barrier] * 4)) == 1


def take(leases: Leases, barrier: threading.Barrier) -> bool:
    barrier.wait()
    try:
        with leases.hold("orders", 0):
            time.sleep(0.3)
            return True
    except Busy:
        return False


@pytest.mark.gcs
@pytest.mark.parametrize("operation", ["upload", "delete"])
def test_lost_answers(bucket: Bucket, operation: str) -> None:
    """Written or deleted, and the answer did not arrive: the lease is ours and is given back all the same."""
    with bucket.server.faults({"operation": operation, "drop_reply": True, "times": 3}):
        with bucket.leases(heartbeat=0.2).hold("orders", 0):
            time.sleep(1)
            with pytest.raises(Busy), bucket.leases().hold("orders", 0):
                pass
        assert bucket.objects() == []


@pytest.mark.gcs
def test_heartbeats_that_fail_for_a_while(bucket: Bucket) -> None:
    with bucket.leases(heartbeat=0.2, expiry=20).hold("orders", 0):
        with bucket.server.faults({"operation": "upload", "status": 503, "times": -1}):
            time.sleep(2.5)
        time.sleep(1)
        with pytest.raises(Busy), bucket.leases(expiry=20).hold("orders", 0):
            pass
    assert bucket.objects() == []


@pytest.mark.gcs
def test_a_release_that_fails(bucket: Bucket) -> None:
    """The work is done, so nothing is raised; the lease expires."""
    with bucket.server.faults({"operation": "delete", "status": 503, "times": -1}), bucket.leases().hold("orders", 0):
        pass
    with bucket.leases().hold("orders", 30):
        pass


@pytest.mark.gcs
def test_a_lease_costs_two_requests(bucket: Bucket) -> None:
    leases = bucket.leases()
    bucket.server.reset_counts()
    with leases.hold("orders", 0):
        pass
    counts = bucket.server.counts()
    assert (counts["upload"], counts["delete"], counts["metadata"]) == (1, 1, 0)


@pytest.mark.gcs
def test_a_bucket_that_is_missing(bucket: Bucket) -> None:
    bucket.path = "gs://no-such-bucket/tables"
    with pytest.raises(StorageError) as caught, bucket.leases().hold("orders", 0):
        pass
    assert caught.value.message == (
        "gs://no-such-bucket/tables/orders.lease cannot be written: there is no such bucket or object"
    )


@pytest.mark.gcs
@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("metadata", "cannot be read: access is denied (403 A fault that a test asked for.)"),
        ("upload", "cannot be written: access is denied (403 A fault that a test asked for.)"),
    ],
)
def test_a_bucket_that_refuses(bucket: Bucket, operation: str, said: str) -> None:
    with (
        bucket.leases().hold("customers", 0),
        bucket.server.faults({"operation": operation, "status": 403, "times": -1}),
        pytest.raises(StorageError) as caught,
        bucket.leases().hold("customers", 0),
    ):
        pass
    assert caught.value.message == f"{bucket.path}/customers.lease {said}"

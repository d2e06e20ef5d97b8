"""Leases, on a disk and in a bucket: one holder at a time, and a dead one is followed by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from framework.errors import Busy, StorageError
from framework.leases import REAL_TIME, Leases, Patience
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


class Clock:
    """A clock that moves on when somebody sleeps, and so costs no time. `at` is called when it reaches a moment."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.at: dict[float, Callable[[], object]] = {}

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        for moment in [moment for moment in self.at if moment <= self.now]:
            self.at.pop(moment)()

    @property
    def patience(self) -> Patience:
        return Patience(lambda: self.now, self.sleep)


class Bucket:
    """Leases in a bucket that expire sooner than usual."""

    def __init__(self, server: GcsServer) -> None:
        self.server = server
        self.name = server.create_bucket()
        self.path = f"gs://{self.name}/tables/_landfeed/_leases"
        self.text = f"GcsLeases(GcsAccount(emulator={server.address!r}), {self.path!r}, heartbeat=0.2, expiry=3)"

    def leases(self, heartbeat: float = 0.2, expiry: float = 3, patience: Patience = REAL_TIME) -> GcsLeases:
        account = GcsAccount(emulator=self.server.address, retry_seconds=2)
        return GcsLeases(account, self.path, heartbeat=heartbeat, expiry=expiry, patience=patience)

    def objects(self) -> list[str]:
        return [blob.name for blob in self.server.client().list_blobs(self.name)]


@pytest.fixture
def bucket(gcs_server: GcsServer) -> Bucket:
    return Bucket(gcs_server)


@dataclass(frozen=True, slots=True)
class Made:
    """A kind of leases: opened in this process, with a patience, and the Python text that opens the same ones
    in another one."""

    open: Callable[[Patience], Leases]
    text: str

    @property
    def leases(self) -> Leases:
        return self.open(REAL_TIME)


@pytest.fixture(params=["disk", pytest.param("bucket", marks=pytest.mark.gcs)])
def made(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> Made:
    if request.param == "disk":
        folder = os.fspath(tmp_path)
        return Made(lambda patience: LocalLeases(folder, patience=patience), f"LocalLeases({folder!r})")
    bucket = Bucket(request.getfixturevalue("gcs_server"))
    return Made(lambda patience: bucket.leases(patience=patience), bucket.text)


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


def test_one_holder_at_a_time(made: Made) -> None:
    leases = made.leases
    with leases.hold("orders", 0):
        with pytest.raises(Busy) as caught, leases.hold("orders", 0):
            pass
        assert caught.value.message == "another runner is working on feed orders"
        assert caught.value.hint == "wait for it with --wait SECONDS"
        with leases.hold("customers", 0):
            pass
    with leases.hold("orders", 0):
        pass


def test_a_lease_is_given_back_after_an_error(made: Made) -> None:
    leases = made.leases
    with pytest.raises(ZeroDivisionError), leases.hold("orders", 0):
        raise ZeroDivisionError
    with leases.hold("orders", 0):
        pass


def test_waiting_for_a_lease(made: Made) -> None:
    """It is asked for again and again, and had as soon as it is released."""
    clock, first = Clock(), made.leases.hold("orders", 0)
    first.__enter__()
    clock.at[20.0] = lambda: first.__exit__(None, None, None)
    with made.open(clock.patience).hold("orders", 30):
        assert 20 <= clock.now <= 21
    assert len(clock.pauses) >= 20


def test_waiting_in_vain(made: Made) -> None:
    clock = Clock()
    with made.leases.hold("orders", 0):
        with pytest.raises(Busy), made.open(clock.patience).hold("orders", 10.4):
            pass
        assert clock.now == pytest.approx(10.4)


def test_many_threads_take_turns(made: Made) -> None:
    leases = made.leases
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


def test_another_process_holds_it_and_is_killed(made: Made) -> None:
    leases, process = made.leases, holder(made.text)
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
    assert time.monotonic() - started > 5.9, "twice its expiry"
    end(process)


@pytest.mark.gcs
def test_a_lease_leaves_nothing_behind(bucket: Bucket) -> None:
    with bucket.leases().hold("orders", 0):
        assert bucket.objects() == ["tables/_landfeed/_leases/orders.lease"]
        time.sleep(0.5)
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
    for _ in range(2):
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
            time.sleep(1)
        time.sleep(0.5)
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


def test_a_lease_that_its_holder_did_not_give_back_is_told(made: Made) -> None:
    leases = made.leases
    assert leases.left() == frozenset()
    with leases.hold("orders", 0):
        assert leases.left() == {"orders"}
    assert leases.left() == frozenset()
    process = holder(made.text)
    end(process)
    assert leases.left() == {"orders"}

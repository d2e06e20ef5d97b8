"""One place after the other: each test of this folder runs on every storage."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from tests.gcs_server import GcsServer
from tests.storages.places import Buckets, Disk, Memory, Place, Volume

PLACES = [
    "disk",
    "two disks",
    "volume",
    "memory",
    pytest.param("bucket", marks=pytest.mark.gcs),
    pytest.param("two buckets", marks=pytest.mark.gcs),
]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> Iterator[Place]:
    landing, archive = os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive")
    match request.param:
        case "disk":
            yield Disk(landing, archive)
        case "two disks":
            other = another_disk(os.fspath(tmp_path))
            yield Disk(landing, other)
            shutil.rmtree(other)
        case "volume":
            yield Volume(landing, archive)
        case "memory":
            yield Memory()
        case _:
            server: GcsServer = request.getfixturevalue("gcs_server")
            bucket = server.create_bucket()
            other = server.create_bucket() if request.param == "two buckets" else bucket
            yield Buckets(server, bucket, other)


def another_disk(path: str) -> str:
    """A folder on another file system than `path`."""
    shared = "/dev/shm"  # noqa: S108 (a file system of its own on Linux)
    if not os.path.isdir(shared) or os.stat(shared).st_dev == os.stat(path).st_dev:
        pytest.skip("there is no second file system here")
    return tempfile.mkdtemp(dir=shared)

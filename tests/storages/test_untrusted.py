"""Whoever may write to a landing folder makes links, pipes and folders there, also while the folder is read."""

from __future__ import annotations

import os

import pytest

from framework.errors import FileGone
from framework.names import File
from framework.storages.beneath import root_of
from tests.storages.places import Disk, Volume

SECRET = b"id\n666\n"


@pytest.fixture(params=[Disk, Volume])
def place(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> Disk:
    made: Disk = request.param(os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive"))
    return made


@pytest.fixture
def secret(tmp_path: os.PathLike[str]) -> str:
    """A file outside of landing that the runner may read."""
    path = os.path.join(tmp_path, "private", "secret.csv")
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as out:
        out.write(SECRET)
    return path


def disguised(place: Disk, secret: str, name: str) -> File:
    """A file of landing that looks as the secret does: its size, and its time."""
    file = place.land(name, b"id\n123\n")
    os.utime(file.path, ns=(os.stat(secret).st_mtime_ns, os.stat(secret).st_mtime_ns))
    version = os.stat(file.path).st_mtime_ns
    return File(file.path, name, version, file.size, version)


def test_a_file_that_became_a_link_is_gone(place: Disk, secret: str) -> None:
    file = disguised(place, secret, "a.csv")
    os.unlink(file.path)
    os.symlink(secret, file.path)
    with pytest.raises(FileGone, match=r"a\.csv was replaced"):
        place.storage.open(file)
    with pytest.raises(FileGone):
        place.storage.read_range(file, 0, 10)


def test_a_folder_that_became_a_link_is_gone(place: Disk, secret: str) -> None:
    file = disguised(place, secret, "sub/secret.csv")
    os.rename(os.path.dirname(file.path), place.landing + "away")
    os.symlink(os.path.dirname(secret), os.path.dirname(file.path))
    with pytest.raises(FileGone, match=r"sub/secret\.csv is gone"):
        place.storage.open(file)


@pytest.mark.parametrize("size", [0, 7])
def test_a_file_that_became_a_pipe_is_not_waited_for(place: Disk, size: int) -> None:
    file = place.land("a.csv", b"id\n123\n"[:size])
    os.unlink(file.path)
    os.mkfifo(file.path)
    os.utime(file.path, ns=(file.version, file.version))
    with pytest.raises(FileGone):
        place.storage.open(file)


def test_a_file_that_became_a_folder_is_gone(place: Disk) -> None:
    file = place.land("a.csv")
    os.unlink(file.path)
    os.mkdir(file.path)
    with pytest.raises(FileGone):
        place.storage.open(file)


def test_the_configured_folder_itself_may_be_a_link(place: Disk, tmp_path: os.PathLike[str]) -> None:
    link = os.path.join(tmp_path, "link")
    os.symlink(place.landing, link)
    place.land("sub/a.csv", b"one")
    (file,) = place.storage.list(link, recursive=True)
    with place.storage.open(file) as stream:
        assert stream.read() == b"one"


def test_where_a_file_is_below() -> None:
    assert root_of(File("/landing/sub/a.csv", "sub/a.csv", 1, 1, 1)) == "/landing/"
    assert root_of(File("/landing/sub/a.csv", "a.csv", 1, 1, 1)) == "/landing/sub/"
    assert root_of(File("/landing/other.csv", "r.csv", 1, 1, 1)) == "/landing/"

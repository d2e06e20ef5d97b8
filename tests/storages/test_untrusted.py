"""Whoever may write to a landing folder makes links, pipes and folders there, also while the folder is read."""

from __future__ import annotations

import os

import pytest

from framework.errors import FileGone, StorageError
from framework.names import File
from framework.storages.beneath import root_of
from framework.storages.local import _Source
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


@pytest.mark.parametrize("verb", ["move", "copy", "delete"])
def test_what_a_link_leads_to_is_left_alone(place: Disk, secret: str, verb: str) -> None:
    """The file itself, or the folder that it is in, became a link to a file of the same size and time."""
    one, two = disguised(place, secret, "secret.csv"), disguised(place, secret, "sub/secret.csv")
    os.unlink(one.path)
    os.symlink(secret, one.path)
    os.rename(os.path.dirname(two.path), place.landing + "away")
    os.symlink(os.path.dirname(secret), os.path.dirname(two.path))
    for file in (one, two):
        if verb == "delete":
            place.storage.delete(file)
        else:
            assert not getattr(place.storage, verb)(file, place.archive + file.name)
    assert (place.read(secret), place.stored(place.archive)) == (SECRET, [])
    assert os.readlink(one.path) == secret
    assert os.listdir(os.path.dirname(secret)) == ["secret.csv"]


def test_a_pipe_is_not_archived(place: Disk) -> None:
    file = place.land("a.csv")
    os.unlink(file.path)
    os.mkfifo(file.path)
    assert not place.storage.move(file, place.archive + "a.csv")
    assert not place.storage.copy(file, place.archive + "a.csv")
    assert not place.storage.delete(file)
    assert (place.stored(place.landing), place.stored(place.archive)) == (["a.csv"], [])


def test_a_link_at_the_destination_is_another_file(place: Disk, secret: str) -> None:
    file = place.land("a.csv", SECRET)
    os.symlink(secret, place.archive + "a.csv")
    for verb in (place.storage.move, place.storage.copy):
        with pytest.raises(StorageError, match="another file stands"):
            verb(file, place.archive + "a.csv")
    assert place.read(file.path) == SECRET


def test_a_link_below_the_archive_is_not_followed(place: Disk, tmp_path: os.PathLike[str]) -> None:
    file, outside = place.land("sub/a.csv"), os.path.join(tmp_path, "outside")
    os.makedirs(outside)
    os.symlink(outside, place.archive + "day")
    for verb in (place.storage.move, place.storage.copy):
        with pytest.raises(StorageError, match="archive/day is a link") as caught:
            verb(file, place.archive + "day/sub/a.csv", root=place.archive)
        assert (caught.value.code, caught.value.hint) == ("link", "put a folder in its place")
    assert (place.stored(place.landing), os.listdir(outside)) == (["sub/a.csv"], [])


def test_what_somebody_puts_under_private_names_stands_in_nobodys_way(tmp_path: os.PathLike[str]) -> None:
    place = Disk(os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive"))
    file, destination = place.land("a.csv", b"one"), place.archive + "a.csv"
    prefix = _Source(0, file, destination)._prefix
    os.mkdir(f"{place.landing}{prefix}1")
    os.mkfifo(f"{place.landing}{prefix}2")
    os.symlink("/nowhere", f"{place.landing}{prefix}3")
    for _ in range(2):
        assert place.storage.move(file, destination)
        assert place.read(destination) == b"one"
    assert len(os.listdir(place.landing)) == 3


def test_a_file_that_others_could_change_is_copied(tmp_path: os.PathLike[str]) -> None:
    """Because it has another name, or another owner; all else is linked."""
    place = Disk(os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive"))
    mine, linked, foreign = (place.land(f"{name}.csv", name.encode()) for name in ("mine", "linked", "foreign"))
    os.link(linked.path, os.path.join(tmp_path, "other.csv"))
    kept = {file.name: os.stat(file.path).st_ino for file in (mine, linked, foreign)}
    if os.geteuid() == 0:
        os.chown(foreign.path, 65534, 65534)
    for file in (mine, linked, foreign):
        assert place.storage.move(file, place.archive + file.name)
        assert place.storage.move(file, place.archive + file.name)
    same = {name for name, inode in kept.items() if os.stat(place.archive + name).st_ino == inode}
    assert same == ({"mine.csv"} if os.geteuid() == 0 else {"mine.csv", "foreign.csv"})
    assert {name: os.stat(place.archive + name).st_uid for name in kept} == dict.fromkeys(kept, os.geteuid())
    assert place.stored(place.landing) == []
    assert place.stored(place.archive) == sorted(kept)


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

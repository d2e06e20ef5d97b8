"""Moves between local folders when the system says no, or lies: what it is asked is heard by an audit hook."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from framework.errors import FileGone, StorageError
from framework.names import File
from framework.storages.local import LocalStorage
from tests.storages.conftest import another_disk

Hook = Callable[[str, tuple[Any, ...]], None]
_hooks: list[Hook] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    for hook in _hooks:
        hook(event, args)


@pytest.fixture(scope="module", autouse=True)
def _one_audit_hook_for_all() -> None:
    sys.addaudithook(_audit)  # there is no way to take it back


@contextmanager
def hearing(hook: Hook) -> Iterator[None]:
    """Before each system call in the block that Python tells of, `hook` is told, and may refuse it."""
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)


@contextmanager
def changes() -> Iterator[list[str]]:
    """Every renaming, linking and removing in the block."""
    heard: list[str] = []

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.link", "os.remove", "os.mkdir"):
            heard.append(event)

    with hearing(hook):
        yield heard


@contextmanager
def without_hard_links(number: int = errno.EPERM) -> Iterator[None]:
    """A file system that refuses hard links."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.link":
            raise OSError(number, os.strerror(number))

    with hearing(hook):
        yield


def write(path: str, text: str, modified: int | None = None) -> File:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    if modified is not None:
        os.utime(path, ns=(modified, modified))
    found = LocalStorage().head(path)
    assert found is not None
    return found


def read(path: str) -> str:
    with open(path, encoding="utf-8") as text:
        return text.read()


@pytest.fixture
def landing(tmp_path: os.PathLike[str]) -> str:
    return os.path.join(tmp_path, "landing")


@pytest.fixture
def archive(tmp_path: os.PathLike[str]) -> str:
    return os.path.join(tmp_path, "archive")


def test_where_something_stands_nothing_is_touched(landing: str, archive: str) -> None:
    """Not even for a moment: a run that is killed then would leave the file out of sight."""
    file = write(f"{landing}/a.csv", "mine")
    write(f"{archive}/a.csv", "theirs")
    with changes() as heard, pytest.raises(StorageError) as caught:
        LocalStorage().move(file, f"{archive}/a.csv")
    assert (caught.value.code, heard) == ("archive_exists", [])
    assert (read(file.path), read(f"{archive}/a.csv")) == ("mine", "theirs")
    write(f"{archive}/b.csv", "twin")  # as long as ours
    with changes() as heard, pytest.raises(StorageError):
        LocalStorage().move(file, f"{archive}/b.csv")
    assert heard == []


def test_the_size_belongs_to_a_version(landing: str, archive: str) -> None:
    """A file that was replaced within one tick of the clock, as coarse clocks of file servers have them."""
    file = write(f"{landing}/a.csv", "one", 10**18)
    newer = write(file.path, "longer", 10**18)
    storage = LocalStorage()
    assert storage.move(file, f"{archive}/a.csv") is False
    assert storage.copy(file, f"{archive}/a.csv") is False
    assert storage.delete(file) is False
    with pytest.raises(FileGone):
        storage.read_range(file, 0, 10)
    assert (storage.head(file.path), read(file.path), os.path.exists(archive)) == (newer, "longer", False)
    assert storage.read_range(newer, 0, 10) == b"longer"


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_a_copy_that_arrives_damaged_is_not_kept(landing: str, verb: str) -> None:
    file = write(f"{landing}/a.csv", "content")
    other = another_disk(landing)
    damaged: list[str] = []

    def damage(event: str, args: tuple[Any, ...]) -> None:
        """Other bytes of the same number, between the writing of the copy and its reading."""
        if event == "open" and str(args[0]).startswith(f"{other}/day/") and args[1] == "r" and not damaged:
            damaged.append(args[0])
            descriptor = os.open(args[0], os.O_WRONLY)
            os.write(descriptor, b"CONTENT")
            os.close(descriptor)

    with hearing(damage), pytest.raises(StorageError, match=r"the copy of .*a\.csv at .* differs from it"):
        getattr(LocalStorage(), verb)(file, f"{other}/day/a.csv")
    assert damaged
    assert (LocalStorage().head(file.path), os.listdir(landing)) == (file, ["a.csv"])
    assert os.listdir(f"{other}/day") == []
    assert getattr(LocalStorage(), verb)(file, f"{other}/day/a.csv") is True
    assert read(f"{other}/day/a.csv") == "content"


REFUSALS = [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES, errno.EINVAL]


@pytest.mark.parametrize("number", REFUSALS)
def test_without_hard_links_a_file_is_copied(landing: str, archive: str, number: int) -> None:
    file = write(f"{landing}/a.csv", "content")
    with without_hard_links(number):
        assert LocalStorage().move(file, f"{archive}/a.csv") is True
        assert LocalStorage().move(file, f"{archive}/a.csv") is True, "as often as one likes"
    assert (read(f"{archive}/a.csv"), os.listdir(archive), os.listdir(landing)) == ("content", ["a.csv"], [])
    assert os.stat(f"{archive}/a.csv").st_mtime_ns == file.modified


def test_another_refusal_is_told(landing: str, archive: str) -> None:
    file = write(f"{landing}/a.csv", "content")

    def full(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.link" and args[1] == f"{archive}/a.csv":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with hearing(full), pytest.raises(StorageError, match="No space left"):
        LocalStorage().move(file, f"{archive}/a.csv")
    assert (LocalStorage().head(file.path), os.listdir(landing)) == (file, ["a.csv"])


def test_without_hard_links_nothing_is_overwritten_at_the_destination(landing: str, archive: str) -> None:
    file = write(f"{landing}/a.csv", "mine")

    def somebody(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.utime":  # of the copy, just before it gets its name
            descriptor = os.open(f"{archive}/a.csv", os.O_WRONLY | os.O_CREAT)
            os.write(descriptor, b"theirs")
            os.close(descriptor)

    with without_hard_links(), hearing(somebody), pytest.raises(StorageError) as caught:
        LocalStorage().move(file, f"{archive}/a.csv")
    assert caught.value.code == "archive_exists"
    assert (read(f"{archive}/a.csv"), os.listdir(archive)) == ("theirs", ["a.csv"])
    assert (LocalStorage().head(file.path), os.listdir(landing)) == (file, ["a.csv"])


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_an_upload_that_was_taken_by_mistake_has_its_name_back(
    landing: str, archive: str, links: bool, again: bool
) -> None:
    """It came between the look and the taking; and again between the taking and the putting back."""
    file = write(f"{landing}/a.csv", "listed", 10**18)

    def upload(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.rename" and args[0] == "a.csv":
            write(file.path, "newer", 2 * 10**18)
        if again and event == "os.link" and args[1] == "a.csv":
            descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT)
            os.write(descriptor, b"newest")
            os.close(descriptor)

    with hearing(upload), nullcontext() if links else without_hard_links():
        assert LocalStorage().move(file, f"{archive}/a.csv") is False
    assert read(file.path) == ("newest" if again else "newer")
    assert (os.listdir(landing), os.path.exists(archive)) == (["a.csv"], False)


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_could_not_be_moved_does_not_fall_on_a_newer_one(landing: str, archive: str, links: bool) -> None:
    """The move fails after the taking, and meanwhile the name is in use again."""
    file = write(f"{landing}/a.csv", "listed")

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.mkdir":
            descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT)
            os.write(descriptor, b"newer")
            os.close(descriptor)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with nullcontext() if links else without_hard_links(), hearing(refuse), pytest.raises(StorageError):
        LocalStorage().move(file, f"{archive}/a.csv")
    assert read(file.path) == "newer"


def test_listing_leaves_out_what_is_no_file(landing: str) -> None:
    file = write(f"{landing}/a.csv", "a")
    deep = write(f"{landing}/x/y/b.csv", "b")
    os.symlink(f"{landing}/x", f"{landing}/link")
    os.symlink(f"{landing}/nowhere", f"{landing}/dangling")
    os.mkfifo(f"{landing}/pipe")
    storage = LocalStorage()
    assert list(storage.list(landing, recursive=False)) == [file]
    assert sorted(each.name for each in storage.list(f"{landing}/", recursive=True)) == ["a.csv", "x/y/b.csv"]
    assert {each.path for each in storage.list(landing, recursive=True)} == {file.path, deep.path}
    with pytest.raises(StorageError) as caught:
        list(storage.list(f"{landing}/none", recursive=True))
    assert caught.value.code == "missing_folder"
    with pytest.raises(StorageError) as caught:
        list(storage.list(file.path, recursive=True))
    assert caught.value.code == "storage"

"""Moving files: nothing overwritten, no re-upload lost, and a killed move ends in the same state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from framework.errors import StorageError
from framework.names import File
from framework.storages.local import LocalStorage
from tests.support import REPOSITORY

MOVE = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from framework.names import File
from framework.storages.local import LocalStorage
seen = -1
def hook(event, args):
    global seen
    if event in ("os.rename", "os.link", "os.remove", "os.mkdir", "os.utime") or event == "open" and args[1] == "wb":
        seen += 1
        if seen == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
file = LocalStorage().head({source!r})
sys.addaudithook(hook)
LocalStorage().move(file, {destination!r})
"""


def write(path: str, text: str) -> File:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    found = LocalStorage().head(path)
    assert found is not None
    return found


def read(path: str) -> str:
    with open(path, encoding="utf-8") as text:
        return text.read()


@pytest.fixture(params=["same", "other"])
def folders(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> tuple[str, str]:
    """Landing and archive, on the same and on different file systems."""
    if request.param == "same":
        return os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive")
    shared = "/dev/shm"  # noqa: S108 (a file system of its own on Linux)
    if not os.path.isdir(shared) or os.stat(shared).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no second file system here")
    return os.path.join(tmp_path, "landing"), tempfile.mkdtemp(dir=shared)


def test_move_and_move_again(folders: tuple[str, str]) -> None:
    landing, archive = folders
    file = write(f"{landing}/a.csv", "one")
    destination = f"{archive}/day/a.csv"
    assert LocalStorage().move(file, destination)
    assert (read(destination), os.listdir(landing)) == ("one", [])
    assert LocalStorage().move(file, destination), "a move that is repeated has already been done"
    write(f"{landing}/a.csv", "a new upload")
    assert LocalStorage().move(file, destination)
    assert read(f"{landing}/a.csv") == "a new upload"


def test_another_version_is_left_where_it_is(folders: tuple[str, str]) -> None:
    landing, archive = folders
    file = write(f"{landing}/a.csv", "one")
    write(f"{landing}/a.csv", "the next version")
    assert not LocalStorage().move(file, f"{archive}/a.csv")
    assert (read(f"{landing}/a.csv"), os.listdir(landing)) == ("the next version", ["a.csv"])
    assert not os.path.exists(f"{archive}/a.csv")


def test_nothing_is_overwritten(folders: tuple[str, str]) -> None:
    landing, archive = folders
    file = write(f"{landing}/a.csv", "one")
    write(f"{archive}/a.csv", "somebody else's")
    with pytest.raises(StorageError, match="another file stands"):
        LocalStorage().move(file, f"{archive}/a.csv")
    assert read(f"{archive}/a.csv") == "somebody else's"
    os.unlink(f"{archive}/a.csv")
    assert LocalStorage().move(file, f"{archive}/a.csv"), "tried again, it is found under its private name"


@pytest.mark.parametrize("reupload", [False, True])
def test_killed_at_any_system_call(folders: tuple[str, str], reupload: bool) -> None:
    landing, archive = folders
    for at in range(20):
        source, destination = f"{landing}/{at}.csv", f"{archive}/{at}/x.csv"
        file = write(source, f"content {at}")
        script = MOVE.format(repository=REPOSITORY, at=at, source=source, destination=destination)
        code = subprocess.run([sys.executable, "-c", script], check=False).returncode
        if reupload:
            write(source, f"new upload {at}")
        LocalStorage().move(file, destination)
        if os.path.exists(destination):
            assert read(destination) == f"content {at}"
        else:
            assert reupload, "only a file that was replaced before it was taken may be missing from the archive"
            assert code == -signal.SIGKILL
        left = {name: read(f"{landing}/{name}") for name in os.listdir(landing)}
        assert left == ({f"{at}.csv": f"new upload {at}"} if reupload else {})
        if reupload:
            os.unlink(source)
        if code == 0:
            return
    pytest.fail("the move never came to its end")

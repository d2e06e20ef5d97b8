"""A move between local folders that is killed at any system call ends in the same state."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from framework.errors import StorageError
from framework.names import File
from framework.storages.local import LocalStorage
from tests.storages.conftest import another_disk
from tests.support import REPOSITORY

MOVE = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from framework.names import File
from framework.storages.local import LocalStorage
seen = -1
def hook(event, args):
    global seen
    change = event in ("os.rename", "os.link", "os.remove", "os.mkdir", "os.utime")
    if change or event == "open" and "x" in str(args[1]):
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
    landing = os.path.join(tmp_path, "landing")
    os.makedirs(landing)
    return landing, os.path.join(tmp_path, "archive") if request.param == "same" else another_disk(landing)


def test_a_file_is_found_under_its_private_name(tmp_path: os.PathLike[str]) -> None:
    """A killed move has taken the file; the destination was filled by somebody else meanwhile."""
    landing, archive = os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive")
    file = write(f"{landing}/a.csv", "one")
    for at in range(20):
        if not os.path.exists(file.path):
            break
        kill(file.path, f"{archive}/a.csv", at)
    assert len(os.listdir(landing)) == 1
    write(f"{archive}/a.csv", "somebody else's")
    with pytest.raises(StorageError, match="another file stands"):
        LocalStorage().move(file, f"{archive}/a.csv")
    assert read(f"{archive}/a.csv") == "somebody else's"
    os.unlink(f"{archive}/a.csv")
    assert LocalStorage().move(file, f"{archive}/a.csv")
    assert (read(f"{archive}/a.csv"), os.listdir(landing)) == ("one", [])


def test_a_file_that_cannot_be_moved_stays_in_sight(folders: tuple[str, str]) -> None:
    landing, archive = folders
    file, destination = write(f"{landing}/a.csv", "one"), f"{archive}/day/a.csv"
    obstacle = write(f"{archive}/day", "a file where a folder should be").path
    for verb, done in ((LocalStorage().move, "moved"), (LocalStorage().copy, "copied")):
        with pytest.raises(StorageError) as caught:
            verb(file, destination)
        assert caught.value.message == f"{file.path} cannot be {done}: File exists ({obstacle})"
        assert caught.value.hint == "check permissions and free space; it is tried again in the next run"
        assert LocalStorage().head(file.path) == file
        assert os.listdir(landing) == ["a.csv"]
    os.unlink(obstacle)
    assert LocalStorage().move(file, destination)


def kill(source: str, destination: str, at: int) -> int:
    """Move in a process that kills itself at its `at`-th change."""
    script = MOVE.format(repository=REPOSITORY, at=at, source=source, destination=destination)
    return subprocess.run([sys.executable, "-c", script], check=False).returncode


@pytest.mark.parametrize("reupload", [False, True])
def test_killed_at_any_system_call(folders: tuple[str, str], reupload: bool) -> None:
    landing, archive = folders
    for at in range(20):
        source, destination = f"{landing}/{at}.csv", f"{archive}/{at}/x.csv"
        file = write(source, f"content {at}")
        code = kill(source, destination, at)
        if reupload:
            write(source, f"new upload {at}")
        LocalStorage().move(file, destination)
        if os.path.exists(destination):
            assert read(destination) == f"content {at}"
        else:
            assert reupload, "only a file that was replaced before it was taken may be missing from the archive"
            assert code == -signal.SIGKILL
        archived = os.path.dirname(destination)
        assert not os.path.exists(archived) or set(os.listdir(archived)) <= {"x.csv"}, "no private copies are left"
        left = {name: read(f"{landing}/{name}") for name in os.listdir(landing)}
        assert left == ({f"{at}.csv": f"new upload {at}"} if reupload else {})
        if reupload:
            os.unlink(source)
        if code == 0:
            return
    pytest.fail("the move never came to its end")


PAUSED = """
import os, sys
sys.path.insert(0, {repository!r})
from framework.names import File
from framework.storages.local import LocalStorage
def hook(event, args):
    if event == {event!r}:
        print("there", flush=True)
        sys.stdin.readline()
sys.addaudithook(hook)
print(LocalStorage().move({file!r}, {destination!r}))
"""


def paused(event: str, file: File, destination: str) -> subprocess.Popen[str]:
    """A move in a process that waits before a system call."""
    script = PAUSED.format(repository=REPOSITORY, event=event, file=file, destination=destination)
    return subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def test_nobody_renames_onto_a_file_that_is_taken(tmp_path: os.PathLike[str]) -> None:
    """One mover is about to take the file, another takes it if it can, and then a new version lands."""
    file, destination = write(f"{tmp_path}/landing/a.csv", "one"), f"{tmp_path}/archive/a.csv"
    late = paused("os.rename", file, destination)
    assert late.stdout is not None
    assert late.stdout.readline() == "there\n"
    early = paused("os.link", file, destination)
    assert early.stdout is not None
    taken = bool(select.select([early.stdout], [], [], 1)[0])
    write(f"{tmp_path}/landing/b.csv", "two")
    os.replace(f"{tmp_path}/landing/b.csv", file.path)
    for mover in (late, early):
        out, _ = mover.communicate("\n" * 20, timeout=60)
        assert out.endswith(("True\n", "False\n"))
    assert LocalStorage().move(file, destination) == taken, "who has taken it brings it to the archive"
    assert not taken or read(destination) == "one"
    assert read(file.path) == "two"

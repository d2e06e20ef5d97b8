"""A volume renames by copying: a move that is cut off at any step is finished, and uploads stay but in one window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from framework.errors import StorageError
from framework.names import File
from framework.storages.volumes import VolumeStorage
from tests.storages.places import Volume
from tests.storages.sequential import SequentialCalls
from tests.support import REPOSITORY

MOVE = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from framework.names import File
from framework.storages.volumes import VolumeStorage
from tests.storages.sequential import SequentialCalls
steps = 0
def before(step):
    global steps
    if steps == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1
def forbidden(event, args):
    if event in ("os.link", "os.utime", "os.truncate", "os.symlink"):
        raise SystemExit(event + " does not work on a volume")
storage = VolumeStorage(SequentialCalls(before, torn={torn}))
sys.addaudithook(forbidden)
storage.move({file!r}, {destination!r})
"""


@pytest.fixture
def place(tmp_path: os.PathLike[str]) -> Volume:
    return Volume(os.path.join(tmp_path, "landing"), os.path.join(tmp_path, "archive"))


def at_step(wanted: str, do: Callable[[], object]) -> VolumeStorage:
    """A volume where something else happens before a step is done for the first time."""
    waiting = [do]

    def before(step: str) -> None:
        if step == wanted and waiting:
            waiting.pop()()

    return VolumeStorage(SequentialCalls(before, torn=True))


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("reupload", [False, True])
def test_killed_at_any_step(place: Volume, reupload: bool, torn: bool) -> None:
    for at in range(20):
        file, destination = place.land(f"{at}.csv", b"content %d" % at), f"{place.archive}{at}/x.csv"
        script = MOVE.format(repository=REPOSITORY, at=at, file=file, destination=destination, torn=torn)
        code = subprocess.run([sys.executable, "-c", script], check=False).returncode
        assert code in (0, -signal.SIGKILL)
        if reupload:
            place.write(file.path, b"new upload")
        moved = place.storage.move(file, destination)
        assert place.read(destination) == (b"content %d" % at if moved else None)
        assert moved or (reupload and code == -signal.SIGKILL)
        assert place.read(file.path) == (b"new upload" if reupload else None)
        if code == 0:
            assert at >= 8, "each step was one to be killed at"
            break
    else:
        pytest.fail("the move never came to its end")
    hidden = [name for name in place.stored(place.archive) if not name.endswith("x.csv")]
    assert hidden == [name for name in hidden if name.endswith(".copy")], "no private copies are left"


def test_a_second_mover_while_the_first_renames(place: Volume) -> None:
    file, destination = place.land("a.csv", b"0123456789"), f"{place.archive}a.csv"
    results = []
    storage = at_step("rename, half-way", lambda: results.append(place.storage.move(file, destination)))
    results.append(storage.move(file, destination))
    assert results == [True, True]
    assert (place.read(destination), place.stored(place.landing)) == (b"0123456789", [])
    assert place.stored(place.archive) == ["a.csv"]


def test_a_second_mover_while_the_first_copies(place: Volume) -> None:
    file, destination = place.land("a.csv", b"0123456789"), f"{place.archive}a.csv"
    results = []
    storage = at_step("write, half-way", lambda: results.append(place.storage.move(file, destination)))
    results.append(storage.move(file, destination))
    assert results == [True, True]
    assert place.stored(place.archive) == ["a.csv"]
    assert place.read(destination) == b"0123456789"


@pytest.mark.parametrize("step", ["makedirs", "create", "write", "write, half-way"])
def test_an_upload_during_the_copy(place: Volume, step: str) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    assert not at_step(step, lambda: place.land("a.csv", b"two")).move(file, destination)
    assert (place.read(file.path), place.stored(place.archive)) == (b"two", [])


@pytest.mark.parametrize("step", ["rename", "rename, half-way", "rename, copied"])
def test_an_upload_after_the_copy(place: Volume, step: str) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    assert at_step(step, lambda: place.land("a.csv", b"two")).move(file, destination)
    assert (place.read(file.path), place.read(destination)) == (b"two", b"one")


def test_the_window_that_remains(place: Volume) -> None:
    """An upload between the last look at the source and its deletion goes with it."""
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    assert at_step("unlink", lambda: place.land("a.csv", b"two")).move(file, destination)
    assert (place.read(file.path), place.read(destination)) == (None, b"one")


def test_a_file_that_only_begins_alike_is_not_taken_for_a_cut_off_copy(place: Volume) -> None:
    file, destination = place.land("a.csv", b"0123456789"), f"{place.archive}a.csv"
    place.write(destination, b"01234")
    with pytest.raises(StorageError, match="another file stands"):
        place.storage.move(file, destination)
    assert place.read(destination) == b"01234"


def test_an_archive_that_cannot_be_written(place: Volume) -> None:
    file, obstacle = place.land("a.csv", b"one"), place.write(f"{place.archive}day", b"a file")
    with pytest.raises(StorageError) as caught:
        place.storage.move(file, f"{obstacle.path}/a.csv")
    assert caught.value.message == f"{file.path} cannot be moved: File exists ({obstacle.path})"
    assert (place.read(file.path), place.stored(place.archive)) == (b"one", ["day"])


def test_a_renaming_that_leaves_less_than_it_should(place: Volume) -> None:
    file, destination = place.land("a.csv", b"0123456789"), f"{place.archive}a.csv"

    def spoil() -> None:
        os.truncate(destination, 3)

    with pytest.raises(StorageError, match=r"a\.csv is not complete"):
        at_step("rename, copied", spoil).move(file, destination)
    assert place.read(file.path) == b"0123456789"


def test_copies_have_times_of_their_own(place: Volume) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    assert place.storage.move(File(file.path, file.name, file.version, file.size, 0), destination)
    head = place.storage.head(destination)
    assert head is not None
    assert head.version != file.version

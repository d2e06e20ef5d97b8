"""Leases lead nowhere else, and say in a sentence why they cannot be had."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable

import pytest

from framework.environment import EngineName, Environment
from framework.errors import StorageError
from framework.leases import Leases
from framework.storages import open_leases
from framework.storages.local_leases import LocalLeases
from tests.recovery.test_sick_machine import small_disk

CATALOG = Environment("local", EngineName.SPARK, "/", catalog="main")


def refusal(leases: Leases) -> StorageError:
    with pytest.raises(StorageError) as caught, leases.hold("a", 0):
        pass
    assert caught.value.code == "lease"
    assert caught.value.hint
    return caught.value


@pytest.fixture
def temporary(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A temporary folder of this test."""
    folder = os.path.join(tmp_path, "tmp")
    os.makedirs(folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    return folder


def private(temporary: str) -> str:
    """The folder that a catalog's leases make there."""
    with open_leases(CATALOG, {}).hold("a", 0):
        (name,) = os.listdir(temporary)
    return os.path.join(temporary, name)


def test_leases_of_a_catalog_are_closed_to_others(temporary: str) -> None:
    folder = private(temporary)
    assert os.stat(folder).st_mode & 0o777 == 0o700
    os.chmod(folder, 0o755)  # noqa: S103 (what somebody may have left)
    assert os.stat(private(temporary)).st_mode & 0o777 == 0o700


def test_a_link_to_another_folder(temporary: str, tmp_path: os.PathLike[str]) -> None:
    folder, outside = private(temporary), os.path.join(tmp_path, "outside")
    os.rename(folder, outside)
    os.symlink(outside, folder)
    assert (
        refusal(open_leases(CATALOG, {})).message
        == f"the folder {folder}, where leases are to stand, is not one of ours"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_that_somebody_else_has_made(temporary: str) -> None:
    os.chown(private(temporary), 65534, 65534)
    error = refusal(open_leases(CATALOG, {}))
    assert error.message.endswith("is not one of ours")
    assert error.hint == "take it away, or set TMPDIR to a folder of your own"


def _link(path: str) -> None:
    os.symlink("/nowhere/outside", path)


def _file(path: str) -> None:
    os.close(os.open(path, os.O_CREAT))


@pytest.mark.parametrize(
    ("stands", "make", "reason"),
    [
        ("leases/a.lock", _link, "cannot be opened: it is a link"),
        ("leases", _link, "cannot be opened: it is a link"),
        ("leases", _file, "cannot be opened: File exists"),
        ("leases/a.lock", os.mkdir, "cannot be opened: Is a directory"),
        ("leases/a.lock", os.mkfifo, "is no file"),
    ],
)
def test_what_stands_in_a_lease_s_place(
    tmp_path: os.PathLike[str], stands: str, make: Callable[[str], None], reason: str
) -> None:
    folder = os.path.join(tmp_path, "leases")
    os.makedirs(os.path.dirname(os.path.join(tmp_path, stands)), exist_ok=True)
    make(os.path.join(tmp_path, stands))
    assert refusal(LocalLeases(folder)).message == f"the lease {folder}/a.lock {reason}"
    assert not os.path.exists("/nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("made", [False, True])
def test_leases_on_a_read_only_mount(tmp_path: os.PathLike[str], made: bool) -> None:
    with small_disk(os.path.join(tmp_path, "tables"), "256k") as root:
        folder = os.path.join(root, "leases")
        if made:
            os.mkdir(folder)
        subprocess.run(["mount", "-o", "remount,ro", root], check=True)
        error = refusal(LocalLeases(folder))
    assert error.message == f"the lease {folder}/a.lock cannot be opened: Read-only file system"
    assert "right to write" in str(error.hint)

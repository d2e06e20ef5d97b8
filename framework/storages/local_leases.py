"""Leases on one machine: a locked file for each feed, which the system unlocks when its process dies."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from framework.errors import Busy, StorageError
from framework.leases import REAL_TIME, Patience

__all__ = ["LocalLeases"]

_POLL_SECONDS = 0.05
_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LocalLeases:
    """Lock files in `folder`; they stay after use, empty when they were given back. Exclusive between threads too.

    `private` is a folder above it, in one where everybody may write: it has to be ours, and is closed to others.
    """

    def __init__(self, folder: str, private: str | None = None, patience: Patience = REAL_TIME) -> None:
        self._folder, self._private, self._patience = folder, private, patience

    @contextmanager
    def hold(self, feed: str, wait_seconds: float) -> Iterator[None]:
        descriptor = self._open(f"{feed}.lock")
        try:
            if not self._patience.tried(lambda: _locked(descriptor), wait_seconds, _POLL_SECONDS):
                raise Busy(f"another runner is working on feed {feed}", "wait for it with --wait SECONDS")
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
            yield
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def left(self) -> frozenset[str]:
        try:
            with os.scandir(self._folder) as entries:
                locks = [entry for entry in entries if entry.name.endswith(".lock")]
                return frozenset(lock.name[:-5] for lock in locks if lock.stat(follow_symlinks=False).st_size)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise _refused(self._folder, error.strerror) from error

    def _open(self, name: str) -> int:
        """The lock file, which no link leads to. Raises StorageError when there can be none."""
        try:
            if self._private is not None:
                _make_private(self._private)
            os.makedirs(self._folder, exist_ok=True)
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                descriptor = os.open(name, _LOCK, 0o666, dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as error:
            where = os.path.join(self._folder, name)
            is_link = os.path.islink(self._folder) or os.path.islink(where)
            reason = "it is a link" if is_link else error.strerror
            raise _refused(where, reason) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise StorageError(f"the lease {self._folder}/{name} is no file", "take it away", code="lease")
        return descriptor


def _refused(where: str, reason: str | None) -> StorageError:
    return StorageError(
        f"the lease {where} cannot be opened: {reason}",
        "give the runner the right to write there, beside the tables, or take away what is in the way",
        code="lease",
    )


def _locked(descriptor: int) -> bool:
    """Lock the file unless somebody else has; whether it is ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_private(folder: str) -> None:
    """Raises StorageError when somebody else has made the folder, or a link in its place."""
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise StorageError(
            f"the folder {folder}, where leases are to stand, is not one of ours",
            "take it away, or set TMPDIR to a folder of your own",
            code="lease",
        )
    if found.st_mode & 0o077:
        os.chmod(folder, 0o700)

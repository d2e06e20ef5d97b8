"""Local folders, and everything that renames in one step as they do.

Moving a file must neither lose an upload that replaces it meanwhile, nor overwrite anything, nor stop
half-way for good. So a file is first *taken*: renamed to a private name in its own folder, which is
atomic and takes whatever is there at that moment. Only then is it looked at: the expected version
goes on to its destination, anything else is put back. Every call first finishes what an earlier one
that was killed has left under the private name.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from framework.errors import StorageError
from framework.names import File
from framework.storages.posix import (
    PosixFolders,
    copied,
    digest_of,
    existing,
    is_version,
    occupied,
    partials,
    remove,
    same_bytes,
    translated,
)

__all__ = ["LocalStorage"]

_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES, errno.EINVAL}


class LocalStorage(PosixFolders):
    """Implements `framework.storage.Storage`. A version is the modification time in nanoseconds."""

    def move(self, file: File, destination: str) -> bool:
        with translated(file, "moved"):
            private = _private(file, destination)
            if os.path.lexists(destination):
                _refuse_another(destination, file, (private, file.path))
            if not self._take(file, private):
                return _stands(destination, file)
            try:
                _place(private, file, destination)
            except (OSError, StorageError):
                if not _stands(destination, file):  # where somebody else has done the same move meanwhile
                    self._give_back(file, private)
                    raise
            remove(private)
            return True

    def copy(self, file: File, destination: str) -> bool:
        with translated(file, "copied"):
            found = self.head(file.path)
            if found is None or found.identity != file.identity:
                return _stands(destination, file)
            if _stands(destination, file):
                _tidy(file, destination)
            else:
                _copy(file.path, file, destination)
            return True

    def delete(self, file: File) -> bool:
        with translated(file, "deleted"):
            private = _private(file, "")
            if self._take(file, private):
                remove(private)
                return True
            return self.head(file.path) is None

    def _take(self, file: File, private: str) -> bool:
        """Whether the file now stands under its private name; False when it is gone or another version."""
        with _locked(os.path.dirname(file.path)):
            return self._take_alone(file, private)

    def _take_alone(self, file: File, private: str) -> bool:
        try:
            if not os.path.lexists(private):
                os.rename(file.path, private)
            if is_version(os.stat(private), file):
                return True
            if not _put_back(private, file.path):  # somebody else's upload
                remove(private)  # a newer one is there, which replaces it as it would have anyway
        except FileNotFoundError:
            pass
        return False

    def _give_back(self, file: File, private: str) -> None:
        """Let a file that could not be moved be seen again, unless a newer one has its name."""
        with _locked(os.path.dirname(file.path)), suppress(FileNotFoundError):
            _put_back(private, file.path)


def _put_back(private: str, path: str) -> bool:
    """Whether a taken file has its name back; not if that is in use again."""
    try:
        os.link(private, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(path):
            return False
        os.rename(private, path)
        return True
    remove(private)
    return True


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Alone among those who take files from a folder: a renaming may not fall on what another has taken.

    Network file systems that cannot lock a folder are taken as they are; there the lease has to do.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield  # and so are the files
        return
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _private(file: File, destination: str) -> str:
    """A name that discovery skips, the same for every attempt at the same move."""
    digest = hashlib.sha256(repr((file.identity, destination)).encode("utf-8", "surrogateescape")).hexdigest()
    return os.path.join(os.path.dirname(file.path), f".landfeed-{digest[:16]}")


def _stands(destination: str, file: File) -> bool:
    """Whether an earlier call put this very file at its destination; archive paths are a batch's own."""
    try:
        return is_version(os.stat(destination), file)
    except OSError:
        return False


def _place(taken: str, file: File, destination: str) -> None:
    """Bring a taken file to its destination without overwriting anything."""
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    try:
        os.link(taken, destination)
    except FileExistsError:
        if os.path.samefile(taken, destination):
            return
        _same_or_refuse(taken, destination)
        _tidy(file, destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _copy(taken, file, destination)


def _copy(source: str, file: File, destination: str) -> None:
    """Copy under a private name, sync, compare, then give it its name without overwriting anything."""
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    earlier: list[str] = []  # copies that killed attempts left, or that somebody makes at this moment
    for partial in partials(file, destination):
        try:
            writing = open(partial, "xb")  # noqa: SIM115 (copied closes it)
            break
        except FileExistsError:
            earlier.append(partial)
    try:
        if copied(source, writing) != digest_of(partial):
            raise StorageError(f"the copy of {file.path} at {partial} differs from it", "check the disk")
        os.utime(partial, ns=(file.version, file.version))
        _name(partial, destination)
    finally:
        remove(partial)
    for left in earlier:
        remove(left)


def _tidy(file: File, destination: str) -> None:
    """Remove the copies that attempts left which were killed after they had given the copy its name."""
    for partial in existing(partials(file, destination)):
        remove(partial)


def _name(partial: str, destination: str) -> None:
    try:
        os.link(partial, destination)
    except FileExistsError:
        _same_or_refuse(partial, destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(destination):
            _same_or_refuse(partial, destination)
        else:
            os.rename(partial, destination)


def _refuse_another(destination: str, file: File, sources: Sequence[str]) -> None:
    """Raise when something else stands at the destination, before the file is taken out of sight."""
    for source in sources:
        with suppress(FileNotFoundError):  # somebody does the same move at this moment
            if _stands(source, file):
                _same_or_refuse(source, destination)


def _same_or_refuse(source: str, destination: str) -> None:
    if not same_bytes(source, destination):
        raise occupied(destination)

"""Local folders, and everything that renames in one step as they do.

Moving a file must neither lose an upload that replaces it meanwhile, nor overwrite anything, nor stop
half-way for good. So a file is first *taken*: renamed to a private name in its own folder, which is
atomic and takes whatever is there at that moment. Only then is it looked at: the expected version
goes on to its destination, anything else is put back. Private names are drawn at random, so that no
renaming falls on what another mover has taken, and nobody has to be alone in a folder for it: whoever may
read a landing folder could keep others out of it for good. A mover that finds its file gone looks for
what an earlier one, which was killed, has left under a private name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress

from framework.errors import StorageError
from framework.names import File
from framework.storages.beneath import Replaced, is_open_for_writing, is_version, look, open_version, source_folder
from framework.storages.posix import (
    PosixFolders,
    copied,
    digest_of,
    existing,
    make_folder,
    occupied,
    partials,
    remove,
    same_bytes,
    sync_names,
    translated,
)

__all__ = ["LocalStorage"]

_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES, errno.EINVAL}


class LocalStorage(PosixFolders):
    """Implements `framework.storage.Storage`. A version is the modification time in nanoseconds."""

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        with translated(file, "moved"), source_folder(file) as folder:
            if folder is None:
                return _stands(destination, file)
            return _Source(folder, file, destination).move(root)

    def copy(self, file: File, destination: str, *, root: str | None = None) -> bool:
        with translated(file, "copied"), source_folder(file) as folder:
            if folder is None or not is_version(look(folder, _base(file)), file):
                return _stands(destination, file)
            if _stands(destination, file):
                _tidy(file, destination)
                return True
            return _Source(folder, file, destination).copy(_base(file), root)

    def delete(self, file: File) -> bool:
        with translated(file, "deleted"), source_folder(file) as folder:
            if folder is None:
                return True
            source = _Source(folder, file, "")
            if taken := source.take():
                source.remove(taken)
                return True
            return look(folder, _base(file)) is None


class _Source:
    """A file in its folder, which is given by descriptor, on its way to a destination."""

    def __init__(self, folder: int, file: File, destination: str) -> None:
        self._folder, self._file, self._destination = folder, file, destination
        key = repr((file.identity, destination)).encode("utf-8", "surrogateescape")
        self._prefix = f".landfeed-{hashlib.sha256(key).hexdigest()[:16]}-"

    def move(self, root: str | None) -> bool:
        file, destination = self._file, self._destination
        self._refuse_another()
        taken = self.take()
        if taken is None:
            return _stands(destination, file)
        try:
            moved = self._place(taken, root)
        except (OSError, StorageError):
            if not _stands(destination, file):  # where somebody else has done the same move meanwhile
                self._put_back(taken)
                raise
            moved = True
        if not moved:
            self._put_back(taken)
            return False
        self.remove(taken)
        return True

    def copy(self, name: str, root: str | None) -> bool:
        """Copy under a private name, sync, compare, then give it its name without overwriting anything."""
        file, destination = self._file, self._destination
        try:
            stream = open_version(self._folder, name, file)
        except (Replaced, FileNotFoundError):
            return _stands(destination, file)
        with stream:
            make_folder(destination, root)
            earlier: list[str] = []  # copies that killed attempts left, or that somebody makes at this moment
            for partial in partials(file, destination):
                try:
                    writing = open(partial, "xb")  # noqa: SIM115 (copied closes it)
                    break
                except FileExistsError:
                    earlier.append(partial)
            try:
                if copied(stream, writing) != digest_of(partial):
                    raise StorageError(f"the copy of {file.path} at {partial} differs from it", "check the disk")
                os.utime(partial, ns=(file.version, file.version))
                _name(partial, destination)
                sync_names(destination)
            finally:
                remove(partial)
        for left in earlier:
            remove(left)
        return True

    def take(self) -> str | None:
        """The private name under which the file now stands; None when it is gone or another version."""
        name = _base(self._file)
        if is_version(look(self._folder, name), self._file):
            private = self._prefix + secrets.token_hex(8)
            with suppress(FileNotFoundError):
                os.rename(name, private, src_dir_fd=self._folder, dst_dir_fd=self._folder)
                if is_version(look(self._folder, private), self._file) and not self._written(private):
                    return private
                if not self._put_back(private):  # somebody else's upload
                    self.remove(private)  # a newer one is there, which replaces it as it would have anyway
        return next(self._left(), None)

    def _written(self, private: str) -> bool:
        """Whether somebody still writes to what was taken: what was read of it was not all."""
        return is_open_for_writing(self._folder, private)

    def _left(self) -> Iterator[str]:
        """Private names under which killed moves of this file have left it."""
        names = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            found = [name for name in os.listdir(names) if name.startswith(self._prefix)]
        finally:
            os.close(names)
        return (name for name in found if is_version(look(self._folder, name), self._file))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):  # somebody did the same
            os.unlink(name, dir_fd=self._folder)

    def _put_back(self, private: str) -> bool:
        """Whether what was taken has its name back; not if that is in use again."""
        name, folder = _base(self._file), self._folder
        try:
            os.link(private, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            return False
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if look(folder, name) is not None:
                return False
            os.rename(private, name, src_dir_fd=folder, dst_dir_fd=folder)
            return True
        self.remove(private)
        return True

    def _place(self, taken: str, root: str | None) -> bool:
        """Bring the taken file to its destination without overwriting anything; False when it was replaced.

        A file that somebody else owns, or that has another name, could be changed through that in the
        archive: it is copied.
        """
        file, destination = self._file, self._destination
        status = look(self._folder, taken)
        if status is None:
            return _stands(destination, file)
        if status.st_uid != os.geteuid() or status.st_nlink > 1:
            return self._copy_taken(taken, root)
        make_folder(destination, root)
        try:
            os.link(taken, destination, src_dir_fd=self._folder, follow_symlinks=False)
        except FileExistsError:
            self._same_or_refuse(taken)
            _tidy(file, destination)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            return self.copy(taken, root)
        else:
            if not os.path.samestat(os.lstat(destination), status):
                remove(destination)  # not what was looked at
                return False
        return True

    def _copy_taken(self, taken: str, root: str | None) -> bool:
        if os.path.lexists(self._destination):
            self._same_or_refuse(taken)
            _tidy(self._file, self._destination)
        elif not self.copy(taken, root):
            return False
        for name in self._left():  # a killed mover may have put the file back and left its private name too
            self.remove(name)
        return True

    def _refuse_another(self) -> None:
        """Raise when something else stands at the destination, before the file is taken out of sight."""
        if os.path.lexists(self._destination):
            name = _base(self._file)
            there = is_version(look(self._folder, name), self._file)
            for source in [name] if there else self._left():
                self._same_or_refuse(source)

    def _same_or_refuse(self, source: str) -> None:
        try:
            stream = open_version(self._folder, source, self._file)
        except (Replaced, FileNotFoundError):
            return  # somebody does the same move at this moment
        with stream:
            if not same_bytes(stream, self._destination):
                raise occupied(self._destination)


def _base(file: File) -> str:
    return os.path.basename(file.path)


def _stands(destination: str, file: File) -> bool:
    """Whether an earlier call put this very file at its destination; archive paths are a batch's own."""
    try:
        return is_version(os.lstat(destination), file)
    except OSError:
        return False


def _tidy(file: File, destination: str) -> None:
    """Remove the copies that attempts left which were killed after they had given the copy its name."""
    for partial in existing(partials(file, destination)):
        remove(partial)


def _name(partial: str, destination: str) -> None:
    try:
        os.link(partial, destination)
    except FileExistsError:
        _same_copy_or_refuse(partial, destination)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(destination):
            _same_copy_or_refuse(partial, destination)
        else:
            os.rename(partial, destination)


def _same_copy_or_refuse(partial: str, destination: str) -> None:
    with open(partial, "rb") as stream:
        if not same_bytes(stream, destination):
            raise occupied(destination)

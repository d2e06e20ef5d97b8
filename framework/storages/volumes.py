"""Databricks Volumes (`/Volumes/…`): folders where a rename is a copy and a delete behind the scenes.

There are no hard links there, a copy gets a modification time of its own, and files are written from
their beginning to their end only. So nothing can be taken by renaming it, as on a local disk, and
nothing tells by its time that it is an earlier copy. A file is copied under a private name beside its
destination, compared by digest, and only then given its name; the source goes last.

After a crash at any point a repeated move finishes the job: half-written copies have private names,
which nobody takes for the file, and are removed. Should the final renaming itself have been cut off, the
complete private copy is still there, and a destination that is the beginning of it is replaced by it.

What remains is a window: between the last look at the source and its deletion, one request, an upload
under the same name is deleted with it. Upload under new names, or with `on_success: copy`, to close it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

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
    same_bytes,
    translated,
)

__all__ = ["FileCalls", "VolumeStorage"]

_CHUNK = 1 << 20


class FileCalls:
    """The calls that change something, all that a Volume needs to have."""

    def makedirs(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)

    def create(self, path: str) -> BinaryIO:
        """A new file, to be written from beginning to end. Raises FileExistsError."""
        return open(path, "xb")

    def rename(self, source: str, destination: str) -> None:
        os.rename(source, destination)

    def unlink(self, path: str) -> None:
        os.unlink(path)


class VolumeStorage(PosixFolders):
    """Implements `framework.storage.Storage`. A version is the modification time in nanoseconds."""

    def __init__(self, calls: FileCalls | None = None) -> None:
        self._calls = calls or FileCalls()

    def move(self, file: File, destination: str) -> bool:
        with translated(file, "moved"):
            if not self._bring(file, destination):
                return False
            if _unchanged(file):
                self._unlink(file.path)
            return True

    def copy(self, file: File, destination: str) -> bool:
        with translated(file, "copied"):
            return self._bring(file, destination)

    def delete(self, file: File) -> bool:
        with translated(file, "deleted"):
            if _unchanged(file):
                self._unlink(file.path)
            return self.head(file.path) is None

    def _bring(self, file: File, destination: str) -> bool:
        """Whether the file stands at its destination afterwards."""
        if os.path.lexists(destination):
            self._finish_renaming(file, destination)
        if _unchanged(file) and not os.path.lexists(destination):
            return self._copy(file, destination)
        self._tidy(partials(file, destination))
        if not _unchanged(file):
            return _stands(destination, file)
        if not same_bytes(file.path, destination):
            raise occupied(destination)
        return True

    def _copy(self, file: File, destination: str) -> bool:
        self._calls.makedirs(os.path.dirname(destination))
        earlier: list[str] = []  # copies that killed attempts left, or that somebody makes at this moment
        for partial in partials(file, destination):
            try:
                writing = self._calls.create(partial)
                break
            except FileExistsError:
                earlier.append(partial)
        try:
            digest = copied(file.path, writing)
            if _unchanged(file):
                if digest_of(partial) != digest:
                    raise StorageError(f"the copy of {file.path} at {partial} differs from it", "check the volume")
                if os.path.lexists(destination):
                    if not same_bytes(partial, destination):
                        raise occupied(destination)
                else:
                    self._calls.rename(partial, destination)
        except FileNotFoundError:
            pass  # somebody has finished the same move meanwhile
        finally:
            self._tidy([partial])
        self._tidy(earlier)
        if not _stands(destination, file) and _unchanged(file):
            raise StorageError(f"{destination} is not complete", "it is tried again in the next run")
        return _stands(destination, file)

    def _finish_renaming(self, file: File, destination: str) -> None:
        """Give a complete private copy its name if an earlier call was cut off while doing so."""
        if _size(destination) == file.size:
            return
        for partial in existing(partials(file, destination)):
            if _size(partial) == file.size and _begins(partial, destination):
                self._calls.rename(partial, destination)
                return

    def _tidy(self, paths: Iterable[str]) -> None:
        for partial in existing(paths):
            self._unlink(partial)

    def _unlink(self, path: str) -> None:
        with suppress(FileNotFoundError):  # somebody did the same
            self._calls.unlink(path)


def _unchanged(file: File) -> bool:
    try:
        return is_version(os.stat(file.path), file)
    except FileNotFoundError:
        return False


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None


def _stands(destination: str, file: File) -> bool:
    """Whether the file is at its destination, once its source is gone: an archive path is a batch's own."""
    return _size(destination) == file.size


def _begins(complete: str, path: str) -> bool:
    """Whether `path` holds the beginning of `complete`."""
    with open(complete, "rb") as whole, open(path, "rb") as part:
        while chunk := part.read(_CHUNK):
            if whole.read(len(chunk)) != chunk:
                return False
    return True

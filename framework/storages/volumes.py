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
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import BinaryIO

from framework.errors import StorageError
from framework.names import File
from framework.storages.beneath import Replaced, is_version, look, open_version, source_folder
from framework.storages.posix import (
    PosixFolders,
    copied,
    digest_of,
    existing,
    make_folder,
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

    def unlink(self, path: str, folder: int | None = None) -> None:
        """Delete a file; with `folder`, a descriptor, `path` is its name in there."""
        os.unlink(path, dir_fd=folder)


class VolumeStorage(PosixFolders):
    """Implements `framework.storage.Storage`. A version is the modification time in nanoseconds."""

    knows_writers = False  # whoever writes is on another machine, and each look costs a call over the network

    def __init__(self, calls: FileCalls | None = None) -> None:
        self._calls = calls or FileCalls()

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        with translated(file, "moved"), source_folder(file) as folder:
            if not self._bring(folder, file, destination, root):
                return False
            self._delete(folder, file)
            return True

    def copy(self, file: File, destination: str, *, root: str | None = None) -> bool:
        with translated(file, "copied"), source_folder(file) as folder:
            return self._bring(folder, file, destination, root)

    def delete(self, file: File) -> bool:
        with translated(file, "deleted"), source_folder(file) as folder:
            self._delete(folder, file)
            return folder is None or look(folder, os.path.basename(file.path)) is None

    def _delete(self, folder: int | None, file: File) -> None:
        if folder is not None and _unchanged(folder, file):
            with suppress(FileNotFoundError):  # somebody did the same
                self._calls.unlink(os.path.basename(file.path), folder)

    def _bring(self, folder: int | None, file: File, destination: str, root: str | None) -> bool:
        """Whether the file stands at its destination afterwards."""
        if os.path.lexists(destination):
            self._finish_renaming(file, destination)
        if _unchanged(folder, file) and not os.path.lexists(destination):
            return self._copy(folder, file, destination, root)
        self._tidy(partials(file, destination))
        with _opened(folder, file) as stream:
            if stream is None:
                return _stands(destination, file)
            if not same_bytes(stream, destination):
                raise occupied(destination)
            return True

    def _copy(self, folder: int | None, file: File, destination: str, root: str | None) -> bool:
        make_folder(destination, root, self._calls.makedirs)
        earlier: list[str] = []  # copies that killed attempts left, or that somebody makes at this moment
        for partial in partials(file, destination):
            try:
                writing = self._calls.create(partial)
                break
            except FileExistsError:
                earlier.append(partial)
        try:
            with writing, _opened(folder, file) as stream:
                digest = copied(stream, writing) if stream is not None else None
            if digest is not None and _unchanged(folder, file):
                self._name(file, partial, digest, destination)
        except FileNotFoundError:
            pass  # somebody has finished the same move meanwhile
        finally:
            self._tidy([partial])
        self._tidy(earlier)
        if not _stands(destination, file) and _unchanged(folder, file):
            raise StorageError(f"{destination} is not complete", "it is tried again in the next run")
        return _stands(destination, file)

    def _name(self, file: File, partial: str, digest: str, destination: str) -> None:
        """Give a copy its name, if it is like what was read and nothing else has that name."""
        if digest_of(partial) != digest:
            raise StorageError(f"the copy of {file.path} at {partial} differs from it", "check the volume")
        if not os.path.lexists(destination):
            self._calls.rename(partial, destination)
            return
        with open(partial, "rb") as stream:
            if not same_bytes(stream, destination):
                raise occupied(destination)

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


def _unchanged(folder: int | None, file: File) -> bool:
    return folder is not None and is_version(look(folder, os.path.basename(file.path)), file)


@contextmanager
def _opened(folder: int | None, file: File) -> Iterator[BinaryIO | None]:
    """The bytes of the file, None when it is gone or another version."""
    try:
        stream = None if folder is None else open_version(folder, os.path.basename(file.path), file)
    except (Replaced, FileNotFoundError):
        stream = None
    with stream or nullcontext():
        yield stream


def _size(path: str) -> int | None:
    """The size of the regular file there, None when there is none."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


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

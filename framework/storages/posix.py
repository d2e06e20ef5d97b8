"""What folders of a file system have in common: listing, looking and reading, and how errors are told."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from typing import BinaryIO

from framework.errors import FileGone, StorageError
from framework.names import File
from framework.storages.beneath import Replaced, folder_of, is_version, open_version

__all__ = [
    "PosixFolders",
    "copied",
    "digest_of",
    "existing",
    "is_version",
    "occupied",
    "partials",
    "remove",
    "same_bytes",
    "translated",
]

_CHUNK = 1 << 20
_ELSEWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
"""What a file is said to be when it, or a folder on the way, has gone or become a link or a pipe."""


class PosixFolders:
    """The reading half of `framework.storage.Storage`. A version is the modification time in nanoseconds."""

    def list(self, folder: str, *, recursive: bool) -> Iterator[File]:
        root = folder.rstrip("/") + "/"
        folders = [root]
        while folders:
            current = folders.pop()
            try:
                entries = list(os.scandir(current))
            except FileNotFoundError:
                if current != root:
                    continue  # a subfolder that went away meanwhile
                raise StorageError(
                    f"the folder {folder} does not exist", "create it, or mend source.path", code="missing_folder"
                ) from None
            except OSError as error:
                raise StorageError(f"the folder {current} cannot be listed: {error.strerror}") from error
            for entry in entries:
                if recursive and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path + "/")
                    continue
                found = _file(entry.path, entry.path[len(root) :])
                if found is not None:
                    yield found

    def head(self, path: str) -> File | None:
        return _file(path, os.path.basename(path))

    def open(self, file: File) -> BinaryIO:
        try:
            with folder_of(file) as folder:
                return open_version(folder, os.path.basename(file.path), file)
        except Replaced:
            raise FileGone(f"{file.path} was replaced") from None
        except OSError as error:
            if error.errno in _ELSEWHERE:
                raise FileGone(f"{file.path} is gone") from None
            raise StorageError(
                f"{file.path} cannot be read: {error.strerror}", "check permissions; it is tried again in the next run"
            ) from error

    def read_range(self, file: File, start: int, length: int) -> bytes:
        with self.open(file) as stream:
            try:
                stream.seek(start)
                return stream.read(length)
            except OSError as error:
                raise StorageError(f"{file.path} cannot be read: {error.strerror}") from error

    def fetch(self, file: File, folder: str) -> str:
        del folder  # such files are read where they are
        return file.path


def _file(path: str, name: str) -> File | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return File(path, name, status.st_mtime_ns, status.st_size, status.st_mtime_ns)


def digest_of(path: str) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def same_bytes(one: str, other: str) -> bool:
    return os.path.getsize(one) == os.path.getsize(other) and digest_of(one) == digest_of(other)


def remove(path: str) -> None:
    """Delete a file that somebody else may delete at the same time."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def partials(file: File, destination: str) -> Iterator[str]:
    """Private names beside the destination for copies of a file, one for each attempt; discovery skips them.

    An attempt takes the first name that is free, so copies never get into each other's way, and whoever
    comes to the end removes those before its own.
    """
    key = repr((file.identity, destination)).encode("utf-8", "surrogateescape")
    name = os.path.join(os.path.dirname(destination), f".landfeed-{hashlib.sha256(key).hexdigest()[:16]}")
    for number in count():
        yield f"{name}-{number}.part"


def existing(paths: Iterable[str]) -> Iterator[str]:
    """The paths up to the first one where nothing is."""
    return takewhile(os.path.lexists, paths)


def copied(source: str, writing: BinaryIO) -> str:
    """Copy from beginning to end, sync and close. Gives the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with writing, open(source, "rb") as reading:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def occupied(destination: str) -> StorageError:
    """What is raised where something else stands at a file's destination."""
    return StorageError(
        f"another file stands at {destination}", "move it away; it is never overwritten", code="archive_exists"
    )


@contextmanager
def translated(file: File, done: str) -> Iterator[None]:
    """Turns system errors into StorageError; `done` is what should have been done with the file."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename2 or error.filename})" if error.filename else ""
        raise StorageError(
            f"{file.path} cannot be {done}: {error.strerror}{where}",
            "check permissions and free space; it is tried again in the next run",
        ) from error

"""What folders of a file system have in common: listing, looking and reading, and how errors are told."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from typing import BinaryIO

from framework.errors import FileGone, StorageError
from framework.machine import read_error, reading
from framework.names import File, Skipped
from framework.storages.beneath import ELSEWHERE, Replaced, folder_of, open_version
from framework.storages.listing import file_at, files_below

__all__ = [
    "PosixFolders",
    "copied",
    "digest_of",
    "existing",
    "make_folder",
    "occupied",
    "partials",
    "remove",
    "same_bytes",
    "sync_names",
    "translated",
]

_CHUNK = 1 << 20


def _makedirs(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)


class PosixFolders:
    """The reading half of `framework.storage.Storage`. A version is the modification time in nanoseconds."""

    knows_writers = True
    """Whether the system may tell that a file is open for writing."""

    def list(
        self, folder: str, *, recursive: bool, tell: Callable[[Skipped], object] = lambda _: None
    ) -> Iterator[File]:
        return files_below(folder, recursive, tell, writers=self.knows_writers)

    def head(self, path: str) -> File | None:
        try:
            status = os.lstat(path)
        except OSError:
            return None
        return file_at(path, os.path.basename(path), status) if stat.S_ISREG(status.st_mode) else None

    def open(self, file: File) -> BinaryIO:
        try:
            with folder_of(file) as folder:
                return open_version(folder, os.path.basename(file.path), file)
        except Replaced:
            raise FileGone(f"{file.path} was replaced") from None
        except OSError as error:
            if error.errno in ELSEWHERE:
                raise FileGone(f"{file.path} is gone") from None
            raise read_error(error, file.path) from error

    def read_range(self, file: File, start: int, length: int) -> bytes:
        with self.open(file) as stream, reading(file.path):
            stream.seek(start)
            return stream.read(length)

    def fetch(self, file: File, folder: str) -> str | None:
        del file, folder  # such files are opened where they are
        return None

    def write(self, path: str, content: bytes) -> None:
        partial = os.path.join(os.path.dirname(path), f".landfeed-{secrets.token_hex(8)}.part")
        try:
            make_folder(path, None)
            try:
                with open(partial, "xb") as stream:
                    stream.write(content)
                os.replace(partial, path)
            finally:
                remove(partial)
        except OSError as error:
            hint = "check permissions and free space"
            raise StorageError(f"{path} cannot be written: {error.strerror}", hint) from error


def digest_of(path: str) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return _digest(stream)


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def same_bytes(one: BinaryIO, other: str) -> bool:
    """Whether a stream, read from its beginning, and the file at a path have the same bytes; a link has none."""
    mine, found = os.fstat(one.fileno()), os.lstat(other)
    if os.path.samestat(mine, found):
        return True
    if not stat.S_ISREG(found.st_mode) or mine.st_size != found.st_size:
        return False
    return _digest(one) == digest_of(other)


def make_folder(destination: str, root: str | None, makedirs: Callable[[str], object] = _makedirs) -> None:
    """Make the folder of a destination. Raises StorageError where one of those below `root` is a link."""
    folder = os.path.dirname(destination)
    if root is not None and folder.startswith(root):
        at = root.rstrip("/")
        for part in folder[len(root) :].split("/"):
            at = f"{at}/{part}" if part else at
            if part and os.path.islink(at):
                raise StorageError(
                    f"{at} is a link, which would lead out of the archive", "put a folder in its place", code="link"
                )
    makedirs(folder)


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


def copied(reading: BinaryIO, writing: BinaryIO) -> str:
    """Copy from beginning to end, sync, and close what was written. Gives the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def sync_names(destination: str) -> None:
    """See to it that the name of what was copied, and those of the folders that it lies in, are on the disk: a file
    system knows nothing of what goes on another one meanwhile, and the file is to leave that one."""
    folder = os.path.dirname(destination)
    device = os.stat(folder).st_dev
    with suppress(OSError):  # folders that may not be read are not ours; some file systems cannot sync folders
        while os.stat(folder).st_dev == device:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if folder == (folder := os.path.dirname(folder)):
                return


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

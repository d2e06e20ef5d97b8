"""What a folder of a file system holds: its regular files, and what is passed over because it is none.

Folders are walked by descriptors, so that one that becomes a link meanwhile is not gone into.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from framework.errors import StorageError
from framework.names import File, Skipped
from framework.storages.beneath import ELSEWHERE, folder_below, is_open_for_writing

__all__ = ["file_at", "files_below"]

_DEEPEST = 100
"""Folders below folders that are gone into: each is reached from the first one, and holds no descriptor."""
_KINDS = (
    (stat.S_ISLNK, "it is a symbolic link, and links are not followed"),
    (stat.S_ISFIFO, "it is a pipe and no file"),
    (stat.S_ISSOCK, "it is a socket and no file"),
)


def file_at(path: str, name: str, status: os.stat_result) -> File:
    return File(path, name, status.st_mtime_ns, status.st_size, status.st_mtime_ns)


def files_below(folder: str, recursive: bool, tell: Callable[[Skipped], object], *, writers: bool) -> Iterator[File]:
    """The regular files in a folder, or at any depth. `tell` hears of files that cannot be read, of what is no
    file, of folders that cannot be listed and, with `writers`, of files that are being written. Raises
    StorageError when the folder itself cannot be listed.
    """
    root = folder.rstrip("/") + "/"
    waiting: list[str] = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = _entries(root, below, writers)
        except OSError as error:
            if not below:
                raise _unlisted(folder, error) from None
            if error.errno not in ELSEWHERE:  # else it went away meanwhile
                tell(_skipped(root, below, f"the folder cannot be listed: {error.strerror}"))
            continue
        for name, found in entries:
            match found:
                case File():
                    yield found
                case Skipped():
                    tell(found)
                case None if recursive:
                    inner = f"{below}{name}/"
                    if _too_long(root + inner) or inner.count("/") > _DEEPEST:
                        tell(_skipped(root, inner, "the folder lies too deep to be listed"))
                    else:
                        waiting.append(inner)


def _entries(root: str, below: str, writers: bool) -> list[tuple[str, File | Skipped | None]]:
    """The names in a folder with what stands there: None for a folder. Raises OSError."""
    with folder_below(root, below.split("/")[:-1]) as at:
        listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)
        try:
            with os.scandir(listed) as entries:
                return [(entry.name, _found(entry, root, below + entry.name, at, writers)) for entry in entries]
        finally:
            os.close(listed)


def _found(entry: os.DirEntry[str], root: str, name: str, folder: int, writers: bool) -> File | Skipped | None:
    try:
        if entry.is_dir(follow_symlinks=False):
            return None
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _skipped(root, name, f"the file cannot be looked at: {error.strerror}")
    file = file_at(root + name, name, status)
    if not stat.S_ISREG(status.st_mode):
        kinds = (reason for is_kind, reason in _KINDS if is_kind(status.st_mode))
        return Skipped(file, next(kinds, "it is a device and no file"), told=True)
    if _too_long(file.path):
        return Skipped(file, "the path is longer than the system takes", told=True)
    if status.st_mode & 0o444 != 0o444 and not _readable(entry.name, folder):
        return Skipped(file, "the file cannot be read: permission denied", told=True)
    if writers and is_open_for_writing(folder, entry.name):
        return Skipped(file, "it is still open for writing", told=True)
    return file


def _readable(name: str, folder: int) -> bool:
    return os.access(name, os.R_OK, dir_fd=folder, effective_ids=os.access in os.supports_effective_ids)


def _skipped(root: str, name: str, reason: str) -> Skipped:
    return Skipped(File(root + name, name, 0, 0, 0), reason, told=True)


def _too_long(path: str) -> bool:
    return len(os.fsencode(path)) >= os.pathconf("/", "PC_PATH_MAX")


def _unlisted(folder: str, error: OSError) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return StorageError(
            f"the folder {folder} does not exist", "create it, or mend source.path", code="missing_folder"
        )
    rights = "it takes the rights to read and to enter it"
    hint = "source.path names a folder" if isinstance(error, NotADirectoryError) else rights
    return StorageError(f"the folder {folder} cannot be listed: {error.strerror}", hint)

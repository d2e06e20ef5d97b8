"""Files below a folder that anybody may write to: found and opened by descriptors, never through a link.

A path can be changed between two looks at it: a folder on the way, or the file itself, becomes a link, a
pipe or a device. So the way from the folder that was named in the configuration is walked one descriptor
at a time, no link is followed on it, and what was opened is looked at again before its bytes are used.
Links in the configured folder's own path are the operator's and are followed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from framework.names import File
from framework.storages.writers import open_for_writing

__all__ = [
    "ELSEWHERE",
    "Replaced",
    "folder_below",
    "folder_of",
    "is_open_for_writing",
    "is_version",
    "look",
    "open_version",
    "root_of",
    "source_folder",
]

_WALK = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
ELSEWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
"""What the system says when a file, or a folder on the way to it, has gone or become a link or a pipe."""


class Replaced(OSError):
    """Something else stands where the file was: another version, a link, a pipe, a folder."""


def root_of(file: File) -> str:
    """The folder that `file.name` is below."""
    path, name = file.path, file.name
    return path[: -len(name)] if name and path.endswith(f"/{name}") else os.path.dirname(path) + "/"


@contextmanager
def folder_below(root: str, parts: Sequence[str]) -> Iterator[int]:
    """A descriptor of the folder that lies `parts` below `root`. Raises OSError, also where one is a link."""
    descriptor = os.open(root, _WALK)
    try:
        for part in parts:
            descriptor, above = os.open(part, _WALK | os.O_NOFOLLOW, dir_fd=descriptor), descriptor
            os.close(above)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def folder_of(file: File) -> Iterator[int]:
    """A descriptor of the folder that the file is in, for calls with `dir_fd`. Raises OSError."""
    root = root_of(file)
    with folder_below(root, [part for part in file.path[len(root) :].split("/")[:-1] if part]) as folder:
        yield folder


@contextmanager
def source_folder(file: File) -> Iterator[int | None]:
    """As `folder_of`; None when the folder is gone, and with it the file."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(folder_of(file))
        except OSError as error:
            if error.errno not in ELSEWHERE:
                raise
            yield None
            return
        yield folder


def look(folder: int, name: str) -> os.stat_result | None:
    """What stands there, be it a link; None when nothing does. Raises OSError when it cannot be said."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_version(status: os.stat_result | None, file: File) -> bool:
    """Whether what stands there is a regular file and the very version of `file`."""
    return (
        status is not None
        and stat.S_ISREG(status.st_mode)
        and (status.st_mtime_ns, status.st_size) == (file.version, file.size)
    )


def is_open_for_writing(folder: int, name: str) -> bool:
    """Whether some process is known to have a regular file open for writing."""
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return False
    try:
        return open_for_writing(descriptor)
    finally:
        os.close(descriptor)


def open_version(folder: int, name: str, file: File) -> BinaryIO:
    """The bytes of `file`, which stands as `name` in a folder given by descriptor. Never waits.

    Raises Replaced when it is another version, or no regular file, and OSError when it cannot be read.
    """
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not is_version(found, file):
        raise Replaced(f"{file.path} was replaced")
    descriptor = os.open(name, _READ, dir_fd=folder)
    try:
        opened = os.fstat(descriptor)
        if not is_version(opened, file) or not os.path.samestat(opened, found):
            raise Replaced(f"{file.path} was replaced")
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise

"""Storage: the seam to folders and buckets. Nine verbs; `storages/` holds the implementations.

A path is a local absolute path or a URI (`gs://bucket/key`). Folders end with `/`. A version is the
object generation on GCS and the modification time in nanoseconds elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from framework.names import File, Skipped

__all__ = ["Storage"]


class Storage(Protocol):
    """Where files land and where they are archived."""

    def list(
        self, folder: str, *, recursive: bool, tell: Callable[[Skipped], object] = lambda _: None
    ) -> Iterator[File]:
        """Every file directly in `folder` (or at any depth), in no particular order.

        `File.name` is the part below `folder`. A folder or bucket that is missing raises
        StorageError; in a bucket a prefix without objects is an empty folder. Only regular files that
        can be read count: `tell` hears of links, which are never followed, of other things, and of
        folders below that cannot be listed. Marks of folders are left out.
        """
        ...

    def head(self, path: str) -> File | None:
        """The file at `path` as it is now (its name is the last path segment), None if there is none."""
        ...

    def open(self, file: File) -> BinaryIO:
        """The bytes of this version, opened without following links.

        The stream can be sought in and is the caller's to close. What a bucket stores with
        `Content-Encoding: gzip` under a name that does not say so comes unpacked. Never waits for a
        pipe or a device. Raises FileGone when it is another version, SetAside or another StorageError when it
        cannot be read.
        """
        ...

    def read_range(self, file: File, start: int, length: int) -> bytes:
        """Up to `length` bytes of this version. Raises FileGone when it is no longer this version."""
        ...

    def fetch(self, file: File, folder: str) -> str | None:
        """The path of a copy of this version, made in `folder`; None where files are on this machine, so that `open`
        gives them in place. Raises FileGone, and StorageError when it cannot be read.
        """
        ...

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        """Move exactly this version to `destination`, never overwriting anything.

        True when the file is at the destination afterwards, also when an earlier call that was
        cut off had already moved it. False when the source is gone or was replaced by another
        version, which is left where it is. Repeating a move, after a crash too, ends in the same
        state. Raises StorageError (`archive_exists`) when something else stands at the destination,
        and (`link`) when a folder on the way from `root` to it is a link.
        """
        ...

    def copy(self, file: File, destination: str, *, root: str | None = None) -> bool:
        """As `move`, but the source stays."""
        ...

    def delete(self, file: File) -> bool:
        """Delete exactly this version. True when it is gone afterwards, False when it was replaced."""
        ...

    def write(self, path: str, content: bytes) -> object:
        """Write a small file of Landfeed's own, over what stands at `path`; folders are made. Who reads it meanwhile
        sees the old bytes or the new ones (on a Volume perhaps a part). Raises StorageError when it cannot be written.
        """
        ...

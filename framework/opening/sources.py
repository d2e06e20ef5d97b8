"""Sources: how the bytes of a file are come by, which are those of the version that was listed and of nothing else."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO

from framework.errors import FileGone, SourceChanged
from framework.names import File
from framework.storage import Storage

__all__ = ["SourceFile", "fetch_all"]

_CHUNK = 1 << 20
_FETCHES_AT_ONCE = 16
_DESCRIPTORS = "/proc/self/fd"
"""Where Linux has paths of what a process has open."""


class SourceFile:
    """A file of the batch. What its storage can open in place is opened there, each time by descriptor and by version;
    of others there is a copy in `folder`, which is the runner's own."""

    def __init__(self, file: File, storage: Storage, folder: str) -> None:
        self.file, self._storage, self._folder = file, storage, folder
        self._copy: str | None = None
        self._fetched = self._in_place = False

    def fetch(self) -> str | None:
        """The path of the copy, which is made when first asked for; None for a file that is opened in place. Raises
        SourceChanged."""
        if not self._fetched:
            with self._still_there():
                self._copy = self._storage.fetch(self.file, self._folder)
            self._fetched = True
        return self._copy

    @property
    def stored_as(self) -> str:
        """A path that tells by its ending how the bytes are packed. Raises as `fetch` does."""
        return self.fetch() or self.file.path

    def open(self) -> BinaryIO:
        """The bytes of this version as they are stored. Raises SourceChanged, StorageError and OSError."""
        copy = self.fetch()
        if copy is not None:
            return open(copy, "rb", buffering=_CHUNK)
        with self._still_there():
            stream = self._storage.open(self.file)
        return io.BufferedReader(stream.detach(), _CHUNK) if isinstance(stream, io.BufferedReader) else stream

    @contextmanager
    def path(self) -> Iterator[str]:
        """A path of these bytes while the block lasts, for readers that take nothing else. Raises as `open` does.

        It is the copy's or that of an open descriptor, so that it does not matter what has come to stand in the
        landing folder since. Only Linux has such paths. Elsewhere it is the file's own, and there a window is left:
        who may write to the folder can put a link or another file in its place between this and the reader's
        opening; that the version is another one is noticed before anything is committed, unless it is put back.
        """
        copy = self.fetch()
        if copy is not None:
            yield copy
            return
        with self.open() as stream:
            yield f"{_DESCRIPTORS}/{stream.fileno()}" if os.path.isdir(_DESCRIPTORS) else self.file.path

    @property
    def in_place(self) -> str:
        """The file's own path or URI, for engines whose workers read it there.

        A window is left: they open it by this path, so that they follow a link that somebody puts in its place. A
        version that is another one at the end is noticed before anything is committed.
        """
        self._in_place = True
        return self.file.path

    def beginning(self, length: int) -> bytes:
        """The first bytes of this version. Raises SourceChanged."""
        with self._still_there():
            return self._storage.read_range(self.file, 0, length)

    @property
    def may_have_changed(self) -> bool:
        """Whether what was read may be other than what was listed: it was not a copy of that version."""
        return self._in_place or self._copy is None

    @contextmanager
    def _still_there(self) -> Iterator[None]:
        try:
            yield
        except FileGone as error:
            raise SourceChanged([self.file.path]) from error


def fetch_all(sources: Sequence[SourceFile]) -> None:
    """Make the copies that are needed, several at a time. Raises SourceChanged with all files that are gone."""

    def fetch(source: SourceFile) -> tuple[str, ...]:
        try:
            source.fetch()
        except SourceChanged as error:
            return error.paths
        return ()

    with ThreadPoolExecutor(min(_FETCHES_AT_ONCE, len(sources) or 1)) as pool:
        gone = [path for paths in pool.map(fetch, sources) for path in paths]
    if gone:
        raise SourceChanged(gone)

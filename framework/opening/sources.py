"""Sources: how the bytes of a file are come by, which are those of the version that was listed and of nothing else."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeAlias, cast

from framework.errors import FileGone, SetAside, SourceChanged
from framework.machine import reading, side_by_side
from framework.names import File, Limits
from framework.storage import Storage

__all__ = ["GivenFile", "SourceFile", "check_all", "fetch_all", "stream_of"]

_CHUNK = 1 << 20
_FETCHES_AT_ONCE = 16
_USUAL = Limits()
_DESCRIPTORS = "/proc/self/fd"
"""Where Linux has paths of what a process has open."""


class _Bytes(io.FileIO):
    """Bytes of a file of the batch. That they cannot be read is not mistaken for what is in them."""

    def __init__(self, opened: int | str, file: File) -> None:
        self._path, self.at = file.landed.path, 0
        with reading(self._path):
            super().__init__(opened)

    def readinto(self, buffer: Any) -> int | None:
        with reading(self._path):
            count = super().readinto(buffer)
        self.at += count or 0
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = super().seek(offset, whence)
        return self.at

    def readall(self) -> bytes:
        with reading(self._path):
            return super().readall()


def stream_of(opened: int | str, file: File) -> io.BufferedReader:
    """The bytes at a descriptor or a path, which are those of a file of the batch. Raises SetAside."""
    return io.BufferedReader(_Bytes(opened, file), _CHUNK)


Unpack: TypeAlias = Callable[["SourceFile", str], str]
"""Unpacks a member of an archive into a folder; its path there. Raises BrokenFile."""


class SourceFile:
    """A file of the batch. What its storage can open in place is opened there, each time by descriptor and by version;
    of others, and of members of archives, there is a copy in `folder`, which is the runner's own."""

    def __init__(self, file: File, storage: Storage, folder: str, limits: Limits = _USUAL) -> None:
        self.file, self.limits, self._storage, self.folder = file, limits, storage, folder
        self._copy: str | None = None
        self._whole, self._size = self, file.size
        self._fetched = self._in_place = False
        self.varies = False
        """Whether records were met that are other than the first ones let expect; then all of it is to be looked at."""
        self.done = False
        """Whether the engine has read the file."""
        self.share: Callable[[], float] = lambda: 0.0
        """How much of the file the engine has read until now, from 0 to 1; asked from other threads."""
        self.content: object = None
        """What the engine has found by looking at all bytes, if that is wanted again."""
        self._unpack: Unpack | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """What another process needs, which opens the file anew."""
        if self.is_member:
            return _member, (self._whole, self.file, self._size, self._unpack)
        return SourceFile, (self.file, self._storage, self.folder, self.limits)

    def elsewhere(self, folder: str) -> SourceFile:
        """The same file, to be opened anew, with a folder for copies on the machine where that is done."""
        if self.is_member:
            return self.within(self._whole.elsewhere(folder))
        return SourceFile(self.file, self._storage, folder, self.limits)

    def bare(self) -> SourceFile:
        """The same file without its storage, for who is given its bytes."""
        return SourceFile(self.file, cast(Storage, None), "", self.limits)

    def part(self, member: File, path: str, packed: int, unpack: Unpack) -> SourceFile:
        """A member of this file that is unpacked at a path; `packed` is how many bytes it takes in the archive, and
        `unpack` unpacks it elsewhere."""
        part = _member(self, member, packed, unpack)
        part._copy, part._fetched = path, True
        return part

    def within(self, whole: SourceFile) -> SourceFile:
        """The same member, to be unpacked anew from what the archive is for another process."""
        return _member(whole, self.file, self._size, self._unpack)

    def fetch(self) -> str | None:
        """The path of the copy, which is made when first asked for; None for a file that is opened in place. Raises
        SourceChanged and SetAside."""
        if not self._fetched:
            with self._still_there():
                if self._unpack is not None:
                    self._copy = self._unpack(self._whole, self.folder)
                else:
                    self._copy = self._storage.fetch(self.file, self.folder)
            self._fetched = True
        return self._copy

    @property
    def bytes_read(self) -> int:
        """How much of the file the engine has read; asked from other threads, to tell how far a batch is."""
        return self._size if self.done else int(self._size * min(1.0, self.share()))

    @property
    def is_member(self) -> bool:
        """Whether it is one of an archive."""
        return self._whole is not self

    @property
    def stored_as(self) -> str:
        """A path that tells by its ending how the bytes are packed. Raises as `fetch` does."""
        return self.fetch() or self.file.path

    def open(self) -> io.BufferedReader:
        """The bytes of this version as they are stored. Raises SourceChanged and SetAside, also when they are read."""
        copy = self.fetch()
        if copy is not None:
            return stream_of(copy, self.file)
        with self._still_there(), self._storage.open(self.file) as stream, reading(self.file.path):
            return stream_of(os.dup(stream.fileno()), self.file)

    def followed(self) -> BinaryIO:
        """As `open`, for the engine's records: how far they are read is what `share` then tells."""
        stream = self.open()
        raw, size = stream.raw, max(1, self.file.size)
        self.share = lambda: getattr(raw, "at", 0) / size
        return stream

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

    def is_there(self) -> bool:
        """Whether the file is still what was listed. Raises StorageError."""
        found = self._storage.head(self.file.path)
        return found is not None and found.identity == self.file.identity

    def read_beside(self, path: str, most: int) -> bytes | None:
        """The first bytes of another file of the same storage, None when it is not there. Raises StorageError."""
        other = self._storage.head(path)
        try:
            return None if other is None else self._storage.read_range(other, 0, min(most, other.size))
        except FileGone:
            return None

    @property
    def may_have_changed(self) -> bool:
        """Whether what was read may be other than what was listed: it was not a copy of that version."""
        return self._whole._in_place or self._whole._copy is None

    @contextmanager
    def _still_there(self) -> Iterator[None]:
        try:
            yield
        except FileGone as error:
            raise SourceChanged([self.file.path]) from error


class GivenFile(SourceFile):
    """A file of the batch whose bytes something else has read, all of them, and those of files beside it."""

    def __init__(
        self, source: SourceFile, content: bytes, beside: Mapping[str, bytes | None], folder: str = ""
    ) -> None:
        super().__init__(source.file, source._storage, folder, source.limits)
        self._content, self._beside = content, beside

    def fetch(self) -> None:
        return None

    def open(self) -> io.BufferedReader:
        """See `SourceFile.open`."""
        if len(self._content) != self.file.size:
            raise SourceChanged([self.file.path])
        return io.BufferedReader(io.BytesIO(self._content), _CHUNK)

    def beginning(self, length: int) -> bytes:
        return self._content[:length]

    def read_beside(self, path: str, most: int) -> bytes | None:
        content = self._beside.get(path)
        return None if content is None else content[:most]


def _member(whole: SourceFile, member: File, packed: int, unpack: Unpack | None) -> SourceFile:
    part = SourceFile(member, whole._storage, whole.folder, whole.limits)
    part._whole, part._size, part._unpack = whole, packed, unpack
    return part


def fetch_all(sources: Sequence[SourceFile]) -> None:
    """Make the copies that are needed, several at a time. Raises as `check_all` does."""

    def fetch(source: SourceFile) -> SourceChanged | SetAside | None:
        try:
            source.fetch()
        except (SourceChanged, SetAside) as error:
            return error
        return None

    check_all(side_by_side(fetch, sources, _FETCHES_AT_ONCE))


def check_all(failed: Iterable[SourceChanged | SetAside | None]) -> None:
    """Raises SourceChanged with all files that are gone, or else SetAside with all that cannot be read."""
    failed = list(failed)
    if gone := [path for error in failed if isinstance(error, SourceChanged) for path in error.paths]:
        raise SourceChanged(gone)
    if aside := {path: why for error in failed if isinstance(error, SetAside) for path, why in error.reasons.items()}:
        raise SetAside(aside)

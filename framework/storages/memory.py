"""A storage in memory: for tests, of Landfeed and of what is built on it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from framework.errors import FileGone
from framework.names import File, Skipped
from framework.storages.downloads import download_path, written
from framework.storages.posix import occupied

__all__ = ["MemoryStorage"]


@dataclass(frozen=True, slots=True)
class _Object:
    content: bytes
    version: int
    modified: int


class MemoryStorage:
    """Implements `framework.storage.Storage` as a bucket does: folders are nothing but the beginning of names.

    A version is the number of the write. Safe for threads. `write` and `read` put files in and look at them.
    """

    def __init__(self) -> None:
        self._objects: dict[str, _Object] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def write(self, path: str, content: bytes, modified: int | None = None) -> File:
        """Put a file at `path`, over whatever is there. `modified` (ns) is the version unless given."""
        with self._lock:
            return self._write(path, content, modified)

    def read(self, path: str) -> bytes:
        """The bytes at `path`. Raises FileGone when there are none."""
        with self._lock:
            found = self._objects.get(path)
        if found is None:
            raise FileGone(f"{path} is gone")
        return found.content

    def list(
        self, folder: str, *, recursive: bool, tell: Callable[[Skipped], object] = lambda _: None
    ) -> Iterator[File]:
        del tell  # there is nothing but files
        folder = folder if folder.endswith("/") else f"{folder}/"
        with self._lock:
            found = [
                _file(path, path[len(folder) :], item)
                for path, item in self._objects.items()
                if path.startswith(folder)
            ]
        yield from (file for file in found if recursive or "/" not in file.name)

    def head(self, path: str) -> File | None:
        with self._lock:
            found = self._objects.get(path)
        return _file(path, path.rsplit("/", 1)[-1], found) if found else None

    def open(self, file: File) -> BinaryIO:
        return io.BytesIO(self._content(file))

    def read_range(self, file: File, start: int, length: int) -> bytes:
        return self._content(file)[start : start + length]

    def fetch(self, file: File, folder: str) -> str:
        content, path = self._content(file), download_path(file, folder)
        with written(path) as stream:
            stream.write(content)
        return path

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        del root  # there are no links
        return self._bring(file, destination, keep=False)

    def copy(self, file: File, destination: str, *, root: str | None = None) -> bool:
        del root  # there are no links
        return self._bring(file, destination, keep=True)

    def delete(self, file: File) -> bool:
        with self._lock:
            if self._is_there(file):
                del self._objects[file.path]
            return file.path not in self._objects

    def _bring(self, file: File, destination: str, *, keep: bool) -> bool:
        with self._lock:
            found = self._objects.get(destination)
            if not self._is_there(file):
                return found is not None and len(found.content) == file.size
            content = self._objects[file.path].content
            if found is None:
                self._write(destination, content, file.modified)
            elif found.content != content:
                raise occupied(destination)
            if not keep:
                del self._objects[file.path]
            return True

    def _write(self, path: str, content: bytes, modified: int | None) -> File:
        self._writes += 1
        self._objects[path] = _Object(content, self._writes, self._writes if modified is None else modified)
        return _file(path, path.rsplit("/", 1)[-1], self._objects[path])

    def _content(self, file: File) -> bytes:
        with self._lock:
            if not self._is_there(file):
                raise FileGone(f"{file.path} is gone or was replaced")
            return self._objects[file.path].content

    def _is_there(self, file: File) -> bool:
        found = self._objects.get(file.path)
        return found is not None and (found.version, len(found.content)) == (file.version, file.size)


def _file(path: str, name: str, item: _Object) -> File:
    return File(path, name, item.version, len(item.content), item.modified)

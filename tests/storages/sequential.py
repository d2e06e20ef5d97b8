"""A file system that can do no more than a Databricks Volume, and stops where a test wants it to."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from framework.storages.volumes import FileCalls

__all__ = ["SequentialCalls"]


class SequentialCalls(FileCalls):
    """Files are written from beginning to end, and a rename is a copy and a delete.

    `before` is called with each step's name before it is done; a rename has three. The copy appears
    at once, or bit by bit (`torn`).
    """

    def __init__(self, before: Callable[[str], object] = str, *, torn: bool = False) -> None:
        self._before = before
        self._torn = torn

    def makedirs(self, folder: str) -> None:
        self._before("makedirs")
        super().makedirs(folder)

    def create(self, path: str) -> BinaryIO:
        self._before("create")
        return _Sequential(super().create(path), self._before)  # type: ignore[return-value]  # no more is used

    def rename(self, source: str, destination: str) -> None:
        self._before("rename")
        appearing = destination if self._torn else f"{source}.copy"
        with open(source, "rb") as reading, open(appearing, "wb") as writing:
            content = reading.read()
            writing.write(content[: len(content) // 2])
            writing.flush()
            self._before("rename, half-way")
            writing.write(content[len(content) // 2 :])
        os.replace(appearing, destination)
        self._before("rename, copied")
        os.unlink(source)

    def unlink(self, path: str, folder: int | None = None) -> None:
        self._before("unlink")
        super().unlink(path, folder)


class _Sequential:
    """A file that takes bytes one after the other and nothing else."""

    def __init__(self, stream: BinaryIO, before: Callable[[str], object]) -> None:
        self._stream = stream
        self._before = before

    def write(self, chunk: bytes) -> None:
        self._before("write")
        self._stream.write(chunk[: len(chunk) // 2])
        self._stream.flush()
        self._before("write, half-way")
        self._stream.write(chunk[len(chunk) // 2 :])

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def __enter__(self) -> _Sequential:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

"""A sample: a file to learn from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import SEEK_END, BufferedReader, RawIOBase
from typing import BinaryIO

from framework.names import Limits
from framework.opening import Compression, unpacked

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """`name` is the file's own name, without folders; `opened` gives its bytes as they are stored."""

    name: str
    opened: Callable[[], RawIOBase]

    def stream(self) -> AbstractContextManager[BinaryIO]:
        """Its bytes, unpacked as its name says."""
        stream = BufferedReader(self.opened())
        size = stream.seek(0, SEEK_END)
        stream.seek(0)
        return unpacked(stream, Compression.of(self.name), size, Limits())

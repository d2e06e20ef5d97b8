"""A batch's files before their rows, and the records of those that are read together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from framework.engine import SourceFile
from framework.law.layout import Layout, Rejected
from framework.opening import Piece

__all__ = ["FileRead", "Frame"]


@dataclass(slots=True)
class FileRead:
    """How one file of the batch is read, why it is rejected, and its number of records."""

    piece: Piece
    rejected: str | None = None
    read: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.piece.layout, Rejected):
            self.rejected = self.piece.layout.reason

    @property
    def index(self) -> int:
        return self.piece.index

    @property
    def source(self) -> SourceFile:
        return self.piece.source

    @property
    def layout(self) -> Layout:
        """Of a file that is not rejected."""
        layout = self.piece.layout
        assert not isinstance(layout, Rejected)  # noqa: S101 (rejected files are asked nothing)
        return layout


@dataclass(frozen=True, slots=True)
class Frame:
    """The records of files of one layout. Every one has `_file` (the file's position in the batch), `_block` and
    `_line` (ascending in the file; `_line` is the number of its line, but for a first look), `_record` (its
    text), `_why` (why it is no record, or NULL), and its fields f0, f1, …"""

    layout: Layout
    data: Any

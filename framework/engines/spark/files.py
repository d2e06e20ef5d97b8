"""A batch's files before their rows, and the records of those that are read together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from framework import opening
from framework.law.layout import Layout

__all__ = ["FileRead", "Frame"]


@dataclass(slots=True)
class FileRead(opening.FileRead):
    """… and its number of records."""

    read: int = 0

    def bare_piece(self) -> opening.Piece:
        """How it was opened, for who is given its bytes."""
        return replace(self.piece, source=self.piece.source.bare(), header=None)


@dataclass(frozen=True, slots=True)
class Frame:
    """The records of files of one layout. Every one has `_file` (the file's position in the batch), `_block` and
    `_line` (ascending in the file; `_line` is the number of its line, but for a first look), `_record` (its
    text), `_why` (why it is no record, or NULL), and its fields f0, f1, …"""

    layout: Layout
    data: Any

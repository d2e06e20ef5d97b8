"""Opening: what must be known of a file before its records are read, the same for every engine.

    pieces                              a file with its layout, or the reason why it is rejected
    streams | kinds                     its bytes: fetched, unpacked, in which encoding · what is no text at all

Engines read what was opened here, and decide nothing about files by themselves.
"""

from framework.opening.pieces import BROKEN_FILE, Piece, Survey, grouped, open_beginning, open_piece
from framework.opening.streams import Compression, fetch_all, unreadable

__all__ = [
    "BROKEN_FILE",
    "Compression",
    "Piece",
    "Survey",
    "fetch_all",
    "grouped",
    "open_beginning",
    "open_piece",
    "unreadable",
]

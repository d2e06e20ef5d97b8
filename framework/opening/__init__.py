"""Opening: what must be known of a file before its records are read, the same for every engine.

    batches                             all files of a batch, opened once, with what an engine can do faster
    files                               a file's pieces, of which a .zip has several
    pieces | archives                   a file with its layout, or the reason why it is rejected · members of a .zip
    controls | streams | kinds          what the file beside it tells · its bytes: unpacked, in which encoding · what is
                                        no text at all
    sources                             where the bytes come from: opened in place by descriptor, or copied

Engines read what was opened here, and decide nothing about files by themselves.
"""

from framework.opening.archives import member_stream, members
from framework.opening.batches import Ways, open_batch
from framework.opening.files import open_file
from framework.opening.kinds import not_text
from framework.opening.pieces import BROKEN_FILE, FileRead, Piece, Survey, grouped, open_beginning, open_piece
from framework.opening.sources import GivenFile, SourceFile, stream_of
from framework.opening.streams import Compression, packed, unpacked, unreadable

__all__ = [
    "BROKEN_FILE",
    "Compression",
    "FileRead",
    "GivenFile",
    "Piece",
    "SourceFile",
    "Survey",
    "Ways",
    "grouped",
    "member_stream",
    "members",
    "not_text",
    "open_batch",
    "open_beginning",
    "open_file",
    "open_piece",
    "packed",
    "stream_of",
    "unpacked",
    "unreadable",
]

"""What every reader gives, and how bytes become text on the way."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from framework.feed import Feed
from framework.law.layout import Kind, Layout, Rejected
from framework.names import Limits

__all__ = [
    "AT_ONCE",
    "NOT_VALID",
    "BrokenFile",
    "Record",
    "RecordReader",
    "at_once",
    "decoded",
    "shown_raw",
    "too_long",
    "undecodable",
]

NOT_VALID = "a byte is not valid in the file's encoding (source.encoding)"
"""What is said of a record with such a byte."""
AT_ONCE = "more than a tenth of what limits.ratio allows, and that is held in memory at once"
"""What is said of a part of a file that is larger than `at_once` says."""
_KEPT = 1000
"""Characters that are kept of a record that is too long."""
_UNDECODABLE = re.compile("[\udc00-\udcff]")


@dataclass(frozen=True, slots=True)
class Record:
    """`line` counts physical lines (records, where the format has no lines) from 1; `fields` is None for a malformed
    record, `error` says why; `raw` is the record's text without its line end, undecodable bytes written as \\xNN. A
    record that is `no_row` has no fields and is left out: the header once more, a trailer, nothing but separators."""

    line: int
    fields: tuple[str | None, ...] | None
    raw: str
    error: str | None = None
    no_row: bool = False


class BrokenFile(Exception):
    """A file is damaged, of another kind than its reader's, or not what is told of it; the text is a sentence for the
    person who sent it."""


class RecordReader(Protocol):
    """The law of one format: what its files hold, from the first byte to the last.

    A reader keeps nothing between calls and takes all that it needs as arguments, so that it works on a stream of bytes
    in any thread or process. Both methods raise `BrokenFile` for a file that cannot be read to its end.
    """

    kind: Kind
    """What the fields of its records are: text, a JSON value, or the text of a value that has its type already. What
    belongs into nested columns is JSON text in any case."""
    signature: bytes | None
    """A regular expression for how files of the format begin, where they are no text in `source.encoding`; None where
    they are."""
    by_beginning: bool
    """Whether the beginning of a file tells its layout, so that no more of it need be opened."""

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        """The layout of a file, and the record that is its header (None without one). Raises UnicodeError when the
        header is broken."""
        ...

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        """The file's records, sound and broken ones, without its header. The fields of a sound one are those of the
        layout, in its order."""
        ...


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 (the handler is only used for decoding)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("landfeed-keep-bytes", _keep_bytes)


@contextmanager
def decoded(stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The stream's text, with its line ends as they are; `undecodable` tells bytes that are not in the encoding."""
    text = io.TextIOWrapper(stream, encoding=encoding, errors="landfeed-keep-bytes", newline="")
    try:
        yield text
    finally:
        text.detach()


def undecodable(raw: str) -> bool:
    """Whether some byte of the text is not in the file's encoding."""
    return not raw.isascii() and _UNDECODABLE.search(raw) is not None


def shown_raw(raw: str) -> str:
    """The text with such bytes as \\xNN."""
    return _UNDECODABLE.sub(lambda match: f"\\x{ord(match.group()) - 0xDC00:02x}", raw)


def too_long(beginning: str, length: int, longest: int) -> tuple[str, str]:
    """What is kept of a record of so many characters, and what is said of it."""
    raw = f"{shown_raw(beginning[:_KEPT])}… ({length} characters)"
    return raw, f"the record has {length} characters; it may have {longest} (limits.record)"


def at_once(limits: Limits, size: int) -> int:
    """How many bytes so many packed ones may become where a library unpacks them all at once: as many as two records
    may have, or a tenth of what a file may become."""
    return max(2 * limits.record, size * limits.ratio // 10)

"""Archives: the members of a .zip, each unpacked into a file of its own.

What an archive says of its members is a stranger's word. So what they come to is held against the limits before a byte
is unpacked, and no more bytes of a member are than it says that it has. Names of members name no files of this machine.
"""

from __future__ import annotations

import errno
import io
import lzma
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, BinaryIO

from framework.law.pathnames import captures
from framework.law.records import BrokenFile
from framework.machine import own_work
from framework.names import Limits, shown
from framework.opening.sources import SourceFile
from framework.opening.streams import Bounded, Compression

__all__ = ["Member", "member_stream", "members", "unpack"]

MOST = 10_000
"""Entries that an archive may list."""
_ENCRYPTED = 0x1
_PACKED = (".zip", ".gz", ".bz2", ".zst", ".7z", ".rar", ".tar", ".tgz", ".xz")
_DAMAGE = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What the library raises of archives that are damaged, or packed in a way that it does not know."""
_CHUNK, _SMALL_CHUNK = 1 << 20, 1 << 12
"""Bytes that are asked for at a time: few where the library gives all that so many packed bytes become."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name there, and its bytes before and after it was packed."""

    name: str
    size: int
    packed: int


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    with _complete(), zipfile.ZipFile(stream) as archive:
        yield archive


@contextmanager
def _complete() -> Iterator[None]:
    """Raises BrokenFile for what the library says of damage."""
    try:
        yield
    except _DAMAGE as error:
        raise BrokenFile(f"the file is not a complete zip file ({error})") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # it is the system that says so, and of something else
            raise
        why = error if error.errno is None else "something in it is said to be before its beginning"
        raise BrokenFile(f"the file is not a complete zip file ({why})") from error


def members(stream: BinaryIO, size: int, wanted: str | None, limits: Limits) -> list[Member]:
    """The files in a zip archive of so many bytes that match the pattern `wanted`, by name. Folders, links, and what
    systems put beside files (names that begin with a dot or an underscore), do not count. Raises BrokenFile where there
    is none, and for an archive that holds more than it may."""
    with _opened(stream) as archive:
        return [Member(e.filename, e.file_size, e.compress_size) for e in _entries(archive, size, wanted, limits)]


@contextmanager
def member_stream(stream: BinaryIO, name: str, size: int, limits: Limits) -> Iterator[BinaryIO]:
    """The bytes of a member of an archive of so many bytes. Raises BrokenFile, also while they are read."""
    with _opened_member(stream, name) as content:
        yield io.BufferedReader(Bounded(content, Compression.ZIP, *limits.most_unpacked(size)), _CHUNK)


def _opened_member(stream: BinaryIO, name: str) -> Any:
    with _complete():
        archive = zipfile.ZipFile(stream)
        reason = _refused(archive.getinfo(name))
        if reason is not None:
            raise BrokenFile(reason)
        return archive.open(name)


def unpack(source: SourceFile, wanted: str | None, folder: str) -> Iterator[tuple[SourceFile, str | None]]:
    """The same members as files of their own, which are unpacked into `folder`, and why one of them is rejected.
    Raises as `members` does, and SetAside, SourceChanged and MachineError."""
    with source.open() as stream, _opened(stream) as archive:
        for entry in _entries(archive, source.file.size, wanted, source.limits):
            member = source.file.member(entry.filename, entry.file_size)
            reason = _refused(entry)
            path = ""
            if reason is None:
                path, reason = _unpacked(archive, entry, folder)
            yield source.part(member, path, entry.compress_size, partial(unpack_one, entry.filename)), reason


def unpack_one(name: str, source: SourceFile, folder: str) -> str:
    """The path of a member that is unpacked into a folder, where `unpack` was called elsewhere. Raises as that does."""
    with source.open() as stream, _opened(stream) as archive:
        path, reason = _unpacked(archive, archive.getinfo(name), folder)
    if reason is not None:
        raise BrokenFile(reason)
    return path


def _entries(archive: zipfile.ZipFile, size: int, wanted: str | None, limits: Limits) -> Sequence[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MOST:
        raise BrokenFile(f"the zip archive lists {len(entries):,} entries; it may have {MOST:,}")
    files = [entry for entry in entries if not _is_beside(entry)]
    found = [entry for entry in files if wanted is None or captures(wanted, entry.filename) is not None]
    if not files:
        raise BrokenFile("the zip archive holds no file")
    if not found:
        raise BrokenFile(f"no file in the zip archive matches source.members ({wanted}); it holds {_listed(files)}")
    found.sort(key=lambda entry: entry.filename)
    for one, other in pairwise(found):
        if one.filename == other.filename:
            raise BrokenFile(f"the zip archive holds {_named(one)} twice")
    most, why = limits.most_unpacked(size)
    if sum(entry.file_size for entry in found) > most:
        raise BrokenFile(why)
    return found


def _is_beside(entry: zipfile.ZipInfo) -> bool:
    linked = stat.S_ISLNK(entry.external_attr >> 16)
    return entry.is_dir() or linked or any(part.startswith((".", "_")) for part in entry.filename.split("/"))


def _refused(entry: zipfile.ZipInfo) -> str | None:
    """Why a member is rejected unread; None for nearly all."""
    if entry.flag_bits & _ENCRYPTED:
        return f"{_named(entry)} in the zip archive is encrypted; send it without a password"
    if entry.filename.lower().endswith(_PACKED):
        return f"{_named(entry)} in the zip archive is an archive or a packed file itself"
    return None


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: str) -> tuple[str, str | None]:
    """The path of a member's bytes, or why it has none."""
    with own_work(folder):
        descriptor, path = tempfile.mkstemp(dir=folder)
    size = _CHUNK if entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else _SMALL_CHUNK
    try:
        with open(descriptor, "wb") as out, _complete(), archive.open(entry) as content:
            while chunk := content.read(size):
                with own_work(folder):
                    out.write(chunk)
    except BrokenFile as error:
        os.unlink(path)
        return "", f"{_named(entry)} in the zip archive cannot be unpacked: {error}"
    return path, None


def _listed(entries: Sequence[zipfile.ZipInfo]) -> str:
    return ", ".join(map(_named, entries[:4])) + (" …" if len(entries) > 4 else "")


def _named(entry: zipfile.ZipInfo) -> str:
    return repr(shown(entry.filename)[:80])

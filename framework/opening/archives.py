"""Archives: the one file that a .zip holds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from framework.law.records import BrokenFile
from framework.names import shown

__all__ = ["only_member"]

_ENCRYPTED = 0x1
_PACKED = (".zip", ".gz", ".bz2", ".zst", ".7z", ".rar", ".tar", ".tgz", ".xz")
_MOST = 10_000
"""Entries that an archive may list."""


@contextmanager
def only_member(stream: BinaryIO) -> Iterator[IO[bytes]]:
    """What the one file in a zip archive holds. Folders, and what systems put beside files (names that begin with a
    dot or an underscore), do not count. Raises BrokenFile where there is another number of them, or it cannot be
    unpacked."""
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise BrokenFile(f"the file is not a complete zip file ({error})") from error
    with archive:
        member = _only(archive)
        try:
            content = archive.open(member)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise BrokenFile(f"{_named(member)} in it cannot be unpacked ({error})") from error
        with content:
            yield content


def _only(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    entries = archive.infolist()
    if len(entries) > _MOST:
        raise BrokenFile(f"the zip archive lists {len(entries)} entries; it may have {_MOST}")
    files = [entry for entry in entries if not entry.is_dir() and not _is_beside(entry.filename)]
    if len(files) != 1:
        listed = ", ".join(map(_named, files[:4])) + (" …" if len(files) > 4 else "")
        holds = f"holds {len(files)} files ({listed})" if files else "holds no file"
        raise BrokenFile(f"the zip archive {holds}; one that holds one file is read, so pack each by itself")
    (member,) = files
    if member.flag_bits & _ENCRYPTED:
        raise BrokenFile(f"{_named(member)} in the zip archive is encrypted; send it without a password")
    if member.filename.lower().endswith(_PACKED):
        raise BrokenFile(f"{_named(member)} in the zip archive is an archive or a packed file itself")
    return member


def _is_beside(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _named(member: zipfile.ZipInfo) -> str:
    return repr(shown(member.filename)[:80])

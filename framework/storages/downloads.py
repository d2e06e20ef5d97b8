"""Where a downloaded file stands: a name of its own that every file system takes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from framework.names import File

__all__ = ["download_path", "written"]

_ENDING = re.compile(r"(\.[A-Za-z0-9]{1,12}){1,2}\Z")


def download_path(file: File, folder: str) -> str:
    """A path in `folder` for this version of a file; it keeps the ending (`.csv.gz`), which engines look at."""
    ending = _ENDING.search(file.name.rsplit("/", 1)[-1])
    digest = hashlib.sha256(repr(file.identity).encode("utf-8", "surrogateescape")).hexdigest()
    return os.path.join(folder, digest[:32] + (ending.group() if ending else ""))


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A stream whose bytes stand at `path` once the block has ended well, and nowhere otherwise."""
    descriptor, unfinished = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as stream:
            yield stream
        os.replace(unfinished, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
        raise

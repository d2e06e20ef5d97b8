"""The machine, when it lets Landfeed down: errors of the system, told apart by what was being done.

The same error means different things. A disk that is full while a copy is made says nothing of the file that is
copied; that a file cannot be read says nothing of what is in it. So neither rejects a file: the first one ends the
feed's turn, the second one sets the file aside.
"""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, TypeVar

from framework.errors import LandfeedError, MachineError, MissingDependency, SetAside

__all__ = [
    "library",
    "machine_error",
    "memory",
    "most_open_files",
    "open_more_files",
    "own_folder",
    "own_work",
    "read_error",
    "reading",
    "side_by_side",
]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_PREFIX = "landfeed-"
_MANY_FILES = 1 << 16
"""Files that a process may have open which never wants more."""
_STAYS = "files stay in landing and are loaded by the next run"


def library(name: str, extra: str) -> Any:
    """A package that only some feeds need, imported when it is. Raises MissingDependency."""
    try:
        return import_module(name)
    except ImportError as error:
        hint = f"pip install 'landfeed[{extra}]'"
        raise MissingDependency(f"format: {extra} needs the package {name.partition('.')[0]}", hint) from error


def machine_error(error: OSError, folder: str) -> MachineError:
    """What is said of an error of the system in work of Landfeed's own that writes to a folder."""
    folder = os.path.dirname(folder) if os.path.basename(folder).startswith(_PREFIX) else folder
    if error.errno in _FULL:
        return MachineError(
            f"the disk of {folder} is full", f"free space there, or let TMPDIR name a folder elsewhere; {_STAYS}"
        )
    if error.errno == errno.EFBIG:
        return MachineError(
            f"a file in {folder} would be larger than this process may write (ulimit -f)", f"raise the limit; {_STAYS}"
        )
    if error.errno in _DESCRIPTORS:
        return MachineError(
            "this process may open no more files (ulimit -n)", f"raise the limit, or take fewer --jobs; {_STAYS}"
        )
    if error.errno == errno.ENOMEM:
        return MachineError("the system has no more memory for this process", f"give it more memory; {_STAYS}")
    return MachineError(
        f"the folder {folder} cannot be written: {error.strerror or error}",
        f"give the runner the right to write there, or let TMPDIR name another folder; {_STAYS}",
    )


def memory() -> int:
    """Bytes of memory that this machine has, or the container that this process runs in."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError), open(path, encoding="ascii") as limit:
            found = min(found, int(limit.read()))
    return found


@contextmanager
def own_work(folder: str) -> Iterator[None]:
    """Work of Landfeed's own that writes to a folder. Raises MachineError."""
    try:
        yield
    except OSError as error:
        raise machine_error(error, folder) from error


@contextmanager
def own_folder() -> Iterator[str]:
    """A folder for files that are wanted for a while. Raises MachineError when there can be none."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    except OSError as error:
        raise machine_error(error, _temporary()) from error
    with folder as path:
        yield path


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # none of the usual folders can be written
        return os.environ.get("TMPDIR", "/tmp")  # noqa: S108


def read_error(error: OSError, path: str) -> LandfeedError:
    """What an error of the system means that came up while the file at a path, which landed, was read."""
    if error.errno in (*_DESCRIPTORS, errno.ENOMEM):  # then this process can read nothing at all
        return machine_error(error, path)
    return SetAside({path: f"the file cannot be read: {error.strerror}"})


@contextmanager
def reading(path: str) -> Iterator[None]:
    """The bytes of a file that landed are read, whatever they are. Raises what `read_error` says."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # said by a library of what it has read
            raise
        raise read_error(error, path) from error


def most_open_files() -> int:
    """How many files this process may have open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY_FILES if soft == resource.RLIM_INFINITY else soft


def open_more_files() -> None:
    """Let this process open as many files as the system allows: the limit that it begins with is for old programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # then it does with fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def side_by_side(call: Callable[[_Item], _Result], items: Sequence[_Item], most: int) -> list[_Result]:
    """What a call gives for each item, in their order, up to `most` at the same time; for one item no thread is
    started, which takes its time in a process that is busy."""
    if len(items) < 2:
        return [call(item) for item in items]
    with ThreadPoolExecutor(min(most, len(items))) as pool:
        return list(pool.map(call, items))

"""Ready: when a file is complete and may be read, by what its feed says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from framework.feed import ReadyWhen, Source
from framework.names import File

__all__ = ["FILE", "beside", "companion_of", "readiness"]

FILE = "{file}"
"""What stands for a file's name in a marker's."""


def readiness(source: Source, there: Iterable[File], now: int) -> Callable[[File], str | None]:
    """Why a file is not ready, None when it is; `there` are all files of the folder, `now` nanoseconds since 1970.

    A file waits for its control file. A marker counts when it is not older than its file: one that an earlier
    delivery of that name has left does not make the next one ready.
    """
    wanted, control = source.ready_when or ReadyWhen(), source.control
    marker, age = wanted.marker, wanted.min_age_seconds
    markers: Mapping[str, File] = {file.name: file for file in there} if marker or control else {}

    def why_not(file: File) -> str | None:
        if age is not None and now - file.modified < age * 1e9:
            return f"it has changed less than {age:g} s ago"
        if control is not None and (name := beside(file.name, control.file)) not in markers:
            return f"its control file {name} is not there"
        if marker is None:
            return None
        name = beside(file.name, marker)
        found = markers.get(name)
        if found is None:
            return f"its marker {name} is not there"
        return f"its marker {name} is older than it" if found.modified < file.modified else None

    return why_not


def beside(path: str, companion: str) -> str:
    """The path of a file's marker or control file."""
    folder, found, base = path.rpartition("/")
    return folder + found + companion.replace(FILE, base)


def companion_of(name: str, companion: str) -> str | None:
    """The name of the file that one of this name would be the companion of; None where the name is none of those."""
    folder, found, base = name.rpartition("/")
    before, _, behind = companion.partition(FILE)
    inner = len(base) - len(before) - len(behind)
    if inner <= 0 or not (base.startswith(before) and base.endswith(behind)):
        return None
    return folder + found + base[len(before) : len(before) + inner]

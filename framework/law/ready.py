"""Ready: when a file is complete and may be read, by what its feed says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from framework.feed import Source
from framework.names import File

__all__ = ["FILE", "readiness"]

FILE = "{file}"
"""What stands for a file's name in a marker's."""


def readiness(source: Source, there: Iterable[File], now: int) -> Callable[[File], str | None]:
    """Why a file is not ready, None when it is; `there` are all files of the folder, `now` nanoseconds since 1970.

    A marker counts when it is not older than its file: one that an earlier delivery of that name has left
    does not make the next one ready.
    """
    wanted = source.ready_when
    if wanted is None:
        return lambda _: None
    marker, age = wanted.marker, wanted.min_age_seconds
    markers: Mapping[str, File] = {file.name: file for file in there} if marker is not None else {}

    def why_not(file: File) -> str | None:
        if age is not None and now - file.modified < age * 1e9:
            return f"it has changed less than {age:g} s ago"
        if marker is None:
            return None
        name = marker_of(file, marker)
        found = markers.get(name)
        if found is None:
            return f"its marker {name} is not there"
        return f"its marker {name} is older than it" if found.modified < file.modified else None

    return why_not


def marker_of(file: File, marker: str) -> str:
    """The name of a file's marker, which stands beside it."""
    folder, found, base = file.name.rpartition("/")
    return folder + found + marker.replace(FILE, base)

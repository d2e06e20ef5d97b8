"""Patterns of paths: `files` with folders in it, as in `dt={day:yyyy-MM-dd}/*.csv`.

A pattern without `/` is about a file's name, in whatever folder the file lies. One with `/` is about its path below
the landing folder, folder by folder: nothing in it reaches over a `/`, so it says how deep its files lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.law import filenames

__all__ = ["almost", "captures", "has_folders", "may_meet", "mistakes", "name_of"]


def has_folders(pattern: str | None) -> bool:
    """Whether a pattern is about paths."""
    return pattern is not None and "/" in pattern


def captures(pattern: str, path: str) -> dict[str, str] | None:
    """As `filenames.captures`, of a path below the landing folder."""
    found: dict[str, str] = {}
    parts = _parts(pattern, path)
    for part, name in parts or ():
        some = filenames.captures(part, name)
        if some is None:
            return None
        found |= some
    return found if parts is not None else None


def almost(pattern: str, path: str) -> str | None:
    """As `filenames.almost`, where one folder or the name keeps a path from matching."""
    wrong = [part for part in _parts(pattern, path) or () if filenames.captures(*part) is None]
    return filenames.almost(*wrong[0]) if len(wrong) == 1 else None


def _parts(pattern: str, path: str) -> list[tuple[str, str]] | None:
    """The folders and the name of both, in pairs; None where they lie at different depths."""
    if not has_folders(pattern):
        return [(pattern, path.rsplit("/", 1)[-1])]
    parts, names = pattern.split("/"), path.split("/")
    return list(zip(parts, names, strict=True)) if len(parts) == len(names) else None


def may_meet(one: str | None, other: str | None) -> bool:
    """Whether some path below one folder matches both patterns (None matches every path)."""
    if has_folders(one) and has_folders(other):
        left, right = str(one).split("/"), str(other).split("/")
        return len(left) == len(right) and all(map(filenames.may_meet, left, right))
    return filenames.may_meet(name_of(one), name_of(other))


def name_of(pattern: str | None) -> str | None:
    """The part of a pattern that is about the file's own name."""
    return pattern.rsplit("/", 1)[-1] if pattern is not None else None


def mistakes(pattern: str) -> Iterator[tuple[str, str]]:
    """As `filenames.mistakes`."""
    if any("/" in inner for inner in re.findall(r"\{([^{}]*)\}", pattern)):
        yield "a capture reaches over a /", "capture each folder by itself, as in {year}/{month}/*.csv"
    elif not all(part.strip() and part not in (".", "..") for part in pattern.split("/")):
        yield "a folder in it has no name", 'write it as a path below source.path: "dt={day:yyyy-MM-dd}/*.csv"'
    yield from filenames.mistakes(pattern)

"""Places: folders that are written in several ways or lie inside each other, and the feeds that lie in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from framework.feed import Feed

__all__ = ["common_folder", "folders_above", "inside", "narrowed", "place"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(/.*)", re.DOTALL)


def place(path: str) -> str:
    """The folder in one spelling, with one `/` at its end: the scheme in lower case, a volume without `dbfs:`."""
    found = _SCHEME.fullmatch(path.strip())
    text = f"{found[1].lower()}:{found[2]}" if found else path.strip()
    volume = re.sub(r"^dbfs:/+(?=Volumes/)", "/", text)
    return volume.rstrip("/") + "/"


def inside(path: str, folder: str) -> bool:
    """Whether the path is the folder or lies below it."""
    return place(path).startswith(place(folder))


def folders_above(path: str) -> Iterator[str]:
    """Every folder that holds the path, deepest first, each with its `/`; a folder itself is the first."""
    at = path.rfind("/") + 1
    while at > 0:
        yield path[:at]
        at = path.rfind("/", 0, at - 1) + 1


def common_folder(paths: Iterable[str]) -> str | None:
    """The deepest folder that contains all the paths; None when they have not even a root in common."""
    parts = [place(path).split("/")[:-1] for path in paths]
    same = takewhile(lambda names: len(set(names)) == 1, zip(*parts, strict=False))
    shared = [names[0] for names in same]
    return "/".join(shared) + "/" if shared else None


def narrowed(feeds: Sequence[Feed], location: str | None) -> tuple[Feed, ...]:
    """The feeds whose files land at, above or below the location; all of them when there is no such feed, so that a
    location that says nothing never keeps work from being done."""
    if location is None:
        return tuple(feeds)
    there = [feed for feed in feeds if inside(feed.source.path, location) or inside(location, feed.source.path)]
    return tuple(there or feeds)

"""Discovery: which files in a landing folder are pending, in which order, and why others are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from framework.feed import Source
from framework.law.values import parse
from framework.names import File, Skipped, shown
from framework.types import Scalar

__all__ = ["Listing", "captures", "discover"]

_UNFINISHED = (".tmp", ".part", ".crdownload", "~")
_PIECE = re.compile(r"\*|\?|\{([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\}")
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """What a landing folder holds: `pending` in the order in which the files count."""

    pending: tuple[File, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Sentences about what was skipped and whoever runs the feed should hear of, at most as many as can be read."""
        told = [f"{shown(skip.file.name)}: skipped: {skip.reason}" for skip in self.skipped if skip.told]
        more = [f"{len(told) - _TOLD} more are skipped, see plan"] if len(told) > _TOLD else []
        return (*told[:_TOLD], *more)

    def without(self, unwanted: Callable[[File], bool], reason: str) -> Listing:
        """The listing with some pending files skipped for a reason."""
        skipped = tuple(Skipped(file, reason) for file in self.pending if unwanted(file))
        pending = tuple(file for file in self.pending if not unwanted(file))
        return Listing(pending, self.skipped + skipped)


def discover(source: Source, found: Iterable[File | Skipped]) -> Listing:
    """Which of the files in a landing folder are pending; some are skipped already by whoever listed them."""
    pending: list[File] = []
    skipped: list[Skipped] = []
    for file in found:
        if isinstance(file, Skipped):
            unwanted = _skip_reason(source, file.file)
            skipped.append(file if unwanted is None else Skipped(file.file, unwanted))
            continue
        reason = _skip_reason(source, file)
        if reason is None:
            pending.append(file)
        else:
            skipped.append(Skipped(file, reason))
    pending.sort(key=lambda file: _order(source, file))
    return Listing(tuple(pending), tuple(sorted(skipped, key=lambda skip: skip.file.name)))


def _skip_reason(source: Source, file: File) -> str | None:
    base = file.name.rsplit("/", 1)[-1]
    if any(part.startswith((".", "_")) for part in file.name.split("/")):
        return "the name begins with . or _"
    if base.endswith(_UNFINISHED):
        return "the name is that of an unfinished upload"
    if base and source.files is not None and captures(source.files, base) is None:
        return f"the name does not match {source.files}"
    return None


def _order(source: Source, file: File) -> tuple[object, ...]:
    match source.order_by:
        case "name":
            return (file.name,)
        case "modified":
            return (file.modified, file.name)
        case captured:
            found = captures(source.files or "*", file.name.rsplit("/", 1)[-1]) or {}
            return (found.get(captured, ""), file.name)


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> tuple[re.Pattern[str], tuple[tuple[str, str | None], ...]]:
    text, names, at = "", [], 0
    for piece in _PIECE.finditer(pattern):
        text += re.escape(pattern[at : piece.start()])
        if piece.group(1) is None:
            text += "[^/]*" if piece.group() == "*" else "[^/]"
        else:
            names.append((piece.group(1), piece.group(2)))
            text += f"(?P<{piece.group(1)}>[^/]+?)" if piece.group(2) is None else _dated(*piece.group(1, 2))
        at = piece.end()
    return re.compile(text + re.escape(pattern[at:]), re.DOTALL), tuple(names)


def _dated(name: str, date_pattern: str) -> str:
    """A capture with a date pattern takes as many characters as the pattern has."""
    return f"(?P<{name}>.{{{len(date_pattern.replace(chr(39), ''))}}})"


def captures(pattern: str, name: str) -> dict[str, str] | None:
    """What `{name}` and `{name:date pattern}` captured in a file name; dates as yyyy-MM-dd or
    yyyy-MM-dd HH:mm:ss, so that they sort. None when the name does not match."""
    matcher, names = _matcher(pattern)
    match = matcher.fullmatch(name)
    if match is None:
        return None
    found = {}
    for key, date_pattern in names:
        value = match.group(key)
        if date_pattern is not None:
            try:
                moment = parse(value, Scalar("timestamp"), formats=[date_pattern])
            except ValueError:
                return None
            timed = any(letter in date_pattern for letter in "Hhms")
            value = f"{moment:%Y-%m-%d %H:%M:%S}" if timed else f"{moment:%Y-%m-%d}"
        found[key] = value
    return found

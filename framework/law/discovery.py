"""Discovery: which files in a landing folder are pending, in which order, and why others are not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from framework.feed import Source
from framework.law.filenames import captures_in
from framework.law.pathnames import almost, captures
from framework.law.ready import companion_of, readiness
from framework.names import File, Skipped, shown

__all__ = ["Listing", "captures", "discover"]

_UNFINISHED = (".tmp", ".part", ".crdownload", "~")
_COMPANIONS = (".done", ".ok", ".ctl", ".trg", ".md5", ".sha256", ".crc")
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """What a landing folder holds: `pending` in the order in which the files count."""

    pending: tuple[File, ...]
    skipped: tuple[Skipped, ...] = ()
    order: str = "name"
    """What they are ordered by, as a text."""

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
        return replace(self, pending=pending, skipped=self.skipped + skipped)


def discover(source: Source, found: Iterable[File | Skipped], now: int = 0) -> Listing:
    """Which of the files in a landing folder are pending; some are skipped already by whoever listed them.

    `now`, in nanoseconds since 1970, is asked for by a feed whose files must have an age.
    """
    found = tuple(found)
    files = [item for item in found if isinstance(item, File)]
    why_not, names = readiness(source, files, now), {file.name for file in files}
    pending: list[File] = []
    skipped: list[Skipped] = []
    for item in found:
        file = item.file if isinstance(item, Skipped) else item
        passed_over = _control_file(source, file, names) or _passed_over(source, file)
        if passed_over is not None:
            skipped.append(passed_over)
        elif isinstance(item, Skipped):
            skipped.append(item)
        elif (unready := why_not(item)) is not None:
            skipped.append(Skipped(item, f"it is not ready: {unready}", told=True))
        else:
            pending.append(item)
    order, ordered = _ordered(source, pending)
    return Listing(tuple(ordered), tuple(sorted(skipped, key=lambda skip: skip.file.name)), order)


def _passed_over(source: Source, file: File) -> Skipped | None:
    """The file as skipped if its name says so. A folder, whose name ends with /, need not match the pattern."""
    base = file.name.rsplit("/", 1)[-1]
    if any(part.startswith((".", "_")) for part in file.name.split("/")):
        return Skipped(file, "the name begins with . or _")
    if base.endswith(_UNFINISHED):
        return Skipped(file, "the name is that of an unfinished upload")
    if source.files is None and base.lower().endswith(_COMPANIONS):
        return Skipped(file, "the name is that of a companion; name it in `files` if it is data")
    if base and source.files is not None and captures(source.files, file.name) is None:
        but = almost(source.files, file.name)
        reason = f"the name does not match {source.files}"
        return Skipped(file, f"{reason}, but for its {but} it would" if but else reason, told=but is not None)
    return None


def _control_file(source: Source, file: File, names: Collection[str]) -> Skipped | None:
    """The file as skipped if it is the control file of one that is there, or of one that `files` is about."""
    of = companion_of(file.name, source.control.file) if source.control is not None else None
    if of is None:
        return None
    wanted = source.files is not None and captures(source.files, of) is not None
    return Skipped(file, f"it is the control file of {of}") if of in names or wanted else None


def _ordered(source: Source, files: Sequence[File]) -> tuple[str, list[File]]:
    """The files in the order in which they count, and how that is called.

    A capture orders as a number where it is one in every file, as text otherwise; equal ones by name.
    """
    match source.order_by:
        case "name":
            return "name", sorted(files, key=lambda file: file.name)
        case "modified":
            return "modified", sorted(files, key=lambda file: (file.modified, file.name))
        case name:
            pattern = source.files or "*"
            found = [(captures(pattern, file.name) or {}).get(name, "") for file in files]
            dated = any(capture.name == name and capture.date_pattern for capture in captures_in(pattern))
            if not dated and all(text.isascii() and text.isdigit() for text in found):
                keyed = sorted((int(text), file.name, file) for text, file in zip(found, files, strict=True))
                return f"{name}, as numbers", [file for *_, file in keyed]
            texts = sorted((text, file.name, file) for text, file in zip(found, files, strict=True))
            return name if dated else f"{name}, as text", [file for *_, file in texts]

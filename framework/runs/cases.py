"""Cases: what a feed should make of files, and how it ended when that was tried.

A case is the folder `tests/<feed>/<case>/`:

    incoming/…                files that land together; or day1/…, day2/…, which land and are run one after the other
    target.csv                rows that the target has before (optional)
    <schema.table>.csv        rows of a table into which `exists_in` looks
    expected.csv              its rows afterwards, in the columns that it names
    expected_quarantine.csv   bad rows; without it there may be none
    expected_rejected.csv     files that are rejected, and what ends a run; without it nothing may be
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.sheets import Difference, Sheet, read_sheet

__all__ = ["Case", "Result", "days_of", "find_cases", "read"]

_DAY = re.compile(r"day([0-9]+)")


@dataclass(frozen=True, slots=True)
class Case:
    feed: Feed
    name: str
    folder: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a case ended: by sheet (the name of its file) what differs, or `error`; `updated` are sheets that were
    written."""

    feed: str
    case: str
    seconds: float
    differences: Mapping[str, Difference] = field(default_factory=dict)
    error: str | None = None
    hint: str | None = None
    updated: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.error is None and not self.differences

    @property
    def told(self) -> Iterator[str]:
        """What is wrong, in lines."""
        if self.error is not None:
            yield f"error: {self.error}"
        if self.hint is not None:
            yield f"hint: {self.hint}"
        for sheet, difference in self.differences.items():
            first, *lines = difference.told
            yield f"{sheet}: {first}"
            yield from lines

    def as_dict(self) -> dict[str, Any]:
        differences = {sheet: difference.as_dict() for sheet, difference in self.differences.items()}
        about = asdict(replace(self, differences={})) | {"differences": differences, "updated": list(self.updated)}
        return about | {"seconds": round(self.seconds, 3), "passed": self.passed}


def find_cases(folder: str, feeds: Sequence[Feed], only: str | None = None) -> list[Case]:
    """The cases of these feeds below a folder, in the order of their names; `only` those of a name."""
    found = []
    for feed in feeds:
        of_feed = os.path.join(folder, feed.name)
        names = sorted(os.listdir(of_feed)) if os.path.isdir(of_feed) else []
        for name in names:
            path = os.path.join(of_feed, name)
            if only in (None, name) and not name.startswith(".") and os.path.isdir(path):
                found.append(Case(feed, name, path))
    return found


def days_of(case: Case) -> list[str]:
    """The folders whose files land together, in order."""
    names = [name for name in os.listdir(case.folder) if os.path.isdir(os.path.join(case.folder, name))]
    days = sorted((name for name in names if _DAY.fullmatch(name)), key=lambda name: int(name[3:]))
    found = [name for name in ("incoming", *days) if name in names]
    if not found:
        raise LandfeedError(
            f"{case.folder} has no files to load", "put them into incoming/, or into day1/, day2/, …", code="case"
        )
    return [os.path.join(case.folder, name) for name in found]


def read(case: Case, name: str) -> Sheet | None:
    """A sheet of the case, by the name of its file; None where there is none. Raises LandfeedError."""
    path = os.path.join(case.folder, name)
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        try:
            return read_sheet(file.read())
        except ValueError as error:
            raise LandfeedError(f"{path}: {error}", code="case") from error

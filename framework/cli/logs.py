"""Logs: whether a line for people is shown on stderr, and how: as it is, with the time and the id of the run, or as a
JSON document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

__all__ = ["LOG", "Level", "Log"]


class Level(IntEnum):
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


_BY_BEGINNING = {
    "error:": Level.ERROR,
    "hint:": Level.WARNING,
    "warning:": Level.WARNING,
    "failed:": Level.WARNING,
    "rejected:": Level.WARNING,
    "expected:": Level.WARNING,
}
_CUT = ("error: ", "warning: ")
"""Beginnings that a document says as its level."""


@dataclass(slots=True)
class Log:
    """What the options say: lines of at least this level, as documents or texts, of the run with this id (empty where
    there is none)."""

    as_json: bool = False
    least: Level = Level.INFO
    run_id: str = ""

    def begin(self, *, as_json: bool, quiet: bool, verbose: bool) -> None:
        """Lines are from now on as the options of a command say."""
        self.as_json, self.run_id = as_json, ""
        self.least = Level.WARNING if quiet else Level.DEBUG if verbose else Level.INFO

    @property
    def is_plain(self) -> bool:
        """Whether lines are shown as they are, and something may be shown between them."""
        return not self.as_json and self.least is Level.INFO

    def line(self, text: str, level: Level | None = None) -> str | None:
        """The line as it is shown, None for one that is not. Without a level its beginning tells it."""
        level = level or _level(text)
        if level < self.least or (not text.strip() and not self.is_plain):
            return None
        if self.is_plain or (not self.as_json and self.least > Level.DEBUG):
            return text
        now = datetime.now(UTC)
        if not self.as_json:
            return f"{now:%Y-%m-%d %H:%M:%S} {self.run_id or '-'} {text}"
        message = text.strip()
        for beginning in _CUT:
            message = message.removeprefix(beginning)
        at = now.isoformat(timespec="milliseconds")
        run = self.run_id or None
        return json.dumps({"at": at, "level": level.name.lower(), "run_id": run, "message": message})


def _level(text: str) -> Level:
    return _BY_BEGINNING.get(text.strip().partition(" ")[0], Level.INFO)


LOG = Log()
"""That of the command at hand."""

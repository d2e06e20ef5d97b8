"""Events: what `landfeed watch` tells while it runs, in the shapes that `--output json` prints, one a line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from framework.names import File
from framework.report import FeedReport

__all__ = ["Ended", "Event", "Missing", "Notice", "Seen", "Started", "Stopped", "Stopping"]


@dataclass(frozen=True, slots=True)
class Started:
    run_id: str
    feeds: tuple[str, ...]
    quiet_seconds: float
    interval_seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {"event": "started", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Seen:
    """Files that were not there before. They are loaded when they are quiet."""

    feed: str
    files: tuple[File, ...]

    def as_dict(self) -> dict[str, Any]:
        files = [{"file": file.shown, "size": file.size} for file in self.files]
        return {"event": "seen", "feed": self.feed, "files": files}


@dataclass(frozen=True, slots=True)
class Missing:
    """A landing folder that is not there; told once, until it comes and goes again."""

    feed: str
    folder: str

    def as_dict(self) -> dict[str, Any]:
        return {"event": "missing", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Ended:
    """A feed has run; after a failure or when it was busy, it is tried again after `retry_seconds`."""

    report: FeedReport
    retry_seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        about = {"event": str(self.report.status), "feed": self.report.feed, "retry_seconds": self.retry_seconds}
        return about | {"report": self.report.as_dict()}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the person who runs this should know; nothing has failed."""

    message: str
    hint: str

    def as_dict(self) -> dict[str, Any]:
        return {"event": "notice", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Stopping:
    """Asked to stop; these feeds finish the batch that they are at."""

    working: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"event": "stopping", "working": list(self.working)}


@dataclass(frozen=True, slots=True)
class Stopped:
    exit_code: int

    def as_dict(self) -> dict[str, Any]:
        return {"event": "stopped", **asdict(self)}


Event: TypeAlias = Started | Seen | Missing | Ended | Notice | Stopping | Stopped

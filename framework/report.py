"""Report: what a run did, in the shape that `--output json` prints (contract section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from framework.batch import Checked
from framework.errors import Failure
from framework.law.verdict import most_frequent
from framework.names import Reason, Rows, SchemaChange, Status

__all__ = ["FeedReport", "FileReport", "RunReport", "StepReport", "rejection"]

_EXIT_CODES = {Status.FAILED: 1, Status.REJECTED: 3}
_SEVERITY = list(Status)


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file of a batch; `status` is archived, rejected, pending, merged or failed."""

    file: str
    status: str
    rows_read: int
    moved_to: str | None = None
    reason: str | None = None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"warnings": list(self.warnings), "reasons": [asdict(each) for each in self.reasons]}


def rejection(files: Sequence[tuple[str, str | None]]) -> str:
    """A sentence about rejected files, of which there is one, by their paths and why: the first one in full."""
    (path, reason), *others = files
    more = f", and {len(others):,} more file{'s' if len(others) > 1 else ''}" if others else ""
    return f"{path.rsplit('/', 1)[-1]} was rejected: {reason}{more}"


@dataclass(frozen=True, slots=True)
class StepReport:
    """A task of a batch (stage, merge, archive): when it began, in UTC, and how many seconds it took."""

    task: str
    started_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class FeedReport:
    """One feed in a run. A feed that worked on several batches sums their figures. `schema_lines` is the YAML of the
    columns that files have brought to the target and the schema does not have, `hints` are questions that bad values
    raise. It was worked on from `started_at` (UTC, None: not at all) for as long as `took` (seconds); `steps` and
    `checks` are those of all its batches."""

    feed: str
    status: Status
    batch_id: str | None = None
    rows: Rows = Rows()
    files: tuple[FileReport, ...] = ()
    table: str | None = None
    target_version: int | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"stage": 0.0, "merge": 0.0, "archive": 0.0})
    warnings: tuple[str, ...] = ()
    error: Failure | None = None
    schema_changes: tuple[SchemaChange, ...] = ()
    schema_lines: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    started_at: datetime | None = None
    took: float = 0.0
    steps: tuple[StepReport, ...] = ()
    checks: tuple[Checked, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why rows of any file are bad, the most frequent reasons first."""
        return most_frequent(reason for file in self.files for reason in file.reasons)

    def as_dict(self) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "status": str(self.status),
            "batch_id": self.batch_id,
            "rows": asdict(self.rows),
            "files": [file.as_dict() for file in self.files],
            "target": {"table": self.table, "version": self.target_version},
            "seconds": {step: round(seconds, 3) for step, seconds in self.seconds.items()},
            "reasons": [asdict(reason) for reason in self.reasons],
            "schema_changes": [change.as_dict() for change in self.schema_changes],
            "schema_lines": list(self.schema_lines),
            "warnings": list(self.warnings),
            "hints": list(self.hints),
            "error": asdict(self.error) if self.error else None,
        }


@dataclass(frozen=True, slots=True)
class RunReport:
    """`signal` is the number of the signal that stopped the run between two batches, None when it came to its end;
    `started_at` is in UTC."""

    run_id: str
    engine: str
    seconds: float
    feeds: tuple[FeedReport, ...] = ()
    signal: int | None = None
    command: str = "run"
    environment: str = ""
    started_at: datetime = datetime.fromtimestamp(0, UTC)

    @property
    def status(self) -> Status:
        """The worst status of any feed; all busy or idle feeds leave a successful run successful."""
        return max((feed.status for feed in self.feeds), key=_SEVERITY.index, default=Status.NOTHING_TO_DO)

    @property
    def exit_code(self) -> int:
        return _EXIT_CODES.get(self.status, 0) if self.signal is None else 128 + self.signal

    def as_dict(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "command": self.command,
            "environment": self.environment,
            "started_at": self.started_at.isoformat(),
            "status": str(self.status),
            "exit_code": self.exit_code,
            "engine": self.engine,
            "seconds": round(self.seconds, 3),
            "feeds": [feed.as_dict() for feed in self.feeds],
        }

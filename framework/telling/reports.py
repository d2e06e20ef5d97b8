"""Reports: a JSON document of every run in a folder, as `--output json` prints it, and the newest as latest.json.

The documents follow `report.schema.json` of the package, which later versions only add to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from framework.errors import ConfigError, LandfeedError
from framework.report import RunReport
from framework.storage import Storage

__all__ = ["LATEST", "failure_document", "report_name", "report_schema", "write_report"]

LATEST = "latest.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def report_schema() -> str:
    """The JSON Schema (draft 2020-12) of a report as text."""
    return resources.files("framework").joinpath("schemas/report.schema.json").read_text("utf-8")


def failure_document(run: RunReport, error: LandfeedError) -> dict[str, Any]:
    """The report of a run that ended before it had one: nothing of its feeds, and the error."""
    code = 2 if isinstance(error, ConfigError) else 1
    document = run.as_dict() | {"status": "failed", "exit_code": code, "error": asdict(error.failure)}
    if isinstance(error, ConfigError):
        document |= {"problems": [asdict(problem) for problem in error.problems]}
    return document


def report_name(document: Mapping[str, Any]) -> str:
    """Where a report stands below the folder: by day, then by time, run and command."""
    at = datetime.fromisoformat(document["started_at"]).astimezone(UTC)
    run = _UNSAFE.sub("-", document["run_id"])[:64]
    return f"{at:%Y-%m-%d}/{at:%H%M%S.%f}-{run}-{document['command']}.json"


def write_report(document: Mapping[str, Any], folder: str, storage: Storage, hide: Callable[[str], str]) -> None:
    """Write a report and latest.json; `hide` takes secrets out of the text. Raises StorageError."""
    text = hide(json.dumps(document, indent=2, ensure_ascii=True)) + "\n"
    storage.write(folder + report_name(document), text.encode())
    storage.write(folder + LATEST, text.encode())

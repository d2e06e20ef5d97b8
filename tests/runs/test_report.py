"""What a run tells at its end, from what each feed told: status, exit code, sums, the shape of the document."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from framework.errors import Failure
from framework.names import ChangeKind, Reason, Rows, SchemaChange, Status
from framework.report import FeedReport, FileReport, RunReport

IDLE, GOOD, BUSY, REJECTED, FAILED = Status


def run(*statuses: Status, signal: int | None = None) -> RunReport:
    return RunReport("r", "embedded", 1.23456, tuple(FeedReport(f"f{n}", s) for n, s in enumerate(statuses)), signal)


@pytest.mark.parametrize(
    ("statuses", "status", "code"),
    [
        ((), IDLE, 0),
        ((IDLE,), IDLE, 0),
        ((GOOD,), GOOD, 0),
        ((BUSY,), BUSY, 0),
        ((REJECTED,), REJECTED, 3),
        ((FAILED,), FAILED, 1),
        ((IDLE, GOOD), GOOD, 0),
        ((GOOD, BUSY), BUSY, 0),
        ((BUSY, REJECTED), REJECTED, 3),
        ((REJECTED, FAILED), FAILED, 1),
        ((IDLE, GOOD, BUSY, REJECTED, FAILED), FAILED, 1),
    ],
)
def test_a_run_is_as_bad_as_its_worst_feed(statuses: tuple[Status, ...], status: Status, code: int) -> None:
    for order in itertools.islice(itertools.permutations(statuses), 24):
        assert (run(*order).status, run(*order).exit_code) == (status, code)


@pytest.mark.parametrize("status", Status)
def test_a_run_that_a_signal_stopped_ends_as_the_signal_says(status: Status) -> None:
    assert run(status, signal=15).exit_code == 143
    assert run(status, signal=2).exit_code == 130


def test_the_document() -> None:
    bad = Reason("bad_value", "id", 3, "x", 7, "not an int")
    more = replace(bad, rows=2, line=2)
    one = FileReport("/l/1", "archived", 5, "/a/1", None, (bad,), ("it has no column note",))
    other = FileReport(
        "/l/2", "rejected", 0, None, "it is empty", (more, Reason("null_key", "id", 1, None, 9, "no key"))
    )
    rows = Rows(*range(1, 11))
    change = SchemaChange("/l/1", ChangeKind.MISSING_COLUMN, "note", "string", None, "set_null")
    told = FeedReport("f", REJECTED, "b", rows, (one, other), "s.t", 4, {"stage": 0.12345}, ("w",), Failure("c", "m"))
    told = replace(told, schema_changes=(change,))
    started = datetime(2026, 1, 31, 12, tzinfo=UTC)
    report = RunReport("r", "spark", 9.8765, (told,), None, "stage", "prod", started)
    reason = {"code": "bad_value", "column": "id", "rows": 3, "value": "x", "line": 7, "message": "not an int"}
    null = {"code": "null_key", "column": "id", "rows": 1, "value": None, "line": 9, "message": "no key"}
    file = {"status": "archived", "rows_read": 5, "moved_to": "/a/1", "reason": None}
    rejected = {"status": "rejected", "rows_read": 0, "moved_to": None, "reason": "it is empty"}
    assert json.loads(json.dumps(report.as_dict())) == {
        "run_id": "r",
        "command": "stage",
        "environment": "prod",
        "started_at": "2026-01-31T12:00:00+00:00",
        "status": "rejected",
        "exit_code": 3,
        "engine": "spark",
        "seconds": 9.877,
        "feeds": [
            {
                "feed": "f",
                "status": "rejected",
                "batch_id": "b",
                "rows": {
                    "read": 1, "staged": 2, "quarantined": 3, "filtered": 4, "deduplicated": 5,
                    "inserted": 6, "updated": 7, "deleted": 8, "unchanged": 9, "stale": 10,
                },
                "files": [
                    {"file": "/l/1", **file, "reasons": [reason], "warnings": ["it has no column note"]},
                    {"file": "/l/2", **rejected, "reasons": [reason | {"rows": 2, "line": 2}, null], "warnings": []},
                ],
                "target": {"table": "s.t", "version": 4},
                "seconds": {"stage": 0.123},
                "reasons": [reason | {"rows": 5}, null],
                "schema_changes": [
                    {"file": "/l/1", "kind": "missing_column", "column": "note",
                     "from": "string", "to": None, "action": "set_null"},
                ],
                "schema_lines": [],
                "warnings": ["w"],
                "hints": [],
                "error": {"code": "c", "message": "m", "hint": None},
            }
        ],
    }  # fmt: skip


def test_the_document_of_a_feed_of_which_nothing_is_to_tell() -> None:
    assert FeedReport("f", IDLE).as_dict() == {
        "feed": "f",
        "status": "nothing_to_do",
        "batch_id": None,
        "rows": {
            "read": 0, "staged": 0, "quarantined": 0, "filtered": 0, "deduplicated": 0,
            "inserted": 0, "updated": 0, "deleted": 0, "unchanged": 0, "stale": 0,
        },
        "files": [],
        "target": {"table": None, "version": None},
        "seconds": {"stage": 0.0, "merge": 0.0, "archive": 0.0},
        "reasons": [],
        "schema_changes": [],
        "schema_lines": [],
        "warnings": [],
        "hints": [],
        "error": None,
    }  # fmt: skip

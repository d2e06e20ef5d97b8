"""Explain: the second interpreter of a plan, as plain data and as text. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, assert_never

from framework.feed import Feed
from framework.law.discovery import Listing
from framework.plan.compile import Plan
from framework.steps import Abandon, AddColumns, Archive, CreateTable, Discard, Merge, Stage, Step

__all__ = ["SqlOf", "explain", "explain_text"]

SqlOf = Callable[[Feed, Stage | Merge], str | None]
"""Gives the SQL of a step as the engine would run it, None when no engine was asked."""


def explain(plan: Plan, listing: Listing, sql: SqlOf) -> dict[str, Any]:
    """The plan in the shape of `plan --output json`."""
    return {
        "feed": plan.feed.name,
        "files": [
            {"file": file.shown, "size": file.size, "status": "pending", "reason": None} for file in listing.pending
        ]
        + [
            {"file": skipped.file.shown, "size": skipped.file.size, "status": "skipped", "reason": skipped.reason}
            for skipped in listing.skipped
        ],
        "steps": [entry for step in plan.steps for entry in _entries(step, sql)],
    }


def _entries(step: Step, sql: SqlOf) -> Iterator[dict[str, Any]]:
    match step:
        case Stage(feed, batch):
            files = [file.shown for file in batch.files]
            staging = feed.target.staging.name
            yield {"kind": "stage", "table": staging, "batch_id": batch.id, "files": files, "sql": sql(feed, step)}
        case Merge(feed, batch):
            keys, table = list(feed.target.keys), feed.target.table.name
            yield {"kind": "merge", "table": table, "batch_id": batch.id, "keys": keys, "sql": sql(feed, step)}
        case Archive(feed, batch):
            files = [file.shown for file in batch.files]
            yield {"kind": "archive", "to": feed.archive.path, "batch_id": batch.id, "files": files, "sql": None}
        case CreateTable(table, columns):
            listed = [{"name": column.name, "type": str(column.type)} for column in columns]
            ddl = ", ".join(f"{column.name} {column.type}" for column in columns)
            yield {
                "kind": "create_table",
                "table": table.name,
                "columns": listed,
                "sql": f"CREATE TABLE {table} ({ddl}) USING DELTA",
            }
        case AddColumns(table, columns):
            for column in columns:
                yield {
                    "kind": "add_column",
                    "table": table.name,
                    "column": column.name,
                    "type": str(column.type),
                    "sql": f"ALTER TABLE {table} ADD COLUMN {column.name} {column.type}",
                }
        case Abandon(_, manifest):
            yield {"kind": "abandon", "batch_id": manifest.batch_id, "sql": None}
        case Discard(table, _, batch_id):
            yield {"kind": "discard", "table": table.name, "batch_id": batch_id, "sql": None}
        case _:
            assert_never(step)


def explain_text(document: dict[str, Any]) -> Iterator[str]:
    """The lines that `plan` prints for one feed, from what `explain` returns."""
    yield f"{document['feed']}"
    for file in document["files"]:
        yield f"  {file['status']:<8} {file['file']}" + (f"  ({file['reason']})" if file["reason"] else "")
    if document["error"]:
        yield f"  error: {document['error']['message']}"
        if document["error"]["hint"]:
            yield f"  hint: {document['error']['hint']}"
    elif not document["steps"]:
        yield "  nothing to do"
    for step in document["steps"]:
        where = step.get("table") or step.get("to") or step["batch_id"]
        what = f" {step['column']} {step['type']}" if step["kind"] == "add_column" else ""
        count = f" ({len(step['files'])} files)" if "files" in step else ""
        yield f"  {step['kind']:<13}{where}{what}{count}"
        for line in (step["sql"] or "").splitlines():
            yield f"      {line}"

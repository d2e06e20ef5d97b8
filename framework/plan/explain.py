"""Explain: the second interpreter of a plan, as plain data and as text. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from framework.law.discovery import Listing
from framework.law.members import grows, new_members
from framework.names import START_AT, Table
from framework.plan.compile import Plan
from framework.steps import (
    Abandon,
    AddColumns,
    Archive,
    CreateTable,
    Discard,
    Merge,
    Stage,
    Step,
    TableColumn,
    WidenColumns,
)
from framework.types import parse_type

__all__ = ["SqlOf", "explain", "explain_text"]

SqlOf = Callable[[Stage | Merge], str]
"""Gives the SQL of a step as the engine would run it."""
_NAMED = 3
"""Files, and columns of a table, of which there are more are counted."""


def explain(
    plan: Plan,
    listing: Listing,
    sql: SqlOf | None = None,
    to_rewrite: Callable[[WidenColumns], int | None] = lambda _: None,
) -> dict[str, Any]:
    """The plan in the shape of `plan --output json`; without `sql` every step's SQL is None, which takes far less
    time for a feed of many columns. `to_rewrite` tells the bytes that a step writes anew."""
    steps = [entry for step in plan.steps for entry in _entries(step, sql or (lambda *_: ""), to_rewrite)]
    return {
        "feed": plan.feed.name,
        "files": [
            {"file": file.shown, "size": file.size, "status": "pending", "reason": None} for file in listing.pending
        ]
        + [
            {"file": skipped.file.shown, "size": skipped.file.size, "status": "skipped", "reason": skipped.reason}
            for skipped in listing.skipped
        ],
        "order": listing.order,
        "steps": [entry | {"sql": entry["sql"] if sql else None} for entry in steps],
    }


def _entries(step: Step, sql: SqlOf, to_rewrite: Callable[[WidenColumns], int | None]) -> Iterator[dict[str, Any]]:
    match step:
        case Stage(feed, batch):
            files = [file.shown for file in batch.files]
            staging = feed.target.staging.name
            yield {"kind": "stage", "table": staging, "batch_id": batch.id, "files": files, "sql": sql(step)}
        case Merge(change, _, table, batch):
            keys = [key for key in change.match.keys if key != START_AT] if change.match else []
            yield {"kind": "merge", "table": table.name, "batch_id": batch.id, "keys": keys, "sql": sql(step)}
        case Archive(feed, batch):
            files = [file.shown for file in batch.files]
            yield {"kind": "archive", "to": feed.archive.path, "batch_id": batch.id, "files": files, "sql": None}
        case CreateTable(table, columns, partition_by=partition_by, cluster_by=cluster_by):
            listed = [{"name": column.name, "type": str(column.type)} for column in columns]
            ddl = ", ".join(f"{column.name} {column.type}" for column in columns)
            statement = f"CREATE TABLE {table} ({ddl}) USING DELTA"
            statement += f" PARTITIONED BY ({', '.join(partition_by)})" if partition_by else ""
            statement += f" CLUSTER BY ({', '.join(cluster_by)})" if cluster_by else ""
            yield {"kind": "create_table", "table": table.name, "columns": listed, "sql": statement}
        case AddColumns(table, columns):
            for column in columns:
                statement = f"ALTER TABLE {table} ADD COLUMN {column.name} {column.type}"
                entry = {"kind": "add_column", "table": table.name, "column": column.name, "type": str(column.type)}
                yield entry | {"sql": statement}
        case WidenColumns(table, columns, were):
            for column, was in zip(columns, were, strict=True):
                told = {"column": column.name, "from": was, "to": str(column.type), "bytes": to_rewrite(step)}
                yield {"kind": "widen_column", "table": table.name, **told, "sql": _altered(table, column, was)}
        case Abandon(_, manifest, reason):
            yield {"kind": "abandon", "batch_id": manifest.batch_id, "reason": reason, "sql": None}
        case Discard(table, _, batch_id):
            yield {"kind": "discard", "table": table.name, "batch_id": batch_id, "sql": None}
        case _:
            assert_never(step)


def _altered(table: Table, column: TableColumn, was: str) -> str:
    """What gives a column another type."""
    if not grows(was, column.type):
        return f"ALTER TABLE {table} ALTER COLUMN {column.name} TYPE {column.type}"
    new = [f"{'.'.join((column.name, *at))} {type_}" for at, type_, _ in new_members(parse_type(was), column.type)]
    return f"ALTER TABLE {table} ADD COLUMNS ({', '.join(new)})"


def explain_text(document: dict[str, Any], folder: str) -> Iterator[str]:
    """The lines that `plan` prints for one feed, from what `explain` returns; files are named as they are called
    in the landing `folder`."""
    yield f"{document['feed']}"
    if document.get("order", "name") not in ("name", "modified"):
        yield f"  files in the order of {document['order']}"
    pending = [file for file in document["files"] if file["status"] == "pending"]
    if pending:
        size = sum(file["size"] for file in pending)
        yield f"  {len(pending):,} pending ({size:,} bytes): {_named(pending, folder)}"
    reasons: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in document["files"]:
        if file["status"] == "skipped":
            reasons[file["reason"]].append(file)
    for reason, files in reasons.items():
        yield f"  {len(files):,} skipped, {reason}: {_named(files, folder)}"
    for warning in document["warnings"]:
        yield f"  warning: {warning}"
    if document["error"]:
        yield f"  error: {document['error']['message']}"
        if document["error"]["hint"]:
            yield f"  hint: {document['error']['hint']}"
    elif not document["steps"]:
        yield "  nothing to do"
    for step in document["steps"]:
        yield f"  {_step(step, len(pending))}"
        for line in (step["sql"] or "").splitlines():
            yield f"      {line}"


def _named(files: Sequence[dict[str, Any]], folder: str) -> str:
    return _few([file["file"].removeprefix(folder) for file in files])


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _step(step: dict[str, Any], pending: int) -> str:
    """One line that says what a step does."""
    match step["kind"]:
        case "stage":
            count = len(step["files"])
            what = f"{count:,} of {pending:,}" if count < pending else f"{count:,}"
            return f"stage    {what} file(s) into {step['table']}"
        case "merge":
            return f"merge    into {step['table']}" + (f" by {', '.join(step['keys'])}" if step["keys"] else "")
        case "archive":
            return f"archive  {len(step['files']):,} file(s) to {step['to']}"
        case "create_table":
            columns = _few([f"{column['name']} {column['type']}" for column in step["columns"]])
            return f"create   {step['table']}: {columns}"
        case "add_column":
            return f"add      {step['table']}: {step['column']} {step['type']}"
        case "widen_column":
            size = step["bytes"]
            how = "in place" if size == 0 else "the table is written anew" + (f", {size:,} bytes" if size else "")
            return f"widen    {step['table']}: {step['column']} {step['from']} to {step['to']} ({how})"
        case "abandon":
            return f"abandon  {step['batch_id']}: {step['reason']}"
        case kind:
            return f"{kind:<8} {step['batch_id']}"

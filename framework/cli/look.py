"""Commands that look: status, history, show."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from framework.cli.options import Request, common, given, opened
from framework.cli.say import print_json, target_changes
from framework.cli.streams import say, tell
from framework.cli.tables import moment, near, print_table
from framework.cli.told import late_told
from framework.errors import LandfeedError

if TYPE_CHECKING:
    from framework.engine import Preview
    from framework.names import Table

__all__ = ["history", "show", "status"]

_REJECTED = 5
"""Rejected files of a feed of which there are more are counted."""
_CHECK = "Exit with 3 when a feed is late, its last load had an unusual size, or its last result was bad."


@click.command()
@click.option("--check", is_flag=True, help=_CHECK)
@common
def status(request: Request, check: bool) -> None:
    """Show for each feed what is pending, unfinished and loaded, and whether data has come when it was expected."""
    from framework.runs import views

    with opened(request) as (project, world, _):
        document = views.status(project.feeds, world, late_told(request, project, world) if check else lambda _: None)
    if request.as_json:
        print_json(document)
    else:
        _print_status(document["feeds"])
    if check:
        broken = any(feed["error"] for feed in document["feeds"])
        sys.exit(3 if any(map(views.bad, document["feeds"])) else 1 if broken else 0)


def _print_status(feeds: Sequence[dict[str, Any]]) -> None:
    """A row for each feed; why some of them could not be looked at stands in a last column."""
    columns = ["feed", "pending", "unfinished", "last load", "result", "read", "bad", "in target", "version"]
    rows = []
    for feed in feeds:
        last, unfinished = feed["last_batch"] or {}, feed["unfinished_batch"] or {}
        row = [feed["feed"], feed["pending_files"], unfinished.get("state"), moment(last.get("recorded_at"))]
        row += [feed["last_result"], last.get("rows_read"), last.get("rows_quarantined"), feed["target_rows"]]
        rows.append([*row, feed["target_version"]])
    if any(feed["freshness"] for feed in feeds):
        columns.insert(1, "freshness")
        for row, feed in zip(rows, feeds, strict=True):
            row.insert(1, (feed["freshness"] or {}).get("state"))
    if any(feed["error"] for feed in feeds):
        columns.append("error")
        rows = [[*row, (feed["error"] or {}).get("message")] for row, feed in zip(rows, feeds, strict=True)]
    print_table(columns, rows)
    for feed in feeds:
        if feed["last_result"] == "failed":
            say(f"failed: {_about(feed['feed'], feed['last_batch']['error'])}")
        for file in feed["rejected"][:_REJECTED]:
            say(f"rejected: {feed['feed']}: {near(file['file'])}: {file['reason']}")
        if len(feed["rejected"]) > _REJECTED:
            say(f"rejected: {feed['feed']}: {len(feed['rejected']) - _REJECTED:,} more files")
        for warning in feed["warnings"]:
            say(f"warning: {feed['feed']}: {warning}")
        for changed in target_changes(feed["schema_changes"]):
            say(f"target: {feed['feed']}: {changed}")
        for sentence in ((feed["freshness"] or {}).get(key) for key in ("message", "unusual")):
            if sentence:
                say(f"expected: {feed['feed']}: {sentence}")
    for hint in dict.fromkeys(feed["error"]["hint"] for feed in feeds if feed["error"]):
        if hint:
            say()
            say(f"hint: {hint}")


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Batches to show.")
@click.option("--files", is_flag=True, help="Show the files of these batches.")
@common
def history(request: Request, limit: int, files: bool) -> None:
    """Show the batches of the feeds, newest first."""
    from framework.runs import views

    with opened(request) as (project, world, _):
        batches = views.history(project.feeds, world, limit)
        ids = [batch["batch_id"] for batch in batches]
        listed = views.history_files(ids, world, project.feeds) if files else None
    if request.as_json:
        print_json({"batches": batches} | ({"files": listed} if listed is not None else {}))
        return
    shown = ["recorded_at", "feed", "batch_id", "state", "files", "rejected", "rows_read", "rows_quarantined"]
    shown += ["inserted", "updated", "unchanged", "stale"]
    print_table(shown, [[_plain(name, batch[name]) for name in shown] for batch in batches])
    for batch in batches:
        if batch["error"]:
            say(f"{batch['state']}: batch {batch['batch_id']}: {_about(batch['feed'], batch['error'])}")
        for warning in batch["warnings"]:
            say(f"warning: {batch['feed']}, batch {batch['batch_id']}: {warning}")
        for sentence in target_changes(batch["schema_changes"]):
            say(f"target: {batch['feed']}, batch {batch['batch_id']}: {sentence}")
    if listed is not None:
        names = ["batch_id", "file", "state", "rows_read", "moved_to", "reason"]
        rows = [[*(_plain(name, file[name]) for name in names), _first(file["reasons"])] for file in listed]
        print_table([*names, "bad rows"], rows)


def _about(feed: str, error: str | None) -> str:
    """An error with the feed that it is about, once."""
    return str(error) if error and error.startswith(f"feed {feed}") else f"{feed}: {error}"


def _plain(name: str, value: Any) -> Any:
    """A value of a column as it is short for people."""
    if name == "recorded_at":
        return moment(value)
    return near(value) if name in ("file", "moved_to") and value else value


def _first(reasons: Sequence[dict[str, Any]]) -> str | None:
    """The most frequent reason, in a few words."""
    if not reasons:
        return None
    first = reasons[0]
    return f"{first['rows']} rows: {first['code']}" + (f" in {first['column']}" if first["column"] else "")


@click.command()
@click.option("--staging", is_flag=True, help="The staging table instead of the target.")
@click.option("--quarantine", is_flag=True, help="The quarantine table instead of the target.")
@click.option("--where", help="Only rows for which this is true: an expression as in feeds (docs/expressions.md).")
@click.option("--columns", metavar="NAME,…", help="Only these columns, in this order.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Rows to show.")
@common
def show(request: Request, staging: bool, quarantine: bool, where: str | None, columns: str | None, limit: int) -> None:
    """Show the first rows of the feeds' target tables."""
    from framework.engine import Where

    with opened(request) as (project, world, _):
        tables = []
        for feed in project.feeds:
            table = feed.target.staging if staging else feed.quarantine.table if quarantine else feed.target.table
            newest_by = "_quarantined_at" if quarantine else None
            wanted = given(where)
            asked = Where(wanted, feed.source.timezone) if wanted is not None else None
            found = world.engine.preview(table, limit, newest_by, asked)
            tables.append((feed.name, table, _only(found, given(columns), table)))
    if request.as_json:
        documents = []
        for name, table, rows in tables:
            listed = [_document(rows, row) for row in rows.rows] if rows else None
            documents.append({"feed": name, "table": table.name, "rows": listed})
        print_json({"feeds": documents})
        return
    for _, table, rows in tables:
        if rows is None:
            tell(f"{table}: there is no such table yet")
        else:
            print_table(list(rows.columns), [list(row) for row in rows.rows], cut=rows.columns)


def _only(preview: Preview | None, columns: str | None, table: Table) -> Preview | None:
    """The rows with these columns alone, as people write them: without regard to case. Raises LandfeedError."""
    if preview is None or columns is None:
        return preview
    there = {name.lower(): index for index, name in enumerate(preview.columns)}
    wanted = [name.strip() for name in columns.split(",") if name.strip()]
    missing = [name for name in wanted if name.lower() not in there]
    if missing or not wanted:
        hint = f"it has {', '.join(preview.columns)}"
        raise LandfeedError(f"table {table} has no column {', '.join(missing)}", hint, code="columns")
    indexes = [there[name.lower()] for name in wanted]
    rows = tuple(tuple(row[index] for index in indexes) for row in preview.rows)
    return replace(preview, columns=tuple(preview.columns[index] for index in indexes), rows=rows)


def _document(preview: Preview, row: Sequence[str | None]) -> dict[str, Any]:
    """A row by column, nested values as what they are and all others as text."""
    pairs = zip(preview.columns, row, strict=True)
    return {name: json.loads(text) if text and name in preview.nested else text for name, text in pairs}

"""What is printed: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, assert_never

if TYPE_CHECKING:
    from framework.errors import Problem
    from framework.report import FeedReport, RunReport
    from framework.runs.events import Event

__all__ = ["print_json", "print_table", "say", "say_event", "say_event_json", "say_problems", "say_report"]

_FILES_NAMED = 5
"""More files that are seen at once are counted."""


def print_json(document: dict[str, Any], indent: int | None = 2) -> None:
    print(json.dumps(document, indent=indent, ensure_ascii=True), flush=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for people; values are shown as they are, NULL as a hyphen."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(columns), *cells]) for index in range(len(columns))]
    for line in [list(columns), ["─" * width for width in widths], *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text.encode("unicode_escape").decode() if not text.isprintable() else text


def say(line: str) -> None:
    print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)


def say_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        say(f"{problem}" + (f"\n    hint: {problem.hint}" if problem.hint else ""))
    say(f"\n{len(problems)} problem(s); nothing was run")


def say_event_json(event: Event) -> None:
    print_json({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **event.as_dict()}, indent=None)


def say_event(event: Event) -> None:
    """A line for people. Files are named one by one while there are few."""
    from framework.runs import events

    match event:
        case events.Started(_, feeds, quiet):
            say(f"watching {len(feeds)} feed(s); files are loaded when they have not changed for {quiet:g} s")
        case events.Seen(feed, files):
            for file in files[:_FILES_NAMED]:
                _print_line(f"{feed}: seen {_cell(file.name)} ({file.size:,} bytes)")
            if len(files) > _FILES_NAMED:
                _print_line(f"{feed}: seen {len(files) - _FILES_NAMED} more files")
        case events.Missing(feed, folder):
            _print_line(f"{feed}: waiting for the folder {folder}")
        case events.Ended(report, retry):
            _say_feed(report, _print_line)
            if retry is not None:
                say(f"  tried again in {retry:g} s")
        case events.Notice(message, hint):
            say(f"{message}\n  hint: {hint}")
        case events.Stopping(working):
            say("stopping" + (f"; finishing {', '.join(working)}" if working else ""))
        case events.Stopped():
            say("stopped")
        case _:
            assert_never(event)


def _print_line(line: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} {line}", flush=True)


def say_report(report: RunReport) -> None:
    for feed in report.feeds:
        _say_feed(feed, print)


def _say_feed(feed: FeedReport, print_line: Callable[[str], None]) -> None:
    figures = [f"{count} {name}" for name, count in asdict(feed.rows).items() if count]
    print_line(f"{feed.feed}: {feed.status}" + (f" ({', '.join(figures)})" if figures else ""))
    for file in feed.files:
        if file.status == "rejected":
            say(f"  {file.file}: rejected: {file.reason}")
        elif file.reason:
            say(f"  {file.file}: {file.reason}")
    for reason in feed.reasons:
        say(f"  {reason.rows} bad row{'s' if reason.rows > 1 else ''}: {_cell(str(reason))}")
    if feed.rows.quarantined:
        say(f"  more: landfeed quarantine {feed.feed}")
    for warning in feed.warnings:
        say(f"  warning: {warning}")
    if feed.error:
        say(f"  error: {feed.error.message}")
        if feed.error.hint:
            say(f"  hint: {feed.error.hint}")

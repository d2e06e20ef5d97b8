"""What is printed: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, assert_never

from framework.cli.streams import printable, put, say, tell
from framework.names import Rows, Status

if TYPE_CHECKING:
    from framework.errors import Problem
    from framework.report import FeedReport, RunReport
    from framework.runs.events import Event

__all__ = [
    "figures",
    "fitting",
    "print_json",
    "print_table",
    "say_event",
    "say_event_json",
    "say_problems",
    "say_report",
]

_CARET_WITHIN = 110
"""Characters of a line of a configuration file that are shown."""
_NARROWEST = 8
"""Characters of a column that are shown in any case."""
_FILES_NAMED = 5
"""More files that are seen at once are counted."""


def print_json(document: dict[str, Any], indent: int | None = 2) -> None:
    put(json.dumps(document, indent=indent, ensure_ascii=True))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], cut: Collection[str] = ()) -> None:
    """A table for people; values are shown in one line each, NULL as a hyphen. Those of the columns in `cut` are cut
    where a terminal ends."""
    cells = [["-" if value is None else printable(str(value)) for value in row] for row in [columns, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if sys.stdout.isatty():
        may = [column in cut for column in columns]
        widths = fitting(widths, may, shutil.get_terminal_size().columns)
    for line in [cells[0], ["-" * width for width in widths], *cells[1:]]:
        tell("  ".join(_cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def fitting(widths: Sequence[int], cut: Sequence[bool], line: int) -> list[int]:
    """The widths of columns that fit into a line: of those that may be cut the widest, but not to nothing."""
    room = line - 2 * (len(widths) - 1) - sum(width for width, may in zip(widths, cut, strict=True) if not may)
    wide = [width for width, may in zip(widths, cut, strict=True) if may]
    caps = range(max(wide, default=0), _NARROWEST, -1)
    cap = next((cap for cap in caps if sum(min(width, cap) for width in wide) <= room), _NARROWEST)
    return [min(width, cap) if may else width for width, may in zip(widths, cut, strict=True)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def say_problems(problems: Sequence[Problem], config: str) -> None:
    """Each problem at its place, as a path from where the command was started; on a terminal with the line."""
    for problem in problems:
        say(_placed(problem, config))
        if sys.stderr.isatty():
            for line in _source(problem, config):
                say(line)
        if problem.hint:
            say(f"    hint: {problem.hint}")
    say()
    say(f"{len(problems)} problem(s); nothing was run")


def _placed(problem: Problem, config: str) -> str:
    if problem.file == config:  # the folder itself is missing
        return str(problem)
    path = os.path.abspath(os.path.join(config, problem.file))
    return str(replace(problem, file=min(os.path.relpath(path), path, key=len)))


def _source(problem: Problem, config: str) -> Iterator[str]:
    """The line where the problem stands, and a caret below its column; nothing where there is no such line."""
    try:
        with open(os.path.join(config, problem.file), encoding="utf-8-sig", errors="replace") as file:
            line = next(islice(file, problem.line - 1, None), "").rstrip("\n")
    except OSError:
        return
    before = printable(line[: problem.column - 1])
    if line.strip() and len(before) < _CARET_WITHIN:
        yield f"    {printable(line)[:_CARET_WITHIN]}"
        yield f"    {' ' * len(before)}^"


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
                _print_line(f"{feed}: seen {file.name} ({file.size:,} bytes)")
            if len(files) > _FILES_NAMED:
                _print_line(f"{feed}: seen {len(files) - _FILES_NAMED} more files")
        case events.Missing(feed, folder):
            _print_line(f"{feed}: waiting for the folder {folder}")
        case events.Ended(report, retry):
            _say_feed(report, _print_line)
            if retry is not None:
                say(f"  tried again in {retry:g} s")
        case events.Notice(message, hint):
            say(message)
            say(f"  hint: {hint}")
        case events.Stopping(working):
            say("stopping" + (f"; finishing {', '.join(working)}" if working else ""))
        case events.Stopped():
            say("stopped")
        case _:
            assert_never(event)


def _print_line(line: str) -> None:
    tell(f"{datetime.now().astimezone():%H:%M:%S} {line}")


def say_report(report: RunReport) -> None:
    """What each feed did. Of many, those with nothing to do are only counted, in the last line."""
    many = len(report.feeds) > 1
    for feed in report.feeds:
        if not many or feed.status is not Status.NOTHING_TO_DO or feed.warnings:
            _say_feed(feed, tell)
    if many:
        counted = Counter(feed.status for feed in report.feeds)
        ended = ", ".join(f"{counted[status]:,} {status}" for status in Status if counted[status])
        rows = sum((feed.rows for feed in report.feeds), Rows())
        tell(f"{len(report.feeds):,} feeds: {ended}{figures(rows)}; {report.seconds:.1f} s")


def figures(rows: Rows) -> str:
    figures = [f"{count} {name}" for name, count in asdict(rows).items() if count]
    return f" ({', '.join(figures)})" if figures else ""


def _say_feed(feed: FeedReport, print_line: Callable[[str], None]) -> None:
    print_line(f"{feed.feed}: {feed.status}{figures(feed.rows)}")
    for file in feed.files:
        if file.status == "rejected":
            say(f"  {file.file}: rejected: {file.reason}")
        elif file.reason:
            say(f"  {file.file}: {file.reason}")
    for reason in feed.reasons:
        say(f"  {reason.rows} bad row{'s' if reason.rows > 1 else ''}: {reason}")
    if feed.rows.quarantined:
        say(f"  more: landfeed quarantine {feed.feed}")
    for warning in feed.warnings:
        say(f"  warning: {warning}")
    if feed.error:
        say(f"  error: {feed.error.message}")
        if feed.error.hint:
            say(f"  hint: {feed.error.hint}")

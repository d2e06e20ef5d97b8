"""What is printed: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, assert_never

from framework.cli.logs import LOG, Level
from framework.cli.streams import printable, put, say, tell
from framework.cli.tables import near
from framework.names import ChangeKind, Rows, Status

if TYPE_CHECKING:
    from framework.errors import Problem
    from framework.report import FeedReport, RunReport
    from framework.runs.events import Event

__all__ = [
    "figures",
    "next_steps",
    "print_json",
    "say_event",
    "say_event_json",
    "say_problems",
    "say_report",
    "target_changes",
]

_INDENT, _BEFORE = 4, 20
"""Characters before a line of a configuration file, and of that line before a place that is not at its beginning."""
_REJECTED_NAMED = 20
"""Rejected files of a feed of which there are more are counted, unless all is to be told (-v)."""
_FILES_NAMED = 5
"""More files that are seen at once are counted."""


def print_json(document: dict[str, Any], indent: int | None = 2) -> None:
    put(json.dumps(document, indent=indent, ensure_ascii=True))


def next_steps(commands: Iterable[str]) -> None:
    """What to do next, as commands."""
    say()
    say("next:")
    for command in commands:
        say(f"  {command}")


def say_problems(problems: Sequence[Problem], config: str) -> None:
    """Each problem at its place, as a path from where the command was started; on a terminal with the line."""
    for problem in problems:
        say(_placed(problem, config), Level.ERROR)
        if sys.stderr.isatty():
            for line in _source(problem, config):
                say(line)
        if problem.hint:
            say(f"    hint: {problem.hint}")
    say()
    say(f"{len(problems)} problem(s); nothing was run", Level.ERROR)


def _placed(problem: Problem, config: str) -> str:
    if problem.file == config:  # the folder itself is missing
        return str(problem)
    path = os.path.abspath(os.path.join(config, problem.file))
    return str(replace(problem, file=near(path)))


def _source(problem: Problem, config: str) -> Iterator[str]:
    """The line where the problem stands, and a caret below its column; nothing where there is no such line."""
    try:
        with open(os.path.join(config, problem.file), encoding="utf-8-sig", errors="replace") as file:
            line = next(islice(file, problem.line - 1, None), "").rstrip("\n")
    except OSError:
        return
    before, room = len(printable(line[: problem.column - 1])), shutil.get_terminal_size().columns - _INDENT
    if line.strip():
        shown = printable(line)
        if len(shown) > room and before >= room - _BEFORE:  # the place would be beyond the end of the terminal
            left = before - _BEFORE
            shown, before = "…" + shown[left + 1 :], _BEFORE
        yield " " * _INDENT + shown[:room]
        yield " " * (_INDENT + before) + "^"


def say_event_json(event: Event) -> None:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    print_json({"at": at, "run_id": LOG.run_id, **event.as_dict()}, indent=None)


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


def target_changes(changes: Iterable[Mapping[str, str | None]]) -> Iterator[str]:
    """What became of the target's columns, in words; of files the warnings tell."""
    from framework.law.drift import change_in_words

    for change in changes:
        if change["kind"] in (ChangeKind.ADDED, ChangeKind.WIDENED):
            yield change_in_words(change)


def _say_files(feed: FeedReport) -> None:
    """What became of each file, as far as it is of interest."""
    rejected = 0
    for file in feed.files:
        if file.status == "rejected":
            rejected += 1
            level = Level.WARNING if rejected <= _REJECTED_NAMED else Level.DEBUG
            say(f"  {near(file.file)}: rejected: {file.reason}", level)
        elif file.reason:
            say(f"  {near(file.file)}: {file.reason}", Level.WARNING)
        else:
            moved = f", {near(file.moved_to)}" if file.moved_to else ""
            say(f"  {near(file.file)}: {file.status}, {file.rows_read:,} rows{moved}", Level.DEBUG)
    if rejected > _REJECTED_NAMED:
        say(f"  {rejected - _REJECTED_NAMED:,} more files were rejected; -v names them", Level.WARNING)


def _say_where(feed: FeedReport) -> None:
    """Where rejected files are, and what shows more of them and of bad rows."""
    moved = [file.moved_to for file in feed.files if file.status == "rejected" and file.moved_to]
    folders = list(dict.fromkeys(near(path.rpartition("/")[0]) for path in moved))
    if folders:
        which = "it is" if len(folders) == 1 else "the first is"
        say(f"  to have a rejected file loaded, mend it or the feed and put it back: {which} in {folders[0]}")
        say(f"  more: landfeed history {feed.feed} --files")
    if feed.rows.quarantined:
        say(f"  more: landfeed quarantine {feed.feed}")


def _say_feed(feed: FeedReport, print_line: Callable[[str], None]) -> None:
    print_line(f"{feed.feed}: {feed.status}{figures(feed.rows)}")
    _say_files(feed)
    for reason in feed.reasons:
        say(f"  {reason.rows} bad row{'s' if reason.rows > 1 else ''}: {reason}", Level.WARNING)
    for question in feed.hints:
        say(f"  hint: {question}")
    _say_where(feed)
    for warning in feed.warnings:
        say(f"  warning: {warning}")
    for sentence in target_changes(change.as_dict() for change in feed.schema_changes):
        say(f"  {feed.table}: {sentence}")
    if feed.schema_lines:
        say(f"  {feed.table} got columns that the schema does not have; to choose their types, put there:")
        for line in feed.schema_lines:
            say(f"      {line}")
    if feed.error:
        say(f"  error: {feed.error.message}")
        if feed.error.hint:
            say(f"  hint: {feed.error.hint}")

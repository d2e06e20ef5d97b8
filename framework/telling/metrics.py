"""Metrics: a text file for Prometheus (the textfile collector of its node exporter), replaced in one step.

A run knows of its own feeds only; what earlier runs wrote of others stays, until it is a month old.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from framework.names import Status
from framework.report import FeedReport
from framework.storages.local import LocalStorage

__all__ = ["METRICS", "FeedMetrics", "rendered", "samples", "write_metrics"]

Labels: TypeAlias = tuple[tuple[str, str], ...]
Samples: TypeAlias = dict[tuple[str, Labels], float]

METRICS = {
    "landfeed_last_run_timestamp_seconds": "When the feed was run last.",
    "landfeed_last_run_success": "1 if the feed's last run neither failed nor rejected anything, else 0.",
    "landfeed_last_success_timestamp_seconds": "When files of the feed were loaded last.",
    "landfeed_pending_files": "Files that wait in landing.",
    "landfeed_oldest_pending_timestamp_seconds": "When the oldest file that waits in landing came.",
    "landfeed_last_run_rows": "Rows of the last run that loaded something, by what became of them.",
    "landfeed_last_run_seconds": "Seconds of the last run that loaded something, by task.",
    "landfeed_late": "1 if the feed is late by what it expects, else 0.",
}
_OLD = timedelta(days=31)
_LINE = re.compile(r"(\w+)\{(.*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n"}


@dataclass(frozen=True, slots=True)
class FeedMetrics:
    """What is known of a feed now: its report, if it was run; how many files wait and since when; whether it is late,
    None where nothing is expected; when it was loaded last."""

    feed: str
    report: FeedReport | None
    pending: int | None
    oldest: datetime | None
    late: bool | None
    loaded: datetime | None


def write_metrics(path: str, feeds: Iterable[FeedMetrics], now: datetime) -> None:
    """Bring the file up to date. Raises StorageError, and OSError where its folder cannot be used."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with _alone(path):
        found = _recent(_read(path), now)
        for feed in feeds:
            _update(found, feed, now)
        LocalStorage().write(path, rendered(found).encode())


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Of several runners that bring the file up to date, one at a time."""
    folder, name = os.path.split(path)
    with open(os.path.join(folder, f".{name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: str) -> Samples:
    try:
        with open(path, encoding="utf-8") as stream:
            return samples(stream)
    except (FileNotFoundError, UnicodeDecodeError):
        return {}


def samples(lines: Iterable[str]) -> Samples:
    """The samples of a file that Landfeed wrote; what it would not write is passed over."""
    found: Samples = {}
    for line in lines:
        parts = _LINE.fullmatch(line.strip())
        if parts is None or parts[1] not in METRICS:
            continue
        labels = tuple((name, _unescaped(value)) for name, value in _LABEL.findall(parts[2]))
        try:
            found[parts[1], labels] = float(parts[3])
        except ValueError:
            continue
    return found


def rendered(found: Mapping[tuple[str, Labels], float]) -> str:
    """The samples in Prometheus' text format (version 0.0.4)."""
    lines = []
    for metric, text in METRICS.items():
        own = sorted((labels, value) for (name, labels), value in found.items() if name == metric)
        if own:
            lines += [f"# HELP {metric} {text}", f"# TYPE {metric} gauge"]
        for labels, value in own:
            named = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
            lines.append(f"{metric}{{{named}}} {value:.17g}")
    return "".join(f"{line}\n" for line in lines)


def _recent(found: Samples, now: datetime) -> Samples:
    """Without feeds that nobody has run for long, which may be gone."""
    since = (now - _OLD).timestamp()
    runs = {labels: value for (name, labels), value in found.items() if name == "landfeed_last_run_timestamp_seconds"}
    gone = {labels[0] for labels, value in runs.items() if value < since}
    return {key: value for key, value in found.items() if key[1][:1] and key[1][0] not in gone}


def _update(found: Samples, feed: FeedMetrics, now: datetime) -> None:
    own: Labels = (("feed", feed.feed),)

    def put(metric: str, value: float | None, *labels: tuple[str, str]) -> None:
        key = (f"landfeed_{metric}", own + labels)
        found.pop(key, None)
        if value is not None:
            found[key] = value

    put("pending_files", feed.pending)
    put("oldest_pending_timestamp_seconds", feed.oldest.timestamp() if feed.oldest else None)
    put("late", None if feed.late is None else float(feed.late))
    if feed.loaded is not None:
        put("last_success_timestamp_seconds", feed.loaded.timestamp())
    report = feed.report
    if report is None or report.status is Status.BUSY:
        return
    put("last_run_timestamp_seconds", now.timestamp())
    put("last_run_success", float(report.status not in (Status.FAILED, Status.REJECTED)))
    if report.status is not Status.NOTHING_TO_DO:
        for outcome, rows in asdict(report.rows).items():
            put("last_run_rows", rows, ("outcome", outcome))
        for task, seconds in report.seconds.items():
            put("last_run_seconds", seconds, ("task", task))


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)

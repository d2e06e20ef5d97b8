"""Feeds of events in all modes, loaded by an engine's verbs, and what tables hold in the model's terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from framework.feed import Feed
from framework.names import File, Rows
from tests.engines.driving import Drive
from tests.merges.model import Event

__all__ = ["History", "text_of"]

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv}}
schema: {{k: int, n: int, m: int, op: string, a: string, b: string}}
target: {{table: s.{name}, keys: [k], sequence_by: {sequence}, except_columns: {left}, {more}}}
"""
HEADER = "k,n,m,op,a,b\n"


def text_of(events: Sequence[Event]) -> str:
    """A file of events; a delete and a truncate bring values that nobody may store."""
    return HEADER + "".join(map(_line, events))


def _line(event: Event) -> str:
    seq = event.seq if isinstance(event.seq, tuple) else (event.seq, 0)
    values = event.values if event.kind == "U" else ("junk", "junk")
    a, b = ("" if value is None else str(value) for value in values[:2])
    return f"{event.key[0]},{seq[0]},{seq[1]},{event.kind},{a},{b}\n"


class History:
    """One feed and its batches, each of which is a list of files."""

    def __init__(self, drive: Drive, name: str, more: str, sequence: str = "n") -> None:
        self.drive, self.feed = drive, self._feed(drive, name, more, sequence)
        self._loads, self._last = 0, list[File]()

    def _feed(self, drive: Drive, name: str, more: str, sequence: str) -> Feed:
        left = "[op, m]" if sequence == "n" else "[op]"
        if "except_columns: " in more:
            more, left = more.split(", except_columns: ")
        return drive.feed(FEED.format(name=name, more=more, sequence=sequence, left=left))

    def load(self, *files: Sequence[Event], by: Drive | None = None) -> Counter[str]:
        """Load a batch; its figures, without zeros."""
        drive, self._loads = by or self.drive, self._loads + 1
        landed = [
            drive.land(self.feed, f"{self._loads:03}-{number}.csv", text_of(events))
            for number, events in enumerate(files)
        ]
        self._last = landed
        staged, merged = drive.load(self.feed, self._loads, landed)
        assert staged.manifest.rows.quarantined == 0
        return figures(merged.rows)

    def again(self) -> None:
        """Finish the last batch, which was interrupted."""
        self.drive.resume(self.feed, self._loads, self._last)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        return self.drive.rows(self.feed.target.table, columns)

    @property
    def remembered(self) -> str:
        return f"{self.feed.target.table}__cdc"


def figures(rows: Rows) -> Counter[str]:
    """What became of the rows of a batch."""
    counted = {name: number for name, number in asdict(rows).items() if name not in ("read", "staged") and number}
    return Counter(counted)

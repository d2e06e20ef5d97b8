"""Quarantine: what `quarantine` shows, as plain data: why rows are bad, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from framework.engine import BadRows, Engine
from framework.feed import Feed
from framework.infer import advice

__all__ = ["Wanted", "bad_rows"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bad rows: of one batch, of one file (a path or the end of one), of every batch. Without `batch` and
    `every` those of the newest batch that has some."""

    batch: str | None = None
    file: str | None = None
    every: bool = False


def bad_rows(feeds: Sequence[Feed], engine: Engine, wanted: Wanted) -> dict[str, Any]:
    """One entry a feed, with its batches, newest first, and in each the reasons, the most frequent first; and what
    their values make one ask."""
    return {"feeds": [_of_feed(feed, engine, wanted) for feed in feeds]}


def _of_feed(feed: Feed, engine: Engine, wanted: Wanted) -> dict[str, Any]:
    found = engine.bad_rows(feed, wanted.batch, wanted.file)
    batches = [_of_batch(list(rows)) for _, rows in groupby(found, key=lambda bad: bad.batch_id)]
    shown = batches if wanted.every or wanted.batch else batches[:1]
    hints = list(advice(feed, (bad.reason for bad in found if bad.batch_id in {each["batch_id"] for each in shown})))
    return {"feed": feed.name, "table": feed.quarantine.table.name, "batches": shown, "hints": hints}


def _of_batch(found: Sequence[BadRows]) -> dict[str, Any]:
    reasons = [asdict(bad.reason) | {"file": bad.file} for bad in found]
    return {"batch_id": found[0].batch_id, "quarantined_at": found[0].at.isoformat(), "reasons": reasons}

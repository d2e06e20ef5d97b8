"""A table of events, whose rows gather until they are appended in one commit."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from framework.control import Control
from framework.keeping import Keeping
from framework.names import Table

__all__ = ["GroupedTable"]


class GroupedTable:
    """Gathers rows of one table, and appends all that have gathered at once."""

    def __init__(self, control: Control, table: Table, keeping: Keeping) -> None:
        self._control, self.table, self._keeping = control, table, keeping
        self.appended = False
        self._commit = threading.Lock()
        self._lock = threading.Lock()
        self._gathered: list[Mapping[str, object]] = []

    def gather(self, rows: Iterable[Mapping[str, object]]) -> None:
        with self._lock:
            self._gathered += rows

    def holds(self, feed: str) -> bool:
        with self._lock:
            return any(row["feed"] == feed for row in self._gathered)

    def write(self) -> None:
        """Append what has gathered. Who comes during a commit waits for it, and often finds nothing left to do."""
        with self._commit:
            with self._lock:
                rows = list(self._gathered)
            if rows:
                self._control.append(self.table, rows)
                self._keeping.settle(self.table)
                self.appended = True
                with self._lock:
                    del self._gathered[: len(rows)]

    def select(
        self,
        where: Mapping[str, Sequence[str]],
        *,
        latest_by: str | None = None,
        newest: int = 1,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[Mapping[str, object]]:
        """As `Control.select`, with what has gathered."""
        with self._lock:
            gathered = [row for row in self._gathered if all(row[name] in where[name] for name in where)]
        found = [
            *reversed(gathered),
            *self._control.select(self.table, where, latest_by=latest_by, newest=newest, since=since, limit=limit),
        ]
        if not gathered:
            return found
        found.sort(key=_recorded_at, reverse=True)
        if latest_by is not None:
            by_value: dict[object, list[Mapping[str, object]]] = {}
            for row in found:
                by_value.setdefault(row[latest_by], []).append(row)
            found = [row for rows in by_value.values() for row in rows[:newest]]
            found.sort(key=_recorded_at, reverse=True)
        return found[:limit]

    def upkeep(self) -> None:
        with self._commit:
            if self.appended:
                self._control.compact(self.table)


def _recorded_at(row: Mapping[str, Any]) -> datetime:
    moment: datetime = row["recorded_at"]
    return moment

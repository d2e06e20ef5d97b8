"""Control tables in memory: for tests, of Landfeed and of what is built on it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from framework.names import Table

__all__ = ["MemoryControl"]


class MemoryControl:
    """Implements `framework.control.Control`. Safe for threads."""

    def __init__(self) -> None:
        self._tables: dict[Table, list[dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def append(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        with self._lock:
            there = self._tables.setdefault(table, [])
            there.extend(dict(row) for row in rows)

    def select(
        self,
        table: Table,
        where: Mapping[str, Sequence[str]],
        *,
        latest_by: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[dict[str, object]]:
        with self._lock:
            rows = list(self._tables.get(table, ()))
        names = dict.fromkeys(name for row in rows for name in row)
        rows = [{name: row.get(name) for name in names} for row in rows]
        rows.sort(key=lambda row: row["recorded_at"], reverse=True)
        rows = [row for row in rows if since is None or row["recorded_at"] >= since]
        if latest_by is not None:
            newest: dict[object, dict[str, Any]] = {}
            for row in rows:
                newest.setdefault(row.get(latest_by), row)
            rows = list(newest.values())
        found = [row for row in rows if all(row.get(name) in values for name, values in where.items())]
        return found[:limit]

    def compact(self, table: Table) -> None:
        """Memory has no files."""

"""Control tables in memory: for tests, of Landfeed and of what is built on it."""

from __future__ import annotations

import threading
from collections import Counter
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
        newest: int = 1,
        since: datetime | None = None,
        limit: int | None = None,
        columns: Sequence[str] = (),
    ) -> list[dict[str, object]]:
        with self._lock:
            rows = list(self._tables.get(table, ()))
        names = dict.fromkeys(name for row in rows for name in row)
        rows = [{name: row.get(name) for name in names} for row in rows]
        rows.sort(key=lambda row: row["recorded_at"], reverse=True)
        rows = [row for row in rows if since is None or row["recorded_at"] >= since]
        rows = [row for row in rows if all(row.get(name) in values for name, values in where.items())]
        if latest_by is not None:
            counted: Counter[object] = Counter()
            for row in rows:
                counted[row.get(latest_by)] += 1
                row["rank_"] = counted[row.get(latest_by)]
            rows = [row for row in rows if row.pop("rank_") <= newest]
        shown = columns or tuple(names)
        return [{name: row[name] for name in names if name in shown} for row in rows][:limit]

    def compact(self, table: Table) -> None:
        """Memory has no files."""

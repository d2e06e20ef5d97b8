"""Control: the seam to Landfeed's own tables, which `framework.ledger` fills. `engines/` holds the implementations.

The tables grow with the program: rows are read and written by the names of their columns, never by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from framework.names import Table

__all__ = ["COMPACT_FROM", "Control"]

COMPACT_FROM = 100
"""Files of a control table from which on `Control.compact` has something to do: every run reads the table."""


class Control(Protocol):
    """Append-only tables that several processes share. Every method may be called from several threads at once."""

    def append(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Append rows, which all have the same names, making the table when needed.

        Columns that an older table has not yet are added to it; those that it has and the rows have not
        become NULL. Raises LandfeedError with the table's name.
        """
        ...

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
        """Rows newest (`recorded_at`) first: those in which each named column has one of the given values,
        with `latest_by` of these only the `newest` rows for each value of that column; only those recorded `since` a
        moment, which spares reading the older ones; and at most `limit`.

        A row has the columns that its table has, or those of `columns`. An empty list when there is no table, or none
        of the columns of `where` in it. Raises LandfeedError with the table's name.
        """
        ...

    def compact(self, table: Table) -> None:
        """Write the table's files together when there are `COMPACT_FROM` or more; its rows stay what they are.
        Nothing happens when there is no table, or when another process does the same."""
        ...

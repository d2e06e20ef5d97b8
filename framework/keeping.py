"""Keeping: the seam to what stands under tables: files that a power cut, a torn disk or a person may take away.

Tables in buckets and in catalogs are kept by whoever runs them: there is nothing to do for them (`Kept`).
"""

from __future__ import annotations

from typing import Protocol

from framework.names import Table

__all__ = ["Keeping", "Kept"]


class Keeping(Protocol):
    """Every method may be called from several threads at once. All raise MachineError where the system refuses."""

    def mend(self, table: Table, *, data: bool = True) -> str | None:
        """Set the entry of a half-written last commit aside, after which the table is what it was before; a sentence of
        what was done, None when there was nothing to do. Without `data` a commit counts by its entry alone."""
        ...

    def damage(self, table: Table) -> str | None:
        """Why the table cannot be read in full: a file that its log names is gone or torn. None when it can be."""
        ...

    def secure(self, table: Table, feed: str, seq: int, *, data: bool = True) -> None:
        """Return when all that was committed to the table since the feed's batch before this one (number `seq`) is on
        the disk, and would be there after a power cut; without `data` only what the table's log says of it."""
        ...

    def settle(self, table: Table) -> None:
        """As `secure`, for a table of Landfeed's own: all that was committed since this was last asked for."""
        ...


class Kept:
    """Implements `Keeping` for tables that somebody else keeps."""

    def mend(self, table: Table, *, data: bool = True) -> str | None:
        del table, data
        return None

    def damage(self, table: Table) -> str | None:
        del table
        return None

    def secure(self, table: Table, feed: str, seq: int, *, data: bool = True) -> None:
        del table, feed, seq, data

    def settle(self, table: Table) -> None:
        del table

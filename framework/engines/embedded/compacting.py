"""Small files of a target are written together, so that the thousandth batch costs what the first one did.

A batch that only inserts leaves a file of its own. Every run reads the key of all files and looks after each of them.
"""

from __future__ import annotations

from contextlib import suppress

from deltalake import DeltaTable

from framework.engines.delta_errors import translated
from framework.errors import LandfeedError
from framework.names import Table

__all__ = ["SMALL_FILES", "compact_when_due"]

SMALL_FILES = 64
"""So many small files are written together: one batch in so many pays for it, and reads as much as it writes."""
_SMALL = 16 << 20
"""Bytes up to which a file is small."""


def compact_when_due(target: DeltaTable, table: Table) -> None:
    """Write a target's small files together when there are many. The batch is in it already: what goes wrong here, as
    when another writer commits meanwhile, is tried again by a later batch."""
    if len(target.file_uris()) < SMALL_FILES:
        return
    sizes = target.get_add_actions().column("size_bytes").to_pylist()
    if sum(1 for size in sizes if isinstance(size, int) and size < _SMALL) < SMALL_FILES:
        return
    with suppress(LandfeedError), translated(table):
        target.optimize.compact(target_size=_SMALL)

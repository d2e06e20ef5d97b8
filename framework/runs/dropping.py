"""Dropping: tables of Landfeed's own that are made for one purpose, and removed when it is fulfilled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from framework.errors import StorageError
from framework.feed import Feed
from framework.names import File, Table
from framework.plan.world import World

__all__ = ["drop"]


def drop(world: World, feed: Feed, tables: Iterable[Table]) -> None:
    """Remove these tables below the world's folder; those of a catalog stay."""
    for table in tables if world.tables is not None else ():
        folder = "/".join([(world.tables or "").rstrip("/"), *table.parts]) + "/"
        storage = world.storage(replace(feed, source=replace(feed.source, path=folder)))
        with suppress(StorageError):
            for _, file in sorted(_log_first(storage.list(folder, recursive=True)), key=lambda each: each[0]):
                storage.delete(file)


def _log_first(files: Iterable[File]) -> Iterator[tuple[bool, File]]:
    """Files with whether they are data, so that a table whose removal is cut off is no table any more."""
    return ((not file.name.startswith("_delta_log/"), file) for file in files)

"""Archives: what a feed's archive holds, as files and as the deliveries in which they were loaded."""

from __future__ import annotations

from datetime import datetime

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.deliveries import Delivery, deliveries
from framework.ledger import Ledger
from framework.names import File, FileState, Skipped
from framework.storage import Storage

__all__ = ["archived", "files_in_archive"]


def files_in_archive(feed: Feed, storage: Storage) -> list[File]:
    """All files below a feed's archive; a folder that is missing is an empty one. Raises StorageError."""
    try:
        return list(storage.list(feed.archive.path, recursive=True))
    except LandfeedError as error:
        if error.code == "missing_folder":
            return []
        raise


def archived(feed: Feed, storage: Storage, ledger: Ledger) -> tuple[list[Delivery], list[Skipped]]:
    """The deliveries in a feed's archive, in the order of their first delivery, and files that the feed does not take
    any more. Raises StorageError."""
    found = files_in_archive(feed, storage)
    loaded: dict[str, datetime] = {}
    versions: dict[str, int] = {}
    for event in ledger.file_events(feeds=[feed.name]) if found else ():
        if event.state is FileState.STAGED:
            loaded[event.batch_id] = min(event.recorded_at, loaded.get(event.batch_id, event.recorded_at))
        if event.moved_to is not None and event.moved_to != event.file:
            versions[event.moved_to] = event.file_version
    return deliveries(feed, found, loaded, versions)

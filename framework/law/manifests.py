"""Manifests that are read back from a table: whether they can be what a run of this feed wrote.

Whoever may write a table may write a manifest of their own. It is trusted with data, not with the file system: its
files can only be those that this feed could have found, and its batch is the one that they make.
"""

from __future__ import annotations

from framework.batch import Manifest
from framework.feed import Feed
from framework.law.deliveries import in_archive
from framework.names import File

__all__ = ["mistrust"]


def mistrust(feed: Feed, manifest: Manifest) -> str | None:
    """Why a manifest is none of this feed's, as a sentence; None for all that are."""
    if manifest.batch.feed != feed.name:
        return f"it is of the feed {manifest.batch.feed[:60]!r}"
    if manifest.batch_id != manifest.batch.id:
        return "its batch id is not that of its files"
    stranger = next((file for file in manifest.batch.files if not _could_be_found(feed, file)), None)
    if stranger is not None:
        return f"the file {stranger.shown!r} does not lie in {feed.source.path}"
    other = next((each.file for each in manifest.outcomes if not _is_member(each.file)), None)
    return f"the file {other.shown!r} is no member of its archive" if other is not None else None


def _is_member(file: File) -> bool:
    """Whether a file that says that it is one of an archive is called so."""
    within = file.container
    return within is None or (within.container is None and file.path.startswith(f"{within.path}!"))


def _could_be_found(feed: Feed, file: File) -> bool:
    """In its landing folder; or in its archive, which files never leave that are loaded from there."""
    parts = file.name.split("/")
    if in_archive(feed, file):
        below = file.path[len(feed.archive.path) :]
        whole = below.endswith(f"/{file.name}")
        return whole and not any(part in ("", ".", "..") for part in below.split("/")) and "\0" not in file.path
    if file.path != feed.source.path + file.name or any(part in (".", "..") for part in parts):
        return False
    return ("://" in feed.source.path or all(parts)) and "\0" not in file.name and parts[-1] != ""

"""The storages: the only places that touch landing and archive folders or import google.cloud and watchfiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from framework.environment import Environment
from framework.errors import LandfeedError, MissingDependency
from framework.feed import Feed
from framework.leases import Leases
from framework.storage import Storage

if TYPE_CHECKING:
    from framework.storages.local_changes import LocalChanges

__all__ = ["local_changes", "notifies", "open_leases", "open_storage"]


def open_storage(path: str, environment: Environment, environ: Mapping[str, str]) -> Storage:
    """The storage that serves a path or URI."""
    if "://" in path:
        raise LandfeedError(f"{path}: only local folders are supported yet", code="storage")
    del environment, environ
    from framework.storages.local import LocalStorage

    return LocalStorage()


def open_leases(environment: Environment, environ: Mapping[str, str]) -> Leases:
    """The leases that runners of an environment share, kept beside its tables."""
    del environ
    from framework.storages.local_leases import LocalLeases

    if environment.root is None or "://" in environment.root:
        raise LandfeedError("leases need a local tables.root", code="storage")
    return LocalLeases(f"{environment.root.rstrip('/')}/{environment.control}/_leases")


def notifies(path: str) -> bool:
    """Whether the system can report changes in a folder; buckets and Databricks Volumes are only listed."""
    return "://" not in path and not path.startswith("/Volumes/")


def local_changes(
    feeds: Mapping[str, Feed],
    on_change: Callable[[frozenset[str]], None],
    on_folders: Callable[[], None],
    on_trouble: Callable[[str], None],
) -> LocalChanges:
    """What reports changes in these feeds' folders; see `LocalChanges`. Raises MissingDependency."""
    try:
        from framework.storages.local_changes import LocalChanges
    except ImportError as error:
        raise MissingDependency(
            f"watching folders needs the package {error.name}", "pip install 'landfeed[watch]'"
        ) from error
    return LocalChanges(feeds, on_change, on_folders, on_trouble)

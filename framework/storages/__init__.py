"""The storages: the only places that touch landing and archive folders or import google.cloud and watchfiles."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from framework.environment import Environment
from framework.errors import MissingDependency, StorageError
from framework.feed import Feed
from framework.leases import Leases
from framework.storage import Storage

if TYPE_CHECKING:
    from framework.storages.gcs_client import GcsAccount
    from framework.storages.local_changes import LocalChanges

__all__ = ["kind_of", "local_changes", "notifies", "open_leases", "open_storage"]


def kind_of(path: str) -> str:
    """Which storage serves a path: `gs`, `volume` or `local`. Raises StorageError for other URIs."""
    scheme, found, _ = path.partition("://")
    if found and scheme != "gs":
        raise StorageError(
            f"{path}: there is no storage for {scheme}://", "use gs://bucket/…, a folder, or a volume (/Volumes/…)"
        )
    return "gs" if found else "volume" if path.startswith("/Volumes/") else "local"


def open_storage(path: str, environment: Environment, environ: Mapping[str, str]) -> Storage:
    """The storage that serves a path or URI. Raises MissingDependency, and StorageError for other URIs."""
    match kind_of(path):
        case "gs":
            account = _gcs_account(path, environment, environ)
            from framework.storages.gcs import GcsStorage

            return GcsStorage(account)
        case "volume":
            from framework.storages.volumes import VolumeStorage

            return VolumeStorage()
        case _:
            from framework.storages.local import LocalStorage

            return LocalStorage()


def open_leases(environment: Environment, environ: Mapping[str, str]) -> Leases:
    """The leases that runners of an environment share, kept beside its tables.

    Tables in a catalog have no folder where leases could stand: there they hold on one machine, and
    beyond it commits that exclude each other have to do. Raises StorageError without credentials.
    """
    private = None
    if environment.root is None:
        of = hashlib.sha256(f"{environment.catalog}.{environment.control}".encode()).hexdigest()[:16]
        private = root = os.path.join(tempfile.gettempdir(), f"landfeed-{os.geteuid()}-{of}")
    else:
        root = environment.root.rstrip("/")
    folder = f"{root}/{environment.control}/_leases"
    match kind_of(folder):
        case "gs":
            account = _gcs_account(folder, environment, environ)
            from framework.storages.gcs_leases import GcsLeases

            account.sign_in()  # the tables are there too, and what works on them has no words for missing credentials
            return GcsLeases(account, folder)
        case _:
            from framework.storages.local_leases import LocalLeases

            return LocalLeases(folder, private)


def _gcs_account(path: str, environment: Environment, environ: Mapping[str, str]) -> GcsAccount:
    try:
        from framework.storages.gcs_client import GcsAccount
    except ImportError as error:
        raise MissingDependency(
            f"{path} needs the package google-cloud-storage", "pip install 'landfeed[gcs]'"
        ) from error
    return GcsAccount.of(environment.gcs_credentials, environment.gcs_project, environ)


def notifies(path: str) -> bool:
    """Whether the system can report changes in a folder; buckets and Databricks Volumes are only listed."""
    return kind_of(path) == "local"


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

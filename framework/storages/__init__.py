"""The storages: the only places that touch landing and archive folders or import google.cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from framework.environment import Environment
from framework.errors import MissingDependency, StorageError
from framework.leases import Leases
from framework.storage import Storage

if TYPE_CHECKING:
    from framework.storages.gcs_client import GcsAccount

__all__ = ["kind_of", "open_leases", "open_storage"]


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
    """The leases that runners of an environment share, kept beside its tables."""
    if environment.root is None:
        # Tables in a catalog have no folder of their own for leases to stand in.
        raise StorageError("leases need tables.root", "set tables.root to a folder or to gs://bucket/folder")
    folder = f"{environment.root.rstrip('/')}/{environment.control}/_leases"
    match kind_of(folder):
        case "gs":
            account = _gcs_account(folder, environment, environ)
            from framework.storages.gcs_leases import GcsLeases

            return GcsLeases(account, folder)
        case _:
            from framework.storages.local_leases import LocalLeases

            return LocalLeases(folder)


def _gcs_account(path: str, environment: Environment, environ: Mapping[str, str]) -> GcsAccount:
    try:
        from framework.storages.gcs_client import GcsAccount
    except ImportError as error:
        raise MissingDependency(
            f"{path} needs the package google-cloud-storage", "pip install 'landfeed[gcs]'"
        ) from error
    return GcsAccount.of(environment.gcs_credentials, environment.gcs_project, environ)

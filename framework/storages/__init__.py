"""The storages: the only places that touch landing and archive folders or import google.cloud."""

from __future__ import annotations

from collections.abc import Mapping

from framework.environment import Environment
from framework.errors import LandfeedError
from framework.leases import Leases
from framework.storage import Storage

__all__ = ["open_leases", "open_storage"]


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

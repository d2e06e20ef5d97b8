"""Leases on one machine: a locked file for each feed, which the system unlocks when its process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from framework.errors import Busy
from framework.leases import REAL_TIME, Patience

__all__ = ["LocalLeases"]

_POLL_SECONDS = 0.05


class LocalLeases:
    """Lock files in `folder`; they stay, empty, after use. Exclusive between threads too."""

    def __init__(self, folder: str, patience: Patience = REAL_TIME) -> None:
        self._folder, self._patience = folder, patience

    @contextmanager
    def hold(self, feed: str, wait_seconds: float) -> Iterator[None]:
        os.makedirs(self._folder, exist_ok=True)
        descriptor = os.open(os.path.join(self._folder, f"{feed}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not self._patience.tried(lambda: _locked(descriptor), wait_seconds, _POLL_SECONDS):
                raise Busy(f"another runner is working on feed {feed}", "wait for it with --wait SECONDS")
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock the file unless somebody else has; whether it is ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Leases on one machine: a locked file for each feed, which the system unlocks when its process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from framework.errors import Busy

__all__ = ["LocalLeases"]

_POLL_SECONDS = 0.05


class LocalLeases:
    """Lock files in `folder`; they stay, empty, after use. Exclusive between threads too."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, feed: str, wait_seconds: float) -> Iterator[None]:
        os.makedirs(self._folder, exist_ok=True)
        descriptor = os.open(os.path.join(self._folder, f"{feed}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            self._lock(descriptor, feed, wait_seconds)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, feed: str, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Busy(f"another runner is working on feed {feed}", "wait for it with --wait SECONDS") from None
                time.sleep(min(_POLL_SECONDS, left))

"""Recording: feeds of a run keep their leases until the ledger has been told of them, many feeds at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from framework.errors import LandfeedError, expected
from framework.ledger import Ledger

__all__ = ["Recording"]

_SECONDS = 2.0
"""How long the ledger may wait for more feeds; others wait as long for the lease."""
_FEEDS = 200
"""Leases that are held at a time, each of which is an open file or an object that has to be kept alive."""


class Recording:
    """The leases of feeds that are done with. Safe for threads. `failed` is why feeds could not be recorded."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._clock = ledger, clock
        self._lock = threading.Lock()
        self._held: dict[str, ExitStack] = {}
        self._since = 0.0
        self._failed: dict[str, LandfeedError] = {}

    @property
    def failed(self) -> Mapping[str, LandfeedError]:
        return self._failed

    def add(self, feed: str, lease: ExitStack) -> None:
        """Give the lease back when what the feed's turn left in the ledger is written."""
        with self._lock:
            self._since = self._since if self._held else self._clock()
            self._held[feed] = lease
            due = len(self._held) >= _FEEDS or self._clock() - self._since >= _SECONDS
        if due:
            self.write()

    def write(self) -> None:
        """Write what has gathered and give the leases back; as left over, where it cannot be written."""
        with self._lock:
            held, self._held = self._held, {}
        error: LandfeedError | None = None
        try:
            self._ledger.write()
        except Exception as raised:
            error = expected(raised)
            self._failed.update(dict.fromkeys(held, error))
        for lease in held.values():
            lease.__exit__(type(error) if error else None, error, None)

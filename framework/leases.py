"""Leases: one runner per feed at a time. A convenience, not the guarantee: commits fence themselves.

A lease that was not given back tells that its holder died, maybe before the ledger knew what it had done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

__all__ = ["REAL_TIME", "Leases", "Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How a runner waits for its turn: seconds of a clock that only moves forward, and pauses of that clock."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def tried(self, attempt: Callable[[], bool], seconds: float, pause: float) -> bool:
        """Whether the attempt succeeds: at once, or at one of the times it is repeated for so many seconds."""
        deadline = self.clock() + seconds
        while not attempt():
            left = deadline - self.clock()
            if left <= 0:
                return False
            self.sleep(min(pause, left))
        return True


REAL_TIME = Patience()


class Leases(Protocol):
    """Hands out the right to work on a feed."""

    def hold(self, feed: str, wait_seconds: float) -> AbstractContextManager[None]:
        """Hold the feed's lease for the length of a `with` block.

        Raises Busy when somebody else holds it and does not let go within `wait_seconds`. An error that leaves
        the block lets others have the lease, and may leave it among those that were not given back.
        """
        ...

    def left(self) -> frozenset[str]:
        """The feeds whose lease was taken and not given back: somebody is working on them, or died over it, or could
        not bring it to an end. Raises StorageError."""
        ...

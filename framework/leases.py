"""Leases: one runner per feed at a time. A convenience, not the guarantee: commits fence themselves."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Leases"]


class Leases(Protocol):
    """Hands out the right to work on a feed."""

    def hold(self, feed: str, wait_seconds: float) -> AbstractContextManager[None]:
        """Hold the feed's lease for the length of a `with` block.

        Raises Busy when somebody else holds it and does not let go within `wait_seconds`.
        """
        ...

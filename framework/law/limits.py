"""Limits: when a file has so many bad rows that it is refused as a whole."""

from __future__ import annotations

from framework.feed import Quarantine

__all__ = ["exceeded"]


def exceeded(quarantine: Quarantine, read: int, bad: int) -> str | None:
    """Why a file with `bad` bad rows out of `read` is over the feed's limits, None when it is not."""
    if quarantine.max_bad_rows is not None and bad > quarantine.max_bad_rows:
        return f"{bad} bad rows are more than quarantine.max_bad_rows ({quarantine.max_bad_rows})"
    if quarantine.max_bad_ratio is not None and read and bad / read > quarantine.max_bad_ratio:
        return f"{bad} bad rows of {read} are more than quarantine.max_bad_ratio ({quarantine.max_bad_ratio:g})"
    return None

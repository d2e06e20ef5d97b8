"""What the manifest of a batch tells of its feed, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict

from framework.feed.feed import Feed
from framework.feed.words import Format

__all__ = ["loaded_as", "read_options"]


def _digest(text: str | None) -> str | None:
    """What tells a condition from others; it may hold the value of an environment variable, which is stored nowhere."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()[:8]


def loaded_as(feed: Feed) -> dict[str, object]:
    """What staged rows and those of the target depend on, as plain data."""
    target = feed.target
    return {
        "mode": target.mode.value,
        "scd_type": target.scd_type,
        "keys": sorted(target.keys),
        "sequence_by": list(target.sequence_by),
        "apply_as_deletes": _digest(target.apply_as_deletes),
        "apply_as_truncates": _digest(target.apply_as_truncates),
        "ignore_null_updates": list(target.ignore_null_updates),
    }


def read_options(feed: Feed, hide: Callable[[str], str]) -> dict[str, object]:
    """The options by which the feed's files are read, as plain data without secrets."""
    source = feed.source
    options: dict[str, object] = {"format": source.format.value, "null_values": [*map(hide, source.null_values)]}
    if source.records is not None:
        options["records"] = source.records
    return options | (asdict(source.csv) if source.format is Format.CSV else {}) | {"trim": source.trim}

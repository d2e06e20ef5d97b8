"""Feeds with which samples are read before there is one for them."""

from __future__ import annotations

from framework.feed import Archive, Feed, Quarantine, Source, Target
from framework.names import Table

__all__ = ["any_feed"]


def any_feed(source: Source) -> Feed:
    """A feed that wants no column of its files."""
    table = Table("any.any")
    return Feed("any", source, (), Target(table, table), Quarantine(table), Archive("", ""))

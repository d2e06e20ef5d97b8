"""Feeds for tests of what stands above engines and folders: only what a test is about has to be said."""

from __future__ import annotations

from typing import Any

from framework.feed import Archive, Column, Feed, Format, Quarantine, Source, Target
from framework.names import Table
from framework.types import parse_type

__all__ = ["column", "made_feed"]


def column(name: str, type_: str = "string", **more: Any) -> Column:
    """A column that is read from the header of its own name unless something else is said."""
    return Column(name, parse_type(type_), more.pop("source_names", (name,)), **more)


def made_feed(
    *columns: Column,
    source: dict[str, Any] | None = None,
    target: dict[str, Any] | None = None,
    quarantine: dict[str, Any] | None = None,
    archive: dict[str, Any] | None = None,
    **more: Any,
) -> Feed:
    """The feed `orders`, which lands in /landing/orders/ and is merged into shop.orders by `id`."""
    table = Table("shop.orders")
    at: dict[str, Any] = {"path": "/landing/orders/", "format": Format.CSV} | (source or {})
    into: dict[str, Any] = {"table": table, "staging": table.suffixed("__staging"), "keys": ("id",)} | (target or {})
    bad: dict[str, Any] = {"table": table.suffixed("__quarantine")} | (quarantine or {})
    out: dict[str, Any] = {"path": "/archive/orders/", "rejected_path": "/archive/_rejected/orders/"} | (archive or {})
    return Feed(
        more.pop("name", "orders"),
        Source(**at),
        columns or (column("id", "int"), column("at", "timestamp"), column("item")),
        Target(**into),
        Quarantine(**bad),
        Archive(**out),
        **more,
    )

"""Tables that are there already: whether a target can take a feed's rows, told before anything of a batch is written,
and whether staging holds what the feed says now."""

from __future__ import annotations

from collections.abc import Sequence

from framework.batch import Manifest
from framework.engine import TableState
from framework.errors import LandfeedError
from framework.feed import Column, Feed, NullKeys, loaded_as
from framework.names import ChangeKind, SchemaChange
from framework.steps import TableColumn

__all__ = ["OTHERWISE", "changed_keys", "check_loaded_as", "check_nulls", "staged_otherwise"]

_FIXED = ("mode", "scd_type", "keys")
"""What a target's rows depend on. What else is told of how rows were staged may change from batch to batch."""


OTHERWISE = "loaded_otherwise"
"""The code of what `check_loaded_as` raises."""


def changed_keys(feed: Feed, manifest: Manifest | None) -> tuple[SchemaChange, ...]:
    """That the feed has other keys than its target was loaded with, if that is so."""
    then, now = (manifest.loaded_as if manifest is not None else {}).get("keys"), loaded_as(feed)["keys"]
    if then is None or then == now:
        return ()
    names = ", ".join(feed.target.keys)
    return (SchemaChange(None, ChangeKind.KEYS, names, _said(then), _said(now), "refuse"),)


def check_loaded_as(feed: Feed, manifest: Manifest | None) -> None:
    """Raises LandfeedError when what the target's rows depend on is no longer what it was: the feed's mode, keys or
    scd_type. `manifest` is that of the last batch, None when there is none; older versions told nothing there."""
    now, then = loaded_as(feed), manifest.loaded_as if manifest is not None else {}
    changed = [name for name in _FIXED if name in then and then[name] != now[name]]
    if not changed:
        return
    was = " and ".join(f"{name} {_said(then[name])}" for name in changed)
    says = " and ".join(_said(now[name]) for name in changed)
    raise LandfeedError(
        f"feed {feed.name}: {feed.target.table} was loaded with {was}, and the feed now says {says}",
        f"put it back; or make the table anew from the archive, look at it, and put it into the old one's place: "
        f"landfeed rebuild {feed.name}, and then with --swap; or load into another table",
        code="loaded_otherwise",
    )


def _said(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def check_nulls(feed: Feed, target: TableState, wanted: Sequence[TableColumn]) -> None:
    """Raises LandfeedError when a column takes no NULL where the feed may have one."""
    table, columns = feed.target.table, {column.name.lower(): column for column in feed.columns}
    written = {column.name.lower() for column in wanted}
    for name in target.not_null:
        drop = f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL"
        own = columns.get(name.lower())
        if name.lower() not in written:
            message = f"column {name} of {table} is NOT NULL, and the feed has no such column"
            raise LandfeedError(message, f"add it to the schema, or: {drop}", code="schema")
        if own is not None and _may_be_null(feed, own):
            message = f"column {name} of {table} is NOT NULL, and rows of the feed may have no value for it"
            hint = f"say required: true, so that such rows go to the quarantine, or give it a default; or: {drop}"
            raise LandfeedError(message, hint, code="schema")


def staged_otherwise(feed: Feed, manifest: Manifest, columns: Sequence[tuple[str, str]]) -> str | None:
    """What the feed's schema has that staging, with these columns, does not hold like this; None when it holds all.
    More columns than the schema has do no harm."""
    there = {name.lower(): type_ for name, type_ in columns}
    for column in feed.columns:
        found = there.get(column.name.lower())
        if found is None:
            return f"column {column.name} is new"
        if found != str(column.type):
            return f"column {column.name} was {found} and is {column.type}"
    now, then = loaded_as(feed), manifest.loaded_as
    name = next((name for name in now if name in then and then[name] != now[name]), None)
    if name is None or name.startswith("apply_as"):
        return f"target.{name} is another one" if name is not None else None
    return f"target.{name} was {_said(then[name])} and is {_said(now[name])}"


def _may_be_null(feed: Feed, column: Column) -> bool:
    """Audit columns, and what the quarantine keeps out when it is missing, are never NULL."""
    keys = feed.target.keys if feed.target.null_keys is NullKeys.QUARANTINE else ()
    return not (column.required or column.default is not None or column.name in (*keys, *feed.target.sequence_by))

"""Ranking: which row of a key counts among those of a batch, and what a folded row holds, as steps of a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.feed import Feed
from framework.law.change import Kind
from framework.law.dialects import Dialect
from framework.law.merging import survivor_order
from framework.law.rules import kind_of
from framework.law.selects import Select
from framework.law.staging import KIND
from framework.law.survivors import Fold, OneRow, Pick

__all__ = ["key_terms", "ranked"]

_RANK = "(rank)"
"""A name that no column has."""


def key_terms(survivor: OneRow | Fold, kind: str, dialect: Dialect) -> str:
    """GROUP BY terms for rows of the same key; `kind` is the SQL of what a row does."""
    keys = [dialect.name(key) for key in survivor.keys]
    if isinstance(survivor, OneRow) and survivor.truncates:
        alone = f"{kind} = '{Kind.TRUNCATE}'"
        keys = [alone, *(f"CASE WHEN {alone} THEN NULL ELSE {key} END" for key in keys)]
    return ", ".join(keys)


def ranked(
    feed: Feed, survivor: OneRow | Fold, place: Mapping[str, str], dialect: Dialect
) -> tuple[Sequence[Select], str]:
    """Steps from rows to rows with their rank among those of their key, and the name of the rank: 1 is the row
    that counts. `place` is the SQL of a row's place in the batch, the file first, by the name that it then has. Where
    rows may delete, the name `KIND` tells what each does."""
    columns = [f"v{index} AS {dialect.name(column.name)}" for index, column in enumerate(feed.columns)]
    named = [f"{sql} AS {dialect.name(name)}" for name, sql in place.items()]
    values = {column.name: f"v{index}" for index, column in enumerate(feed.columns)}
    kind, kind_name = kind_of(feed, values, dialect), dialect.name(KIND)
    named += [f"{kind} AS {kind_name}"] if kind else []
    terms = [dialect.name(name) for name in place]
    last = OneRow(survivor.keys, survivor.sequence) if isinstance(survivor, Fold) else survivor
    over = f"PARTITION BY {key_terms(last, kind_name, dialect)} ORDER BY {survivor_order(last, terms, dialect)}"
    rank = dialect.name(_RANK)
    steps = [Select((*columns, *named))]
    if isinstance(survivor, Fold):
        steps += _folded(
            feed, survivor, kind_name if kind else None, [*place, *([KIND] if kind else [])], terms, dialect
        )
    return (*steps, Select(("*", f"row_number() OVER ({over}) AS {rank}"))), rank


def _folded(
    feed: Feed, fold: Fold, kind: str | None, more: Sequence[str], place: Sequence[str], dialect: Dialect
) -> Iterator[Select]:
    """Steps that give each row the last values before it that are not NULL, since the last delete of its key."""
    first = OneRow(fold.keys, fold.sequence, Pick.FIRST)
    order = f"ORDER BY {survivor_order(first, place, dialect)} ROWS UNBOUNDED PRECEDING"
    keys, since = dialect.names(fold.keys), dialect.name("(since)")
    deletes = f"sum(CASE WHEN {kind} = '{Kind.DELETE}' THEN 1 ELSE 0 END)" if kind else "sum(0)"
    yield Select(("*", f"{deletes} OVER (PARTITION BY {keys} {order}) AS {since}"))
    over = f"OVER (PARTITION BY {keys}, {since} {order})"
    items = []
    for column in feed.columns:
        name = dialect.name(column.name)
        value = f"CASE WHEN {kind} = '{Kind.UPSERT}' THEN {name} END" if kind else name
        items.append(f"{dialect.last_value(value)} {over} AS {name}" if column.name in fold.columns else name)
    others = [dialect.name(name) for name in more if name != KIND]
    if kind:
        renewed = f"{kind} = '{Kind.UPSERT}' AND {since} > 0"
        others.append(f"CASE WHEN {renewed} THEN '{Kind.REPLACE}' ELSE {kind} END AS {kind}")
    yield Select((*items, *others))

"""Matched: which of a file's names each column has, and whether a file may have these names.

Names are the same that a person reads as the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from framework.feed import Column, Feed, MissingColumns, NewColumns, NullKeys, RenamedColumns
from framework.law.hints import lacking

__all__ = ["Rejected", "header_names", "match", "matched", "quoted", "renamed", "same_name"]

_UNSEEN = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad]")
"""Letters that nobody sees."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The whole file is refused; `reason` is a sentence for the person who sent it. `lacks` and `brings` are the
    columns for which: with both, one may be the other by another name."""

    reason: str
    lacks: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()


def same_name(name: str) -> str:
    """What names that a person reads as the same have in common: case, Unicode form, byte-order marks, and blanks of
    any kind around and between make no difference."""
    seen = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(_UNSEEN.sub("", seen).split())


def renamed(feed: Feed, header: Sequence[str], before: Sequence[str]) -> Rejected | None:
    """Why a file with this header is refused after one with the header `before`: a column that was there is gone, and
    a name has come that no column wants, so that one may be the other. None where that is not so, or allowed."""
    if not header or not before or feed.schema_contract.renamed_columns is RenamedColumns.SET_NULL:
        return None
    columns = [column for column in feed.columns if column.from_source and not column.added]
    now, then = matched(columns, header)[0], matched(columns, before)[0]
    known = {"", *map(same_name, before)}
    gone = [column.name for column in columns if column.name in then and column.name not in now]
    come = [name for index, name in enumerate(header) if index not in now.values() and same_name(name) not in known]
    if not gone or not come:
        return None
    old = [before[then[name]] for name in gone]
    reason = (
        f"{quoted(old)}, which the file before had, is gone, and {quoted(come)} has come, which no column wants: "
        f"if it was renamed, say source_name: [{come[0]}, {old[0]}] at the column {gone[0]}; "
        "if not, schema_contract.renamed_columns: set_null"
    )
    return Rejected(reason, tuple(gone), tuple(come))


def header_names(feed: Feed, header: Sequence[str]) -> dict[str, str]:
    """By column, the name that a header has for it."""
    found, _ = matched([column for column in feed.columns if column.from_source], header)
    return {column: header[index] for column, index in found.items()}


def match(feed: Feed, columns: Sequence[Column], names: Sequence[str]) -> dict[str, int] | Rejected:
    """The index of the name that each column has in the file, for those that have one; or why the file is refused."""
    found, twice = matched(columns, names)
    if twice:
        return Rejected(f"the file names {quoted(twice)} more than once, or in several spellings; which is it?")
    return _refuse(feed, columns, names, list(found.items())) or found


def matched(columns: Sequence[Column], names: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """The index of the name that each column has, for those that have one, and the names that are there twice."""
    at: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        at.setdefault(same_name(name), []).append(index)
    at.pop("", None)
    exactly = {name: column.name for column in columns for name in column.source_names}
    found: dict[str, int] = {}
    twice: list[str] = []
    for column in columns:
        wanted = next((name for name in column.source_names if same_name(name) in at), None)
        if wanted is None:
            continue
        same = at[same_name(wanted)]
        own = [index for index in same if exactly.get(names[index], column.name) == column.name] or same
        found[column.name] = own[0]
        twice += [names[own[0]]] if len(own) > 1 else []
    return found, twice


def _refuse(
    feed: Feed, columns: Sequence[Column], names: Sequence[str], fields: Sequence[tuple[str, int]]
) -> Rejected | None:
    present = {name for name, _ in fields}
    missing = [column for column in columns if column.name not in present]
    keys = feed.target.keys
    if feed.target.null_keys is NullKeys.MATCH and present & set(keys):
        keys = ()  # a key column that is not there is NULL in all rows
    needed = [column for column in missing if column.name in (*keys, *feed.target.sequence_by)]
    if needed:
        hint = lacking(feed, needed, names)
        reason = f"there is no {_wanted(needed)} in the file; it has {_found(names)}{hint}"
        return Rejected(reason, tuple(column.name for column in needed))
    contract = feed.schema_contract
    missing = [column for column in missing if not column.added]
    if missing and contract.missing_columns is MissingColumns.REJECT_FILE:
        reason = f"there is no {_wanted(missing)} in the file (schema_contract.missing_columns: reject_file)"
        return Rejected(reason, tuple(column.name for column in missing))
    used = {index for _, index in fields}
    new = [name for index, name in enumerate(names) if index not in used]
    if new and contract.new_columns is NewColumns.REJECT_FILE:
        reason = f"the file has columns that the schema does not: {quoted(new)} (new_columns: reject_file)"
        return Rejected(reason, brings=tuple(new))
    return None


def _wanted(columns: Sequence[Column]) -> str:
    return "column " + ", ".join(" or ".join(map(repr, column.source_names)) for column in columns)


def _found(names: Sequence[str]) -> str:
    return f"{quoted(names)}" if names else "no columns"


def quoted(names: Sequence[str], most: int = 8) -> str:
    """Names as messages tell them, not all of many."""
    shown = ", ".join(repr(name if len(name) <= 40 else name[:40] + "…") for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

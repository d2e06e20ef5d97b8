"""What each mode of a feed means, as a Change, and the columns of the tables that it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import assert_never

from framework.batch import Manifest
from framework.feed import Column, DeleteMode, Feed, Mode, NullKeys
from framework.law.change import (
    Case,
    Change,
    Delete,
    Differs,
    History,
    Insert,
    Is,
    Kind,
    Mark,
    Marked,
    Match,
    Memory,
    Missing,
    NoPartner,
    Nothing,
    Older,
    Outcome,
    Outdated,
    Repeated,
    Replace,
    Swept,
    Update,
)
from framework.law.snapshots import picture_type
from framework.law.survivors import AllRows, Fold, OneRow, Pick, Survivor
from framework.names import AUDIT_COLUMNS, DELETED_AT, END_AT, START_AT, Table
from framework.types import DataType, Scalar, Struct

__all__ = ["change_of", "keeping", "memory_table", "sequence_type", "settled", "stale"]


def change_of(feed: Feed, at: str | None = None) -> Change:
    """What merging a batch of this feed does to its target; `at` is the sequence of a snapshot."""
    target = feed.target
    match target.mode:
        case Mode.MERGE if target.scd_type == 2:
            return _history(feed)
        case Mode.MERGE:
            return _merge(feed)
        case Mode.APPEND:
            return _append(feed, AllRows())
        case Mode.INSERT_ONLY:
            return _insert_only(feed)
        case Mode.OVERWRITE:
            return _append(feed, OneRow(target.keys, target.sequence_by) if target.keys else AllRows(), replaces=True)
        case Mode.SNAPSHOT:
            return _snapshot(feed, at or "")
        case _:
            assert_never(target.mode)


def keeping(change: Change, columns: Collection[str]) -> Change:
    """The change for rows that lack these columns: their partners keep what they have in them, and are not compared
    by them."""
    cases = []
    for case in change.cases:
        when = tuple(
            Differs(tuple(column for column in test.columns if column.name not in columns))
            if isinstance(test, Differs)
            else test
            for test in case.when
        )
        write = case.write
        if isinstance(write, Update):
            write = Update(tuple(column for column in write.columns if column not in columns))
        if Differs(()) not in when:  # what no column tells apart does not differ
            cases.append(replace(case, when=when, write=write))
    return replace(change, cases=tuple(cases))


def settled(change: Change, manifest: Manifest) -> Change:
    """The change when it is known what the files gave: one that is about all rows of the target is about none when
    all files are rejected."""
    everything = change.replace is not None or change.at is not None
    if manifest.loaded or not everything:
        return change
    return Change(None, AllRows(), (Case((NoPartner(),), Outcome.UNCHANGED, Nothing()),))


def memory_table(feed: Feed) -> Table | None:
    """The table of what later events may need and the target does not show; None for a feed that needs none."""
    change = change_of(feed)
    history = change.history is not None and change.at is None
    return feed.target.table.suffixed("__cdc") if change.memory or history else None


def sequence_type(feed: Feed) -> DataType:
    """The type of a sequence: that of the column, or a struct of several; without any it is the time of the load."""
    types = {column.name: column.type for column in feed.columns}
    if feed.target.mode is Mode.SNAPSHOT:
        return picture_type(feed)
    members = tuple((name, types[name]) for name in feed.target.sequence_by)
    if not members:
        return Scalar("timestamp")
    return members[0][1] if len(members) == 1 else Struct(members)


def _match(feed: Feed) -> Match:
    return Match(feed.target.keys, feed.target.null_keys is NullKeys.MATCH)


def _audit(feed: Feed) -> tuple[str, ...]:
    return AUDIT_COLUMNS if feed.target.audit_columns else ()


def _columns(feed: Feed) -> tuple[str, ...]:
    return (*(column.name for column in feed.target_columns), *_audit(feed))


def _compared(feed: Feed) -> tuple[Column, ...]:
    return tuple(column for column in feed.target_columns if column.name not in feed.target.keys)


def _survivor(feed: Feed) -> Survivor:
    target = feed.target
    if target.ignore_null_updates:
        return Fold(target.keys, target.sequence_by, target.ignore_null_updates)
    return OneRow(target.keys, target.sequence_by, truncates=target.apply_as_truncates is not None)


# Rows as they are now


def _append(feed: Feed, survivor: Survivor, *, replaces: bool = False) -> Change:
    by = tuple(column for column in feed.columns if column.name in feed.target.overwrite_by)
    what = Replace(by) if replaces else None
    insert = Case((NoPartner(),), Outcome.INSERTED, Insert(_columns(feed)))
    return Change(None, survivor, (insert,), replace=what)


def _insert_only(feed: Feed) -> Change:
    target = feed.target
    cases = (
        Case((NoPartner(),), Outcome.INSERTED, Insert(_columns(feed))),
        Case((), Outcome.UNCHANGED, Nothing()),
    )
    return Change(_match(feed), OneRow(target.keys, target.sequence_by, Pick.FIRST), cases)


def _merge(feed: Feed) -> Change:
    """Insert what is new, update what differs, leave what is newer, and do what deletes and truncates say."""
    target = feed.target
    if target.delete_mode is DeleteMode.SOFT and target.apply_as_deletes is not None:
        cases, memory, mark = tuple(_soft(feed)), None, Mark(target.sequence_by)
    else:
        cases, mark = tuple(_hard(feed)), None
        memory = (
            Memory(target.keys, target.sequence_by, target.apply_as_truncates is not None) if _forgets(feed) else None
        )
    inherits = tuple(name for name in target.ignore_null_updates if name not in target.except_columns)
    return Change(_match(feed), _survivor(feed), cases, inherits, memory, mark)


def _forgets(feed: Feed) -> bool:
    """Whether the target does not show all that later events need: without a sequence none is late."""
    target = feed.target
    return bool(target.sequence_by) and (target.apply_as_deletes or target.apply_as_truncates) is not None


def _hard(feed: Feed) -> Iterator[Case]:
    target, columns, compared = feed.target, _columns(feed), _compared(feed)
    nothing, alone, memory = Nothing(), (NoPartner(),), _forgets(feed)
    if memory:
        yield Case((*alone, Outdated()), Outcome.STALE, nothing)
    if target.apply_as_truncates is not None:
        yield Case((*alone, Is(Kind.TRUNCATE), Repeated()), Outcome.UNCHANGED, nothing)
        yield Case((*alone, Is(Kind.TRUNCATE)), Outcome.DELETED, nothing, remembered=True)
    if target.apply_as_deletes is not None:
        if memory:
            yield Case((*alone, Is(Kind.DELETE), Repeated()), Outcome.UNCHANGED, nothing)
        yield Case((*alone, Is(Kind.DELETE)), Outcome.UNCHANGED, nothing, remembered=memory)
    yield Case(alone, Outcome.INSERTED, Insert(columns))
    if memory:
        yield Case((Outdated(),), Outcome.STALE, nothing)
    if target.sequence_by:
        yield Case((Older(target.sequence_by),), Outcome.STALE, nothing)
    if target.apply_as_deletes is not None:
        yield Case((Is(Kind.DELETE),), Outcome.DELETED, Delete(), remembered=memory)
    if compared:
        yield Case((Differs(compared),), Outcome.UPDATED, Update(columns))
    yield Case((), Outcome.UNCHANGED, nothing)
    if target.apply_as_truncates is not None:
        yield Case((Swept(),), None, Delete())


def _soft(feed: Feed) -> Iterator[Case]:
    target, columns, compared = feed.target, _columns(feed), _compared(feed)
    marked = (DELETED_AT, *_audit(feed))
    is_delete, alone = Is(Kind.DELETE), (NoPartner(),)
    yield Case((*alone, is_delete), Outcome.DELETED, Insert((*target.keys, *marked)))
    yield Case(alone, Outcome.INSERTED, Insert((*columns, DELETED_AT)))
    if target.sequence_by:
        yield Case((Older(target.sequence_by),), Outcome.STALE, Nothing())
        yield Case((is_delete, Marked(), Repeated()), Outcome.UNCHANGED, Nothing())
        yield Case((is_delete, Marked()), Outcome.UPDATED, Update(marked))
    else:
        yield Case((is_delete, Marked()), Outcome.UNCHANGED, Nothing())
    yield Case((is_delete,), Outcome.DELETED, Update(marked))
    yield Case((Marked(),), Outcome.UPDATED, Update((*columns, DELETED_AT)))
    if compared:
        yield Case((Differs(compared),), Outcome.UPDATED, Update((*columns, DELETED_AT)))
    yield Case((), Outcome.UNCHANGED, Nothing())


def _snapshot(feed: Feed, at: str) -> Change:
    """The batch is all that there is: what it lacks is deleted."""
    target, columns, compared = feed.target, _columns(feed), _compared(feed)
    moment = (picture_type(feed), at)
    if target.scd_type == 2:
        return replace(_history(feed), at=moment, survivor=OneRow(target.keys))
    soft = target.delete_mode is DeleteMode.SOFT
    if soft:
        columns = (*columns, DELETED_AT)
    cases = [Case((NoPartner(),), Outcome.INSERTED, Insert(columns))]
    if soft:
        cases.append(Case((Marked(),), Outcome.UPDATED, Update(columns)))
    if compared:
        cases.append(Case((Differs(compared),), Outcome.UPDATED, Update(columns)))
    cases.append(Case((), Outcome.UNCHANGED, Nothing()))
    cases.append(Case((Missing(),), None, Update((DELETED_AT,)) if soft else Delete()))
    return Change(_match(feed), OneRow(target.keys), tuple(cases), mark=Mark() if soft else None, at=moment)


def stale() -> Change:
    """What a snapshot does that is not newer than the last one: nothing."""
    return Change(None, AllRows(), (Case((NoPartner(),), Outcome.STALE, Nothing()),))


# Rows as they were


def _history(feed: Feed) -> Change:
    target = feed.target
    values = tuple(column for column in feed.target_columns if column.name not in target.keys)
    named = target.track_columns
    tracked = tuple(
        column
        for column in values
        if (column.name not in target.sequence_by if named is None else column.name in named)
    )
    history = History(
        target.keys, target.sequence_by, tracked, values, _audit(feed), target.apply_as_deletes is not None
    )
    key, listed = (*target.keys, START_AT), (*_columns(feed), START_AT, END_AT)
    writes = (Case((), None, Insert(listed)), Case((), None, Update(listed)), Case((), None, Delete()))
    cases = (*(Case((), outcome, Nothing()) for outcome in Outcome), *writes)
    survivor = OneRow(tuple(dict.fromkeys((*target.keys, *target.sequence_by))))
    return Change(Match(key, target.null_keys is NullKeys.MATCH), survivor, cases, history=history)

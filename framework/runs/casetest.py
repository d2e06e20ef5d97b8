"""Cases are run: what a feed makes of files, against what it should. Each in a folder of its own, from nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeAlias

from framework.environment import Durability, Environment
from framework.errors import LandfeedError, expected
from framework.feed import ArchiveAction, Column, Feed, Format, Mode, NullKeys, Source
from framework.law.references import references
from framework.law.sheets import Difference, Row, Sheet, compare, sheet_text
from framework.leases import Leases
from framework.machine import own_folder
from framework.names import AUDIT_COLUMNS, START_AT, Status, Table
from framework.plan.tables import new_target
from framework.plan.world import World
from framework.report import FeedReport
from framework.runs.cases import Case, Result, days_of, read
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.steps import CreateTable, TableColumn
from framework.types import Array, DataType, Map, Scalar, Struct, parse_type

__all__ = ["Opened", "run_case"]

Opened: TypeAlias = Callable[[Environment], AbstractContextManager[tuple[World, Leases]]]
"""Opens an environment that stands in a folder of its own."""
_GIVEN, _TARGET = "target.csv", "expected.csv"
_BAD, _REJECTED = "expected_quarantine.csv", "expected_rejected.csv"
_BAD_COLUMNS = ("_source_file", "_line", "_record", "_errors")
_EVERY = 10_000_000
"""Rows of a table that are looked at."""


def run_case(
    case: Case, environment: Environment, opened: Opened, clock: Callable[[], float], *, update: bool = False
) -> Result:
    """Run a case and compare; with `update` the sheets are written as they came out. `environment` gives the engine
    and what feeds ask of it, `clock` seconds. A case that cannot be run is one that failed."""
    started = clock()
    try:
        with own_folder() as folder:
            sheets, types, keys = _came_out(case, environment, opened, folder)
        if update:
            written = tuple(_update(case, sheets))
            return Result(case.feed.name, case.name, clock() - started, updated=written)
        differences = dict(_differences(case, sheets, types, keys))
        return Result(case.feed.name, case.name, clock() - started, differences)
    except Exception as raised:
        error = expected(raised)
        return Result(case.feed.name, case.name, clock() - started, error=error.message, hint=error.hint)


# Running


def _came_out(
    case: Case, environment: Environment, opened: Opened, folder: str
) -> tuple[dict[str, Sheet], dict[str, DataType], tuple[str, ...]]:
    """What the case's files gave: sheets by name, the types of the target's columns, and what identifies its rows."""
    feed = _moved(case.feed, folder)
    alone = replace(environment, root=os.path.join(folder, "tables"), catalog=None, durability=Durability.NONE, jobs=1)
    rejected: list[Row] = []
    with opened(alone) as (world, leases):
        _give(case, feed, world, leases, folder)
        for day in days_of(case):
            shutil.copytree(day, feed.source.path, dirs_exist_ok=True)
            rejected += _refused(feed, run_feeds([feed], world, leases, Options(jobs=1))[0])
        sheets = {
            _TARGET: _table(world, feed.target.table),
            _BAD: _bad(feed, _table(world, feed.quarantine.table)),
            _REJECTED: Sheet(("file", "reason"), tuple(rejected)),
        }
        state = world.engine.state(feed.target.table, feed.name)
    types = {name: parse_type(type_) for name, type_ in state.columns} if state is not None else {}
    keys = feed.target.keys + ((START_AT,) if feed.target.scd_type == 2 else ())
    return sheets, types, keys


def _moved(feed: Feed, folder: str) -> Feed:
    """The feed with its files in a folder, where all that has landed is ready."""
    source = replace(feed.source, path=f"{folder}/landing/", ready_when=None)
    os.makedirs(source.path)
    archive = replace(
        feed.archive,
        path=f"{folder}/archive/",
        rejected_path=f"{folder}/rejected/",
        on_success=ArchiveAction.MOVE,
    )
    return replace(feed, source=source, archive=archive)


def _as_feed(feed: Feed, path: str, types: Mapping[str, DataType], table: Table) -> Feed:
    """The feed that appends rows of these columns, JSON lines below `path`, to a table."""
    return replace(
        feed,
        name=f"{feed.name}__given_{table.name}",
        source=Source(path, Format.JSON, limits=feed.source.limits),
        columns=tuple(Column(name, type_, (name,)) for name, type_ in types.items()),
        target=replace(
            feed.target,
            table=table,
            staging=table.suffixed("__given"),
            mode=Mode.APPEND,
            scd_type=1,
            keys=(),
            null_keys=NullKeys.MATCH,
            sequence_by=(),
            apply_as_deletes=None,
            apply_as_truncates=None,
            ignore_null_updates=(),
            except_columns=(),
            audit_columns=False,
        ),
        quarantine=replace(feed.quarantine, max_bad_rows=0, max_bad_ratio=None),
        checks=(),
        filter=None,
    )


def _give(case: Case, feed: Feed, world: World, leases: Leases, folder: str) -> None:
    """Make the target with the rows of target.csv, if there is one, and the tables into which checks look."""
    for other, sought in _referred(feed).items():
        rows = read(case, f"{other}.csv")
        if rows is None:
            message = f"{case.folder} has no {other}.csv, in which checks of the feed look for {', '.join(sought)}"
            raise LandfeedError(message, f"write the rows of {other} into it that the case needs", code="case")
        known = {column: sought.get(column, Scalar("string")) for column in rows.columns}
        world.engine.create(CreateTable(other, tuple(TableColumn(*each) for each in known.items())))
        _load(feed, world, leases, f"{folder}/{other}/", (f"{other}.csv", rows, known, other))
    sheet = read(case, _GIVEN)
    if sheet is None:
        return
    table = new_target(feed)
    types = {column.name: column.type for column in table.columns}
    unknown = [name for name in sheet.columns if name not in types]
    if unknown:
        raise LandfeedError(f"{_GIVEN}: the target has no column {unknown[0]}", _has(types), code="case")
    world.engine.create(table)
    _load(feed, world, leases, f"{folder}/given/", (_GIVEN, sheet, types, table.table))


def _referred(feed: Feed) -> dict[Table, dict[str, DataType]]:
    """The tables into which the feed's checks look, with the columns that they need."""
    types = {column.name: column.type for column in feed.columns}
    found: dict[Table, dict[str, DataType]] = {}
    for _, reference in references(feed):
        found.setdefault(reference.table, {})[reference.among] = types[reference.column]
    return found


def _load(
    feed: Feed, world: World, leases: Leases, path: str, given: tuple[str, Sheet, Mapping[str, DataType], Table]
) -> None:
    """Load a sheet (its name, rows, the types of columns and the table) as a feed of its own would, from `path`."""
    name, sheet, types, table = given
    if not sheet.rows:
        return
    os.makedirs(path)
    with open(os.path.join(path, "rows.json"), "w", encoding="utf-8") as out:
        out.writelines(json.dumps(_document(sheet.columns, row, types)) + "\n" for row in sheet.rows)
    loading = _as_feed(feed, path, {name: types[name] for name in sheet.columns}, table)
    what = "the target" if name == _GIVEN else "the feed"
    for reason in _refused(loading, run_feeds([loading], world, leases, Options(jobs=1))[0]):
        raise LandfeedError(f"{name} does not fit {what}: {reason[1]}", code="case")


def _document(columns: Sequence[str], row: Row, types: Mapping[str, DataType]) -> dict[str, Any]:
    """A row as JSON: scalars as texts, which follow the rules of all values."""
    named = zip(columns, row, strict=True)
    return {
        name: json.loads(text) if text and isinstance(types[name], Array | Map | Struct) else text
        for name, text in named
    }


def _refused(feed: Feed, report: FeedReport) -> Iterator[Row]:
    """The files that were rejected, and what ended the run, each with its reason. Raises LandfeedError for what is no
    answer to the files."""
    for file in report.files:
        if file.status == "rejected":
            reason = (file.reason or "").replace(feed.source.path, "")
            yield file.file.removeprefix(feed.source.path), reason
    if report.error is not None and report.status is Status.REJECTED:
        yield None, report.error.message
    elif report.error is not None:
        raise LandfeedError(report.error.message, report.error.hint, code=report.error.code)


def _table(world: World, table: Table) -> Sheet:
    found = world.engine.preview(table, _EVERY)
    return Sheet(found.columns, found.rows) if found is not None else Sheet(())


def _bad(feed: Feed, table: Sheet) -> Sheet:
    """The quarantine in a few columns: files as they are called in landing, reasons as `code` or `code in column`."""
    if not table.rows:
        return Sheet(_BAD_COLUMNS)
    rows = []
    for file, line, record, errors in table.only(_BAD_COLUMNS).rows:
        found = json.loads(errors or "[]")
        codes = "; ".join(e["code"] + (f" in {e['column']}" if e["column"] else "") for e in found)
        rows.append(((file or "").removeprefix(feed.source.path), line, record, codes))
    return Sheet(_BAD_COLUMNS, tuple(sorted(rows, key=lambda row: (row[0], int(row[1] or 0), row[2] or ""))))


# Comparing


def _differences(
    case: Case, sheets: Mapping[str, Sheet], types: Mapping[str, DataType], keys: Sequence[str]
) -> Iterator[tuple[str, Difference]]:
    for name, found in sheets.items():
        wanted = read(case, name)
        if wanted is None and name == _TARGET:
            hint = "write what the target should hold, or take what came out: landfeed test --update"
            raise LandfeedError(f"{case.folder} has no {_TARGET}", hint, code="case")
        if wanted is None:
            wanted = Sheet(found.columns)
        if not found.columns and not wanted.rows:
            continue  # there is no table, and there should be no rows
        unknown = [column for column in wanted.columns if found.columns and column not in found.columns]
        if unknown:
            raise LandfeedError(f"{name}: there is no column {unknown[0]}", _has(found.columns), code="case")
        found = found if found.columns else Sheet(wanted.columns)
        of_target = name == _TARGET
        difference = compare(wanted, found, types if of_target else None, keys if of_target else ())
        if difference:
            yield name, difference


def _has(columns: Sequence[str] | Mapping[str, DataType]) -> str:
    return f"it has: {', '.join(columns)}"


def _update(case: Case, sheets: Mapping[str, Sheet]) -> Iterator[str]:
    """Write the sheets that are other than they were, in the columns that they had; what there is nothing of is
    written only where there was something."""
    for name, found in sheets.items():
        path, before = os.path.join(case.folder, name), read(case, name)
        columns = [column for column in (before or found).columns if column in found.columns]
        if before is None:
            columns = [column for column in found.columns if column not in AUDIT_COLUMNS or name != _TARGET]
        if before is None and name != _TARGET and not found.rows:
            continue
        text = sheet_text(found.only(columns) if columns else before or found)
        if before is None or sheet_text(before) != text:
            with open(path, "w", encoding="utf-8", newline="") as out:
                out.write(text)
            yield name

"""A first load into an empty table: its files are those of staging instead of being encoded once more."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from framework.engines.embedded.parquet import is_plain
from framework.names import AUDIT_COLUMNS

__all__ = ["adopt", "may_adopt"]


def may_adopt(staging: DeltaTable, target: DeltaTable, columns: Sequence[str]) -> bool:
    """Whether staging's files may stand in the target as they are, with the columns that are to be written and no
    others: the same types, and nothing in the target that a writer has to see to (partitions, constraints,
    generated columns).

    Staging's audit columns may stay in the files; the target's schema decides what readers see of them.
    """
    if not is_plain(target):
        return False
    staged, there = ({field.name: field for field in delta.schema().fields} for delta in (staging, target))
    if not set(columns) <= set(staged) <= {*columns, *AUDIT_COLUMNS}:
        return False
    return all(name in there and there[name].type == staged[name].type for name in columns)


def adopt(source: str, version: int, folder: str, target: DeltaTable, properties: CommitProperties) -> int:
    """Append the files that one commit added to the local table in the folder `source` to the target in
    `folder`; the number of rows in them, by their statistics."""
    rows = 0
    actions: list[AddAction | RemoveAction] = []
    for add in _added(source, version):
        rows += json.loads(add["stats"])["numRecords"]
        _share(os.path.join(source, add["path"]), os.path.join(folder, add["path"]))
        actions.append(AddAction(add["path"], add["size"], {}, add["modificationTime"], True, _stats(add["stats"])))
    target.create_write_transaction(actions, "append", target.schema(), commit_properties=properties)
    target.update_incremental()
    return rows


def _share(path: str, to: str) -> None:
    """One file under two names; a copy where that cannot be. Neither is ever written again. An earlier process that
    died before its commit may have left either."""
    try:
        os.link(path, to)
    except OSError:
        if not (os.path.exists(to) and os.path.samefile(path, to)):
            os.replace(shutil.copyfile(path, f"{to}.copy"), to)


def _added(source: str, version: int) -> Iterator[dict[str, Any]]:
    """The add actions of one commit."""
    with open(os.path.join(source, "_delta_log", f"{version:020}.json"), encoding="utf-8") as log:
        for line in log:
            action = json.loads(line)
            if "add" in action:
                yield action["add"]


def _stats(text: str) -> str:
    """The file's statistics without those of staging's audit columns."""
    stats = json.loads(text)
    for each in stats.values():
        if isinstance(each, dict):
            for name in AUDIT_COLUMNS:
                each.pop(name, None)
    return json.dumps(stats)

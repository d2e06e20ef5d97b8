"""What a feed's `target` must fulfil: columns that there are, and keys that mean something for its mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.errors import Problem
from framework.loader.column_types import type_of
from framework.loader.nodes import Node
from framework.loader.suggest import did_you_mean, one_of
from framework.names import CHANGE, DELETED_AT, END_AT, RESCUED, SEQUENCE, START_AT
from framework.types import Array, Map, Scalar, Struct

__all__ = ["problems"]

_NEED_KEYS = ("merge", "insert_only", "snapshot")
_LISTS = (
    *("keys", "sequence_by", "except_columns", "track_columns", "track_except", "overwrite_by"),
    *("ignore_null_updates", "cluster_by", "partition_by"),
)
_NESTED_MAY = ("except_columns", "track_columns", "track_except", "ignore_null_updates")
_OF_MODES: Mapping[str, tuple[Sequence[str], str]] = {
    "keys": (("merge", "insert_only", "overwrite", "snapshot"), "every row is added, whatever its key"),
    "sequence_by": (("merge", "insert_only", "overwrite"), "{no_sequence}"),
    "apply_as_deletes": (("merge",), "{no_deletes}"),
    "apply_as_truncates": (("merge",), "{no_deletes}"),
    "delete_mode": (("merge", "snapshot"), "nothing is deleted"),
    "ignore_null_updates": (("merge",), "{no_updates}"),
    "overwrite_by": (("overwrite",), "only overwrite replaces rows by their values"),
    "allow_empty": (("overwrite",), "{no_empty}"),
    "snapshot": (("snapshot",), "no file is a complete picture"),
}
"""The modes in which a key means something, and why it does not in others."""
_WHY = {
    "no_sequence": {"append": "every row is added, newer or not", "snapshot": "snapshot.by tells the newer one"},
    "no_deletes": {"snapshot": "what a picture lacks is deleted", "": "no row deletes another"},
    "no_updates": {"snapshot": "a picture is complete, and its NULLs are NULLs", "": "no row is updated"},
    "no_empty": {"snapshot": "say snapshot: {allow_empty: true}", "": "a batch without rows changes nothing"},
}


def problems(tree: Node, columns: Mapping[str, Node], captured: frozenset[str], told: bool) -> Iterator[Problem]:
    """Everything wrong under `target`. `columns` are all columns as written, `captured` the captures of source.files;
    `told` says that the keys have a problem already."""
    target = tree.get("target")
    if target is None:
        return
    spelt = {name.lower(): name for name in columns}
    for key in _LISTS:
        if key != "ignore_null_updates" or not isinstance(_value(target, key), bool):
            yield from _named(target, key, spelt, columns)
    mode = _text(target, "mode") or "merge"
    if mode in _NEED_KEYS and "keys" not in target.map and not told:
        place = target.get("mode") or target
        hint = "add the columns that identify a row, for example keys: [id]"
        yield place.problem("target.keys", f"mode {mode} needs keys", hint)
    yield from _of_mode(target, tree.get("source"), mode)
    yield from _history(target, mode) if _value(target, "scd_type") == 2 else _rows(target, mode)
    keep = tree.get("schema_contract", "missing_columns")
    if keep is not None and keep.text == "keep" and (mode != "merge" or _value(target, "scd_type") == 2):
        message = "old values are kept where rows are updated: in mode merge with scd_type 1"
        yield keep.problem("schema_contract.missing_columns", message, "use set_null or reject_file")
    yield from _left_out(target, columns)
    new = tree.get("schema_contract", "new_columns")
    yield from _own_names(target, mode, columns, rescues=new is not None and new.text == "rescue")
    header = tree.get("source", "options", "header")
    if new is not None and new.text in ("add", "rescue") and header is not None and header.value is False:
        message = "without a header, columns are mapped by position and no column is new"
        yield new.problem("schema_contract.new_columns", message, "leave it out")
    yield from _snapshot(target, captured)
    if "cluster_by" in target.map and "partition_by" in target.map:
        place = target.map["partition_by"]
        message = "a table is either clustered or partitioned"
        yield place.problem("target.partition_by", message, "choose one", at_key=True)


def _text(tree: Node, key: str) -> str:
    node = tree.get(key)
    return node.text if node is not None and not node.broken else ""


def _value(target: Node, key: str) -> object:
    node = target.get(key)
    return node.value if node is not None and not node.broken else None


def _list(tree: Node, key: str) -> list[Node]:
    node = tree.get(key)
    if node is None or isinstance(node.value, bool):
        return []
    return [item for item in node.items if not item.broken]


def _names(target: Node, *keys: str) -> set[str]:
    return {node.text.lower() for key in keys for node in _list(target, key)}


def _named(target: Node, key: str, spelt: Mapping[str, str], columns: Mapping[str, Node]) -> Iterator[Problem]:
    seen: set[str] = set()
    several = key in target.map and isinstance(target.map[key].value, list)
    for index, node in enumerate(_list(target, key)):
        path = f"target.{key}[{index}]" if several else f"target.{key}"
        name = node.text.lower()
        if not spelt:
            return  # that there is no schema has been said
        if name not in spelt:
            hint = did_you_mean(node.text, columns) or f"the schema has: {', '.join(list(columns)[:10])}"
            yield node.problem(path, f"there is no column '{node.shown}' in the schema", hint)
            continue
        if name in seen:
            yield node.problem(path, f"'{node.shown}' stands twice", "remove one of the two")
        seen.add(name)
        found = type_of(columns[spelt[name]])
        if isinstance(found, Array | Map | Struct) and key not in _NESTED_MAY:
            message = f"'{node.shown}' is {found}, and values of that type cannot be compared"
            yield node.problem(path, message, "use a column with a simple type")
        elif key == "keys" and found in (Scalar("float"), Scalar("double")):
            message = f"'{node.shown}' is {found}, and floating point numbers do not identify anything"
            yield node.problem(path, message, "use decimal, bigint or string for keys")


# What means something together


def _of_mode(target: Node, source: Node | None, mode: str) -> Iterator[Problem]:
    for key, (modes, reason) in _OF_MODES.items():
        if key in target.map and mode not in modes:
            whys = _WHY.get(reason.strip("{}"), {"": reason})
            why = whys.get(mode, whys.get("", reason))
            hint = f"leave it out, or use mode {' or '.join(modes)}"
            yield target.map[key].problem(
                f"target.{key}", f"{key} means nothing in mode {mode}: {why}", hint, at_key=True
            )
    most = source.get("max_files_per_batch") if source is not None else None
    whole = {"overwrite": "all that is pending", "snapshot": "one picture, with all of its files"}
    if mode in whole and most is not None:
        message = f"in mode {mode} a batch is {whole[mode]}, and never cut"
        yield most.problem("source.max_files_per_batch", message, "leave it out", at_key=True)
    if mode == "overwrite" and "sequence_by" in target.map and "keys" not in target.map:
        message = "without keys no row is newer than another"
        place = target.map["sequence_by"]
        yield place.problem("target.sequence_by", message, "add keys, or leave it out", at_key=True)


def _history(target: Node, mode: str) -> Iterator[Problem]:
    scd = target.map["scd_type"]
    if mode not in ("merge", "snapshot"):
        yield scd.problem("target.scd_type", f"scd_type 2 does not go with mode {mode}", "use mode merge or snapshot")
        return
    if mode == "merge" and "sequence_by" not in target.map:
        hint = "add the column that says which of two rows is newer, for example sequence_by: updated_at"
        yield scd.problem("target.scd_type", "scd_type 2 needs sequence_by", hint)
    for key, why, hint in (
        ("apply_as_truncates", "a history keeps what was", "leave it out, or use scd_type 1"),
        ("delete_mode", "a delete closes the current row, which stays", "leave it out"),
        ("ignore_null_updates", "each row of a history is one that was there", "leave it out, or use scd_type 1"),
    ):
        if key in target.map:
            message = f"{key} means nothing with scd_type 2: {why}"
            yield target.map[key].problem(f"target.{key}", message, hint, at_key=True)
    if "track_columns" in target.map and "track_except" in target.map:
        place = target.map["track_except"]
        message = "what opens a version is said twice"
        yield place.problem("target.track_except", message, "keep track_columns or track_except", at_key=True)
    untracked = _names(target, "keys", "except_columns")
    for key in ("track_columns", "track_except"):
        for node in _list(target, key):
            if node.text.lower() in untracked:
                message = f"'{node.shown}' is a key or under except_columns, and opens no version anyway"
                yield node.problem(f"target.{key}", message, "remove it")


def _rows(target: Node, mode: str) -> Iterator[Problem]:
    for key in ("track_columns", "track_except"):
        if key in target.map:
            message = f"{key} means nothing with scd_type 1, which keeps no versions"
            yield target.map[key].problem(f"target.{key}", message, "leave it out, or use scd_type: 2", at_key=True)
    truncates = target.get("apply_as_truncates")
    if truncates is not None and mode == "merge" and "sequence_by" not in target.map:
        message = "a truncate needs sequence_by: it removes what is older than itself"
        yield truncates.problem("target.apply_as_truncates", message, "add sequence_by", at_key=True)
    soft = _text(target, "delete_mode") == "soft"
    if truncates is not None and (
        soft or _list(target, "ignore_null_updates") or _value(target, "ignore_null_updates")
    ):
        other = "delete_mode: soft" if soft else "ignore_null_updates"
        message = f"a truncate removes rows, and {other} needs those that were there"
        yield truncates.problem("target.apply_as_truncates", message, "remove one of the two", at_key=True)
    if soft and mode == "merge" and "apply_as_deletes" not in target.map:
        message = "nothing is deleted without apply_as_deletes"
        hint = "add apply_as_deletes, or leave delete_mode out"
        yield target.map["delete_mode"].problem("target.delete_mode", message, hint, at_key=True)
    fixed = _names(target, "keys", "sequence_by")
    for node in _list(target, "ignore_null_updates"):
        if node.text.lower() in fixed:
            message = f"'{node.shown}' is a key or a sequence column, which is never NULL"
            yield node.problem("target.ignore_null_updates", message, "remove it")


def _left_out(target: Node, columns: Mapping[str, Node]) -> Iterator[Problem]:
    left = _names(target, "except_columns")
    for key in ("keys", "cluster_by", "partition_by", "overwrite_by"):
        for node in _list(target, key):
            if node.text.lower() in left:
                message = f"'{node.shown}' is under except_columns, so the target does not have it"
                yield node.problem(f"target.{key}", message, "remove it from one of them")
    if _value(target, "scd_type") != 2:
        for node in _list(target, "sequence_by"):
            if node.text.lower() in left:
                message = f"'{node.shown}' is under except_columns, and the target must know how old its rows are"
                yield node.problem("target.sequence_by", message, "remove it from except_columns")
    if left and columns and left >= {name.lower() for name in columns}:
        place = target.map["except_columns"]
        yield place.problem("target.except_columns", "no column is left for the target", "remove some", at_key=True)


def _own_names(target: Node, mode: str, columns: Mapping[str, Node], *, rescues: bool) -> Iterator[Problem]:
    """Columns that are called as those which the mode adds."""
    own: dict[str, str] = {}
    if _value(target, "scd_type") == 2:
        own |= {START_AT: "scd_type 2", END_AT: "scd_type 2"}
    if _text(target, "delete_mode") == "soft":
        own |= {DELETED_AT: "delete_mode soft"}
    deletes = "apply_as_deletes" in target.map or "apply_as_truncates" in target.map
    if mode == "merge" and (own.get(START_AT) or deletes):
        why = "scd_type 2" if START_AT in own else "a feed whose rows delete"
        own |= dict.fromkeys((CHANGE, SEQUENCE, "_feed", "_batch"), why)
    if rescues:
        own |= {RESCUED: "new_columns: rescue"}
    added = {name.lower(): why for name, why in own.items()}
    for name, node in columns.items():
        if name.lower() in added or name.lower().startswith("_lf_"):
            of = f", which {added[name.lower()]} adds" if name.lower() in added else ""
            message = f"the name '{name}' is Landfeed's own{of}"
            yield node.problem(f"schema.{name}", message, "take another name", at_key=True)


def _snapshot(target: Node, captured: frozenset[str]) -> Iterator[Problem]:
    by = target.get("snapshot", "by")
    if by is not None and not by.broken and by.text not in captured:
        message = f"'{by.shown}' is not a capture of source.files"
        yield by.problem("target.snapshot.by", message, one_of(by.shown, sorted(captured)))

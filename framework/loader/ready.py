"""Keys of columns that stand for a check, and masks: their problems, and what they are made into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.errors import Problem
from framework.feed import Check, CheckAction, CheckScope, Mask, MaskMethod, Reference
from framework.loader.nodes import Node
from framework.loader.values import word
from framework.names import AUDIT_COLUMNS, Table
from framework.types import Array, DataType, Map, Scalar, Struct, parse_type

__all__ = ["checks", "key_problems", "mask", "problems"]


def problems(node: Node, path: str, found: DataType | None) -> Iterator[Problem]:
    """Problems of the keys that stand for a check or a mask."""
    future, unique, mask = node.get("not_in_future"), node.get("unique"), node.get("mask")
    moments = (Scalar("date"), Scalar("timestamp"), Scalar("timestamp_ntz"))
    if future is not None and future.value is True and found is not None and found not in moments:
        yield future.problem(f"{path}.not_in_future", f"a {found} has no future", "it is for dates and timestamps")
    if unique is not None and unique.value is True and isinstance(found, Array | Map | Struct):
        yield unique.problem(f"{path}.unique", f"values of {found} cannot be compared", "remove it")
    exists = node.get("exists_in")
    if exists is not None and isinstance(found, Array | Map | Struct):
        yield exists.problem(f"{path}.exists_in", f"values of {found} cannot be compared", "remove it", at_key=True)
    if mask is not None and not mask.broken:
        yield from _mask_problems(mask, f"{path}.mask", found)


def _mask_problems(mask: Node, path: str, found: DataType | None) -> Iterator[Problem]:
    method, key, keep = mask.get("method"), mask.get("key"), mask.get("keep")
    if method is None or method.broken:
        return
    if found not in (None, Scalar("string")) and method.text != "redact":
        yield method.problem(f"{path}.method", f"{method.text} gives a text, and the column is {found}", "use redact")
    if method.text == "hmac_sha256" and key is None:
        yield method.problem(f"{path}.method", "hmac_sha256 needs a key", 'add key: "${env:PEPPER}"')
    if key is not None and method.text != "hmac_sha256":
        yield key.problem(f"{path}.key", f"{method.text} has no key", "remove it, or use hmac_sha256", at_key=True)
    if keep is not None and method.text != "last":
        yield keep.problem(f"{path}.keep", f"{method.text} keeps nothing", "remove it, or use last", at_key=True)


def key_problems(target: Node, columns: Mapping[str, Node]) -> Iterator[Problem]:
    """Keys are matched by their masks, which must differ where they do; an order no mask keeps."""
    masks = {name.lower(): node.get("mask", "method") for name, node in columns.items() if isinstance(node.value, dict)}
    for key in ("keys", "sequence_by"):
        listed = target.get(key)
        for node in listed.items if listed is not None else []:
            method = masks.get(node.text.lower())
            if method is None or (key == "keys" and method.text in ("sha256", "hmac_sha256")):
                continue
            if key == "keys":
                message = f"'{node.shown}' is masked by {method.text}, which makes different keys the same"
                yield node.problem(f"target.{key}", message, "use hmac_sha256 or sha256 for a key")
            else:
                message = f"'{node.shown}' is masked, and its mask has another order"
                yield node.problem(f"target.{key}", message, "order by a column without a mask")


def mask(node: Node | None) -> Mask | None:
    """The mask of a column."""
    if node is None:
        return None
    key, keep = node.get("key"), node.get("keep")
    return Mask(MaskMethod(node.map["method"].text), key.text if key else "", int(keep.text) if keep else _KEEP)


_KEEP = 4
"""Characters that `last` keeps, if nothing else is said."""


def checks(columns: Mapping[str, Node]) -> Iterator[Check]:
    """The checks that keys of columns stand for."""
    for name, node in columns.items():
        quoted = "`" + name.replace("`", "``") + "`"
        if _is_set(node, "unique"):
            expr = f"count({quoted}) = count(distinct {quoted})"
            yield Check(f"unique_{name}", expr, CheckAction.FAIL, CheckScope.BATCH)
        if _is_set(node, "not_in_future"):
            expr = f"{quoted} is null or {quoted} <= {_now(parse_type(node.map['type'].text))}"
            yield Check(f"not_in_future_{name}", expr, CheckAction.QUARANTINE)
        exists = node.get("exists_in")
        if exists is not None:
            reference = Reference(name, Table(exists.map["table"].text), exists.map["column"].text)
            expr = f"{name} is a {reference.among} of {reference.table}"
            action = word(exists, CheckAction.QUARANTINE, "action")
            yield Check(f"exists_in_{name}", expr, action, exists_in=reference)


def _is_set(node: Node, key: str) -> bool:
    found = node.get(key)
    return found is not None and found.value is True


def _now(type_: DataType) -> str:
    """The time of the load, as a value of a type."""
    *_, loaded = AUDIT_COLUMNS
    return loaded if type_ == Scalar("timestamp") else f"cast({loaded} as {type_})"

"""Names of columns as Delta tables take them."""

from __future__ import annotations

import re
import unicodedata

from framework.law.layout import same_name
from framework.names import AUDIT_COLUMNS

__all__ = ["accepted", "column_name", "refused"]

_NOT_IN_DELTA = " ,;{}()\n\t="
_LONGEST = 128


def accepted(name: str) -> str:
    """The name as Delta takes it: an underscore for what it refuses."""
    return re.sub(f"[{re.escape(_NOT_IN_DELTA)}]+", "_", name).strip("_") or "_" if refused(name) else name


def refused(name: str) -> str:
    """The characters of a name that a Delta table without column mapping refuses, in words."""
    found = dict.fromkeys(char for char in name if char in _NOT_IN_DELTA)
    return " or ".join("a blank" if char == " " else char for char in found)


def column_name(header: str, taken: set[str]) -> str:
    """A name for a column that a Delta table and Landfeed take, and that no other column has; it is added to those
    taken."""
    text = "".join(char if char.isprintable() else "_" for char in unicodedata.normalize("NFC", header).strip())
    name = accepted(text.replace("$", "_"))[:_LONGEST].strip() or "_"
    if name.lower() in AUDIT_COLUMNS:
        name = f"file{name}"
    unique, number = name, 2
    while unique.lower() in taken or same_name(unique) in taken:
        unique, number = f"{name}_{number}", number + 1
    taken |= {unique.lower(), same_name(unique)}
    return unique

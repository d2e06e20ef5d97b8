"""Rescue: what a record has in columns that the schema does not have, as one JSON text.

It is written as Databricks' Auto Loader writes `_rescued_data`: the values by the names of their columns, and the
file's path as `_file_path`. Values are the texts that a column of strings would have; those that are NULL are left out,
and a record that has none has no JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

from framework.law.dialects import Dialect
from framework.law.layout import Layout

__all__ = ["rescued", "rescued_fields"]

_PATH = "_file_path"


def rescued_fields(layout: Layout) -> dict[str, str]:
    """The SQL of the fields of a layout that are rescued, by the names under which they are: of names that are the
    same, or that of the path, each gets one of its own."""
    found: dict[str, str] = {}
    for index in layout.rescued:
        name, number = layout.names[index], 2
        while name == _PATH or name in found:
            name, number = f"{layout.names[index]}_{number}", number + 1
        found[name] = f"f{index}"
    return found


def rescued(fields: Mapping[str, str], path: str, dialect: Dialect) -> str:
    """SQL of the JSON of these fields (SQL by name) and of the file's path (SQL)."""
    if not fields:
        return "NULL"
    some = f"coalesce({', '.join(fields.values())}) IS NOT NULL"
    return f"CASE WHEN {some} THEN {dialect.json_object({**fields, _PATH: path})} END"

"""The log of a Delta table in a local folder, entry by entry, as it stands."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from typing import Any, TypeAlias

from framework.errors import StorageError
from framework.names import Table

__all__ = ["Action", "actions_of", "is_there", "metadata", "versions"]

Action: TypeAlias = dict[str, Any]
_ENTRY = re.compile(r"(\d{20})\.json")
_ABOUT = '{"commitInfo":'


def versions(log: str) -> list[int]:
    """The versions in a log, ascending."""
    try:
        names = os.listdir(log)
    except OSError:  # there is no such table, or who opens it will tell
        return []
    return sorted(int(found.group(1)) for found in map(_ENTRY.fullmatch, names) if found)


def actions_of(path: str) -> list[Action] | None:
    """The actions of a commit; None for an entry that was old, and that a checkpoint stands for. Raises ValueError."""
    try:
        with open(path, encoding="utf-8") as entry:
            found = [json.loads(line) for line in entry if line.strip()]
    except FileNotFoundError:
        return None
    if not all(isinstance(action, dict) for action in found):
        raise ValueError(path)
    return found


def metadata(log: str, most: int) -> Iterator[str | None]:
    """What writers said of the newest commits, newest first. Nothing else of the table is read, which takes a tenth of
    the time. Raises OSError and ValueError."""
    for version in reversed(versions(log)[-most:]):
        with open(f"{log}/{version:020}.json", encoding="utf-8") as entry:
            about = next((line for line in entry if line.startswith(_ABOUT)), None)
        yield None if about is None else json.loads(about)["commitInfo"].get("userMetadata")


def is_there(table: Table, folder: str) -> bool:
    """Whether a folder exists. Raises StorageError when that cannot be seen: then nobody knows."""
    try:
        return stat.S_ISDIR(os.stat(folder).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        message = f"table {table}: the folder {folder} cannot be looked at: {error.strerror}"
        raise StorageError(message, "give the runner the rights to read and to enter the folders above it") from error

"""Value types that every other module shares: tables, files, batches, and row figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

__all__ = [
    "AUDIT_COLUMNS",
    "CHANGE",
    "DELETED_AT",
    "END_AT",
    "RESCUED",
    "SEQUENCE",
    "START_AT",
    "Added",
    "BatchState",
    "ChangeKind",
    "File",
    "FileState",
    "Limits",
    "Reason",
    "Rows",
    "SchemaChange",
    "Secrets",
    "Skipped",
    "Status",
    "Table",
    "bigint",
    "shown",
]

AUDIT_COLUMNS = ("_source_file", "_batch_id", "_loaded_at")
"""Columns that every staging row carries, and a target row with `audit_columns: true`."""
CHANGE = "_change"
"""What a staged row does, where rows may delete: an upsert, a delete, …; also in what is remembered of them."""
SEQUENCE = "_sequence"
"""The sequence of what is remembered: the value of the column, or a struct of several."""
DELETED_AT = "_deleted_at"
"""When a row of a target was deleted that keeps such rows."""
RESCUED = "_rescued_data"
"""What a file's record has in columns that the schema does not have, as JSON, with `new_columns: rescue`."""
START_AT, END_AT = "__START_AT", "__END_AT"
"""From when, and to before when, a row of a history counts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may be. `record` is in characters, `unpacked` in bytes, and `ratio` how many times its size a packed
    file may become, if that is more than two records may have: gzip packs one long record better than a thousandth."""

    record: int = 32 << 20
    columns: int = 10_000
    unpacked: int = 100 << 30
    ratio: int = 1000

    def most_unpacked(self, size: int) -> tuple[int, str]:
        """How many bytes a packed file of this size may become, and what is said of one that becomes more."""
        by_ratio = max(2 * self.record, size * self.ratio)
        if by_ratio < self.unpacked:
            return by_ratio, f"unpacked the file is more than {self.ratio} times as large (limits.ratio)"
        return self.unpacked, f"unpacked the file has more than {self.unpacked} bytes (limits.unpacked)"


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """A table by its dotted name (`analytics.user_activity`), which an engine resolves."""

    name: str

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.name.split("."))

    def suffixed(self, suffix: str) -> Table:
        """The sibling `<name><suffix>`, as in `crm.customers__staging`."""
        return Table(self.name + suffix)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, order=True)
class File:
    """One object in a landing folder at one version.

    `path` is the full path or URI; `name` the part below the feed's source path, with `/`;
    `version` the object generation on GCS and the modification time in nanoseconds elsewhere;
    `size` in bytes; `modified` the modification time in nanoseconds since the epoch. A member of an
    archive is a file of its own, `orders.zip!a.csv`, of the version of its `container`.
    """

    path: str
    name: str
    version: int
    size: int
    modified: int
    container: File | None = field(default=None, compare=False)

    @property
    def identity(self) -> tuple[str, int, int]:
        return (self.path, self.version, self.size)

    @property
    def landed(self) -> File:
        """The file as it lies in a folder: of a member the archive that holds it."""
        return self.container or self

    def member(self, name: str, size: int) -> File:
        """The member of this archive that is called so there and has so many bytes once it is unpacked."""
        return File(f"{self.path}!{name}", f"{self.name}!{name}", self.version, size, self.modified, self)

    @property
    def shown(self) -> str:
        """The path as a text that tables, queries and reports can hold."""
        return shown(self.path)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not pending, or something that is no file, and why. What looks meant, or is out of order,
    is `told` to whoever runs the feed."""

    file: File
    reason: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """A column that the schema does not have and files have brought: its name and type in the tables, and what files
    call it."""

    name: str
    type: str
    source_name: str

    @property
    def grows(self) -> bool:
        """Whether it is one of the schema's columns, in which files have brought members: only those are nested."""
        return "<" in self.type


class ChangeKind(StrEnum):
    """What is different: a file has a column more or less than the schema, or than the file before may have lost it
    to another name; the target gets a column, or a wider type; the feed has other keys."""

    NEW_COLUMN = "new_column"
    MISSING_COLUMN = "missing_column"
    RENAMED = "renamed?"
    ADDED = "added"
    WIDENED = "widened"
    KEYS = "keys"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference between files, schema and target, and what is done about it; `file` is its path as it is shown,
    None for what is no file's."""

    file: str | None
    kind: ChangeKind
    column: str
    was: str | None
    now: str | None
    action: str

    def as_dict(self) -> dict[str, str | None]:
        """As reports tell it, and the control table `schema_changes`."""
        told = {"file": self.file, "kind": str(self.kind), "column": self.column}
        return told | {"from": self.was, "to": self.now, "action": self.action}


def shown(text: str) -> str:
    """A text with names of files in it; bytes of theirs that are no UTF-8 are written as \\xNN."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values that are to stand in no output, by the text that stands in their place."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def hide(self, text: str) -> str:
        """The text without the values, in every spelling in which messages, SQL and JSON hold them.

        A value of fewer than four characters is left: it is no secret, and would stand everywhere.
        """
        for name, value in sorted(self.values.items(), key=lambda item: -len(item[1])):
            if len(value) >= _SECRET_FROM:
                for spelling in _spellings(value):
                    text = text.replace(spelling, name)
        return text


_SECRET_FROM = 4


def _spellings(value: str) -> list[str]:
    """As it is and as a text in SQL, each of them also as JSON and as Python write it; the longest first."""
    found = {value, value.replace("'", "''")}
    for text in tuple(found):
        found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        found.add(text.encode("unicode_escape").decode("ascii"))
    return sorted(found, key=len, reverse=True)


def bigint(number: int) -> int:
    """A number as tables can hold it: those beyond 64 bits, as times of files in the year 2300 in nanoseconds
    are, become the last one."""
    return max(-(2**63), min(number, 2**63 - 1))


class BatchState(StrEnum):
    """The events in a batch's life, as the ledger records them.

    A word that a newer version recorded is read as UNKNOWN and never written: such an event closes no batch, so
    its feed is looked at again, and the other feeds are not concerned.
    """

    STAGED = "staged"
    MERGED = "merged"
    ARCHIVED = "archived"
    FAILED = "failed"
    ABANDONED = "abandoned"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> BatchState:
        return cls.UNKNOWN


class FileState(StrEnum):
    """The events in a file's life, as the ledger records them; UNKNOWN as in BatchState."""

    STAGED = "staged"
    MERGED = "merged"
    ARCHIVED = "archived"
    REJECTED = "rejected"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> FileState:
        return cls.UNKNOWN


class Status(StrEnum):
    """How a run or a feed ended, from best to worst; a run is as bad as its worst feed."""

    NOTHING_TO_DO = "nothing_to_do"
    SUCCEEDED = "succeeded"
    BUSY = "busy"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows of a file are bad: how many of them, and the value and the line of the first (None = unknown)."""

    code: str
    column: str | None
    rows: int
    value: str | None
    line: int | None
    message: str

    def with_more(self, rows: int) -> Reason:
        return replace(self, rows=self.rows + rows)

    def __str__(self) -> str:
        value = "" if self.value is None else f": {self.value!r}"
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.code}{f' in {self.column}' if self.column else ''} ({self.message}{value}{line})"


@dataclass(frozen=True, slots=True)
class Rows:
    """Row figures of a file, a batch or a run. Sums with `+`."""

    read: int = 0
    staged: int = 0
    quarantined: int = 0
    filtered: int = 0
    deduplicated: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    stale: int = 0

    def __add__(self, other: Rows) -> Rows:
        return Rows(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Rows)))

    @property
    def stage_balances(self) -> bool:
        """rows_read = rows_staged + rows_quarantined + rows_filtered + rows_deduplicated."""
        return self.read == self.staged + self.quarantined + self.filtered + self.deduplicated

    @property
    def merge_balances(self) -> bool:
        """rows_staged = inserted + updated + deleted + unchanged + stale (merge modes)."""
        return self.staged == self.inserted + self.updated + self.deleted + self.unchanged + self.stale

"""The closed sets of words that a feed is told with, spelt as in YAML."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AllBad",
    "ArchiveAction",
    "CheckAction",
    "CheckScope",
    "DeleteMode",
    "Format",
    "MaskMethod",
    "MembersOnError",
    "MissingColumns",
    "Mode",
    "NewColumns",
    "NullKeys",
    "OnExceed",
    "RenamedColumns",
    "TypeChanges",
]


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    AVRO = "avro"
    ORC = "orc"
    XML = "xml"
    FIXED_WIDTH = "fixed_width"
    EXCEL = "excel"
    TEXT = "text"


class Mode(StrEnum):
    MERGE = "merge"
    APPEND = "append"
    INSERT_ONLY = "insert_only"
    OVERWRITE = "overwrite"
    SNAPSHOT = "snapshot"


class DeleteMode(StrEnum):
    """What a delete does to the row in the target: it goes, or it stays and is marked."""

    HARD = "hard"
    SOFT = "soft"


class NullKeys(StrEnum):
    QUARANTINE = "quarantine"
    MATCH = "match"


class NewColumns(StrEnum):
    IGNORE = "ignore"
    ADD = "add"
    RESCUE = "rescue"
    REJECT_FILE = "reject_file"


class MissingColumns(StrEnum):
    SET_NULL = "set_null"
    KEEP = "keep"
    REJECT_FILE = "reject_file"


class RenamedColumns(StrEnum):
    """What becomes of a file in which one name is gone and another has come."""

    REJECT_FILE = "reject_file"
    SET_NULL = "set_null"


class TypeChanges(StrEnum):
    """What becomes of a column whose type in the target is narrower than that of the schema."""

    REFUSE = "refuse"
    WIDEN = "widen"


class CheckAction(StrEnum):
    WARN = "warn"
    DROP = "drop"
    QUARANTINE = "quarantine"
    FAIL = "fail"


class CheckScope(StrEnum):
    ROW = "row"
    BATCH = "batch"


class AllBad(StrEnum):
    """What becomes of a file of which every row is bad."""

    REJECT_FILE = "reject_file"
    LOAD = "load"


class OnExceed(StrEnum):
    REJECT_FILE = "reject_file"
    FAIL = "fail"


class MembersOnError(StrEnum):
    """What becomes of an archive of which members are rejected: it is rejected, or only they are."""

    REJECT_ALL = "reject_all"
    REJECT_MEMBERS = "reject_members"


class ArchiveAction(StrEnum):
    MOVE = "move"
    COPY = "copy"
    DELETE = "delete"
    KEEP = "keep"


class MaskMethod(StrEnum):
    SHA256 = "sha256"
    HMAC_SHA256 = "hmac_sha256"
    REDACT = "redact"
    LAST = "last"

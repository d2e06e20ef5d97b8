"""Feed: what one YAML file promises. Frozen, complete, and free of YAML, engines and verbs.

The loader fills in every default, so that nobody further down has to know one. Values that are
compared with data (`min`, `accepted_values`, `default`, …) stay text as written in the YAML file:
they follow the same value rules as the data itself (`framework.law.values`).
"""

from framework.feed.expect import Expect, RowBound
from framework.feed.feed import (
    Archive,
    Check,
    Column,
    CsvOptions,
    Feed,
    Mask,
    Quarantine,
    ReadyWhen,
    Reference,
    SchemaContract,
    Snapshot,
    Source,
    Target,
)
from framework.feed.habits import Control, Negative, Numbers, ShortRows, Span, Trailer
from framework.feed.told import loaded_as, read_options
from framework.feed.words import (
    AllBad,
    ArchiveAction,
    CheckAction,
    CheckScope,
    DeleteMode,
    Format,
    MaskMethod,
    MembersOnError,
    MissingColumns,
    Mode,
    NewColumns,
    NullKeys,
    OnExceed,
    RenamedColumns,
    TypeChanges,
)

__all__ = [
    "AllBad",
    "Archive",
    "ArchiveAction",
    "Check",
    "CheckAction",
    "CheckScope",
    "Column",
    "Control",
    "CsvOptions",
    "DeleteMode",
    "Expect",
    "Feed",
    "Format",
    "Mask",
    "MaskMethod",
    "MembersOnError",
    "MissingColumns",
    "Mode",
    "Negative",
    "NewColumns",
    "NullKeys",
    "Numbers",
    "OnExceed",
    "Quarantine",
    "ReadyWhen",
    "Reference",
    "RenamedColumns",
    "RowBound",
    "SchemaContract",
    "ShortRows",
    "Snapshot",
    "Source",
    "Span",
    "Target",
    "Trailer",
    "TypeChanges",
    "loaded_as",
    "read_options",
]

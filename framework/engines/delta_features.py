"""Features of Delta tables that delta-rs cannot write."""

from __future__ import annotations

from deltalake import DeltaTable

from framework.errors import Failure
from framework.names import Table

__all__ = ["refusal", "unwritable"]

_WRITABLE = {
    "appendOnly",
    "invariants",
    "checkConstraints",
    "changeDataFeed",
    "generatedColumns",
    "timestampNtz",
}
"""Features that delta-rs observes when it writes. Some others it passes over (column mapping, deletion vectors),
and some it refuses, but only at the commit."""
_WORDS = {
    "allowColumnDefaults": "column defaults",
    "clustering": "liquid clustering",
    "columnMapping": "column mapping",
    "deletionVectors": "deletion vectors",
    "domainMetadata": "domain metadata",
    "identityColumns": "identity columns",
    "inCommitTimestamp": "in-commit timestamps",
    "rowTracking": "row tracking",
    "typeWidening": "type widening",
    "v2Checkpoint": "v2 checkpoints",
    "variantType": "variant columns",
}
_MAPPING, _MAPPED, _IDENTITY = "delta.columnMapping.mode", (5, 6), 6
"""Protocol versions that imply features without listing them."""


def refusal(delta: DeltaTable, table: Table) -> Failure | None:
    """Why delta-rs cannot write a table, None when it can."""
    found = unwritable(delta)
    if not found:
        return None
    return Failure(
        "table_feature",
        f"table {table} uses {', '.join(found)}, which the embedded engine cannot write",
        "load this feed with engine: spark, or drop the feature from the table",
    )


def unwritable(delta: DeltaTable) -> list[str]:
    """The features of a table that delta-rs cannot write, in words."""
    protocol = delta.protocol()
    features = {*(protocol.writer_features or ()), *(protocol.reader_features or ())} - _WRITABLE
    if protocol.min_writer_version in _MAPPED and delta.metadata().configuration.get(_MAPPING, "none") != "none":
        features.add("columnMapping")
    if protocol.min_writer_version == _IDENTITY:
        features.add("identityColumns")
    return sorted(_WORDS.get(feature, feature) for feature in features)

"""Features of Delta tables that delta-rs cannot write are told before anything is written, also those of old protocols,
which do not list them."""

from __future__ import annotations

import json
import os

import pytest
from deltalake import DeltaTable, Schema
from deltalake.schema import Field, PrimitiveType

from framework.engines.delta_features import refusal
from framework.names import Table

MAPPED = {"id": 1, "physicalName": "id"}


def table(path: str, version: int, configuration: dict[str, str]) -> DeltaTable:
    """A table of a protocol that delta-rs would not make."""
    DeltaTable.create(path, Schema([Field("id", PrimitiveType("long"))]))
    log = os.path.join(path, "_delta_log", f"{0:020}.json")
    with open(log, encoding="utf-8") as lines:
        actions = [json.loads(line) for line in lines]
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 2 if version >= 5 else 1, "minWriterVersion": version}
        if "metaData" in action:
            action["metaData"]["configuration"] = configuration
            schema = json.loads(action["metaData"]["schemaString"])
            schema["fields"][0]["metadata"] = {f"delta.columnMapping.{key}": value for key, value in MAPPED.items()}
            action["metaData"]["schemaString"] = json.dumps(schema)
    with open(log, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(action) + "\n" for action in actions)
    return DeltaTable(path)


@pytest.mark.parametrize(
    ("version", "configuration", "said"),
    [
        (2, {}, None),
        (4, {"delta.enableChangeDataFeed": "true"}, None),
        (5, {}, None),
        (5, {"delta.columnMapping.mode": "none"}, None),
        (5, {"delta.columnMapping.mode": "name"}, "column mapping"),
        (6, {"delta.columnMapping.mode": "id"}, "column mapping, identity columns"),
        (6, {}, "identity columns"),
    ],
)
def test_features_that_a_protocol_implies(
    tmp_path: os.PathLike[str], version: int, configuration: dict[str, str], said: str | None
) -> None:
    refused = refusal(table(os.fspath(tmp_path), version, configuration), Table("a.b"))
    assert (refused and refused.message) == (said and f"table a.b uses {said}, which the embedded engine cannot write")

"""Environment: where things are and which engine works on them; one YAML file each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["DatabricksSettings", "EngineName", "Environment"]


class EngineName(StrEnum):
    EMBEDDED = "embedded"
    SPARK = "spark"


@dataclass(frozen=True, slots=True)
class DatabricksSettings:
    """The `databricks` block (contract section 8), validated by the environment's JSON Schema.

    `settings` is that block as plain data: strings, numbers, lists and dicts, after substitution.
    """

    settings: dict[str, object]


@dataclass(frozen=True, slots=True)
class Environment:
    """`root` (where table a.b lives at `<root>/a/b`) or `catalog` (Unity Catalog), exactly one.

    Paths are absolute or URIs. `control` is the schema of Landfeed's own tables. `project` is the
    absolute path of the folder that holds the config folder.
    """

    name: str
    engine: EngineName
    project: str
    root: str | None = None
    catalog: str | None = None
    control: str = "_landfeed"
    timezone: str = "UTC"
    jobs: int = 4
    gcs_credentials: str | None = None
    gcs_project: str | None = None
    databricks: DatabricksSettings | None = None
    file: str = ""

"""Loader: a config folder → typed feeds, or every problem in it at once.

A file's way: bytes → nodes with places (`nodes`) → defaults merged (`files`) → `${…}` replaced
(`substitute`) → JSON Schema (`schema`) → what the schema cannot say (`checks`, and `between` for
what concerns several feeds) → the typed Feed (`build`) or Environment (`settings`). A problem
never stops the search for more.
"""

from framework.loader.databricks import watched_folder
from framework.loader.environments import environment_names
from framework.loader.project import (
    Project,
    check_project,
    environment_of,
    feed_names,
    load_project,
    load_targets,
    merged_tree,
)
from framework.loader.validators import Kind, schema_text
from framework.loader.written import annotated, column_line, new_feed, origins, yaml_text

__all__ = [
    "Kind",
    "Project",
    "annotated",
    "check_project",
    "column_line",
    "environment_names",
    "environment_of",
    "feed_names",
    "load_project",
    "load_targets",
    "merged_tree",
    "new_feed",
    "origins",
    "schema_text",
    "watched_folder",
    "yaml_text",
]

"""Beginning: what a project starts with, and what helps to write its files. Pure but for `lay_out`.

project                             the files of a new project, and laying them out without harm to others
example | shop | editor             the login that becomes a purchase · a month of a small shop · the JSON Schemas with
                                    an editor's helps
"""

from framework.begin.editor import SCHEMA_FILES, editor_schema, schema_files
from framework.begin.example import DAYS, FEED, feed_of_the_example
from framework.begin.project import LaidOut, bare_project, lay_out, starting_project
from framework.begin.shop import SHOP, Visit, shop_environment, visits

__all__ = [
    "DAYS",
    "FEED",
    "SCHEMA_FILES",
    "SHOP",
    "LaidOut",
    "Visit",
    "bare_project",
    "editor_schema",
    "feed_of_the_example",
    "lay_out",
    "schema_files",
    "shop_environment",
    "starting_project",
    "visits",
]

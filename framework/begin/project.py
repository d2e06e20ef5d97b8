"""A new project as files, by their paths below its folder."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from framework.begin.editor import SCHEMA_FILES, schema_files
from framework.begin.example import FEED, SAMPLE, feed_of_the_example
from framework.errors import MachineError
from framework.loader import Kind

__all__ = ["LaidOut", "bare_project", "lay_out", "starting_project"]

_ENVIRONMENT = f"""\
# yaml-language-server: $schema=../{SCHEMA_FILES[Kind.ENVIRONMENT]}
# Where things are. Relative paths start at the folder that holds this configuration folder.
engine: embedded               # or spark
variables:                     # feeds write ${{landing}} and ${{archive}}
  landing: ./data/source
  archive: ./data/archive
tables:
  root: ./data/warehouse       # the table a.b is the Delta table <root>/a/b
"""
_GITIGNORE = """\
/data/
.venv/
"""
_README = """\
# A Landfeed project

Files that land in `data/source/<feed>/` become Delta tables below `data/warehouse/`.

    landfeed plan                  what `run` would do now
    landfeed run                   stage, merge and archive what has landed
    landfeed show user_activity    the table
    landfeed infer FILE            write a feed for files of your own
    landfeed validate              check every file in `{config}/`
    landfeed --help                everything else
"""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Which files were written, and which were there already and are as they were."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def bare_project(config: str) -> dict[str, str]:
    """What every project needs: an environment and the schemas. `config` is the configuration folder."""
    return {
        f"{config}/environments/local.yml": _ENVIRONMENT,
        **{f"{config}/{name}": text for name, text in schema_files().items()},
    }


def starting_project(config: str) -> dict[str, str]:
    """A project with a feed, a file for it, and what an editor and git want to know."""
    feed = f"{config}/feeds/{FEED}.yml"
    return {
        **bare_project(config),
        feed: feed_of_the_example(f"../{SCHEMA_FILES[Kind.FEED]}"),
        f"data/source/{FEED}/file1.csv": SAMPLE,
        ".gitignore": _GITIGNORE,
        ".vscode/settings.json": _settings(config),
        "README.md": _README.format(config=config),
    }


def _settings(config: str) -> str:
    """Settings of VS Code's YAML extension."""
    places = {
        Kind.FEED: [f"{config}/feeds/**/*.yml", f"!{config}/feeds/**/_defaults.yml"],
        Kind.DEFAULTS: [f"{config}/feeds/**/_defaults.yml"],
        Kind.ENVIRONMENT: [f"{config}/environments/*.yml"],
    }
    schemas = {f"./{config}/{SCHEMA_FILES[kind]}": globs for kind, globs in places.items()}
    return json.dumps({"yaml.schemas": schemas}, indent=2) + "\n"


def lay_out(folder: str, files: Mapping[str, str]) -> LaidOut:
    """Write the files that are not there yet; nothing that is there is touched. Raises MachineError."""
    written, kept = [], []
    for name, text in files.items():
        path = os.path.join(folder, name)
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "x", encoding="utf-8") as out:
                out.write(text)
        except OSError as error:
            if error.errno == errno.EEXIST and os.path.isfile(path):
                kept.append(name)
                continue
            hint = "take a folder that you may write to: landfeed init DIR"
            raise MachineError(f"{path} cannot be written: {error.strerror}", hint) from error
        written.append(name)
    return LaidOut(tuple(written), tuple(kept))

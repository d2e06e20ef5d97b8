"""Folder: what the folder in which the bundle is made adds to it: paths, packages, and the name that it has."""

from __future__ import annotations

import importlib.metadata
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from framework.databricks.bundle import Places
from framework.databricks.files import BUNDLE_FILE, MARK, read
from framework.databricks.job import KEY, Target
from framework.environment import JobSource
from framework.errors import LandfeedError

__all__ = ["bundle_name", "equipped", "places"]


def bundle_name(folder: str) -> str:
    """The name that the bundle in the folder has; one that is new is called landfeed."""
    text = read(os.path.join(folder, BUNDLE_FILE)) or ""
    found = (
        re.search(r"^bundle:\n  name: '?([A-Za-z0-9_.-]+)'?$", text, re.MULTILINE) if text.startswith(MARK) else None
    )
    return found[1] if found else KEY


def places(config: str, folder: str) -> Places:
    """Where things are when databricks.yml stands in the folder. The files of a bundle in the workspace begin at the
    folder that holds both databricks.yml and the config folder."""
    config, folder = os.path.abspath(config), os.path.abspath(folder)
    above = os.path.commonpath([os.path.dirname(config), folder])
    sources = _sources(os.path.dirname(config))
    return Places(
        _from(config, folder),
        _from(config, above),
        _from(sources, folder) if sources is not None else None,
    )


def _from(path: str, folder: str) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/")


def _sources(project: str) -> str | None:
    """The folder at or above the project from which Landfeed's wheel is built."""
    folder = project
    while _pyproject(folder).get("name") != KEY:
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)
    return folder


def _pyproject(folder: str) -> dict[str, Any]:
    file = os.path.join(folder, "pyproject.toml")
    try:
        project: dict[str, Any] = tomllib.loads(read(file) or "").get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise LandfeedError(f"{file} cannot be read: {error}", "check the file", code="bundle") from error
    return project


def equipped(targets: Sequence[Target], config: str) -> list[Target]:
    """The targets with what their jobs install: for source: git all that Landfeed needs, for buckets their client."""
    sources = _sources(os.path.dirname(os.path.abspath(config)))
    found = []
    for target in targets:
        core = _requirements(sources, None) if target.settings.source is JobSource.GIT else []
        client = _requirements(sources, "gcs") if _uses_buckets(target) else []
        found.append(replace(target, requirements=(*core, *client)))
    return found


def _uses_buckets(target: Target) -> bool:
    archives = [path for feed in target.feeds for path in (feed.archive.path, feed.archive.rejected_path)]
    paths = [target.environment.root or "", *(feed.source.path for feed in target.feeds), *archives]
    return any(path.startswith("gs://") for path in paths)


def _requirements(sources: str | None, extra: str | None) -> list[str]:
    """What Landfeed, or one of its extras, needs: from its sources, or else from the package that runs."""
    if sources is not None:
        project = _pyproject(sources)
        return list(project.get("optional-dependencies", {}).get(extra, []) if extra else project["dependencies"])
    try:
        needed = [each.partition(";") for each in importlib.metadata.requires(KEY) or []]
    except importlib.metadata.PackageNotFoundError as error:
        message = "what Landfeed needs cannot be told: neither its pyproject.toml nor its package is here"
        raise LandfeedError(message, "pip install Landfeed, or work in a clone of it", code="bundle") from error
    condition = f'extra == "{extra}"' if extra else ""
    return [name.strip() for name, _, marker in needed if marker.strip().replace("'", '"') == condition]

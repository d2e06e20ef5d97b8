"""Paths as they are written in configuration files: URIs, absolute ones, and those below the project."""

from __future__ import annotations

import os
import re

__all__ = ["absolute", "folder", "is_uri"]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def is_uri(path: str) -> bool:
    """Whether a path names a bucket or the like."""
    return _URI.match(path) is not None


def absolute(path: str, project: str) -> str:
    """An absolute local path without `..` (links are not followed), or the URI as it is."""
    return path if is_uri(path) else os.path.normpath(os.path.join(project, path))


def folder(path: str, project: str) -> str:
    """As `absolute`, with one `/` at the end."""
    return absolute(path, project).rstrip("/") + "/"

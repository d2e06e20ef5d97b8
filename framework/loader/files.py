"""The files of a config folder: reading them safely, and merging defaults into feeds."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from framework.errors import Problem
from framework.loader import schema
from framework.loader.nodes import MAX_BYTES, Node, parse
from framework.loader.validators import Kind

__all__ = ["DEFAULTS", "Defaults", "feed_files", "merge", "read"]

DEFAULTS = "_defaults.yml"
_SUFFIXES = (".yml", ".yaml")


def read(config: str, file: str, report: Callable[[Problem], None]) -> Node | None:
    """Parse one file below the config folder. None when nothing in it can be used."""
    try:
        with open(os.path.join(config, file), "rb", opener=_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                report(Problem(file, 1, 1, "", "it is a pipe or a device and no file", "put a file in its place"))
                return None
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        report(Problem(file, 1, 1, "", f"the file cannot be read: {error.strerror}", "check its permissions"))
        return None
    if len(content) > MAX_BYTES:
        hint = "a feed is a page of text; is this a data file?"
        report(Problem(file, 1, 1, "", f"the file is larger than {MAX_BYTES:,} bytes", hint))
        return None
    tree = parse(content, file, report)
    if tree is not None and not isinstance(tree.value, dict):
        report(tree.problem("", "expected a mapping (key: value)", "begin with `feed: name`"))
        return None
    return tree


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe too, which is then looked at instead of being waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def feed_files(config: str, report: Callable[[Problem], None]) -> Iterator[str]:
    """The feed files below `feeds/`, relative to the config folder, in name order."""

    def closed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            folder = os.path.relpath(error.filename or config, config)
            report(Problem(folder, 1, 1, "", f"the folder cannot be listed: {error.strerror}", "check its permissions"))

    for folder, folders, names in os.walk(os.path.join(config, "feeds"), onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.endswith(_SUFFIXES) or name.startswith(".") or name == DEFAULTS:
                continue
            file = os.path.relpath(os.path.join(folder, name), config).replace(os.sep, "/")
            if name.startswith("_"):
                hint = f"call it {DEFAULTS}, or take the underscore away"
                report(Problem(file, 1, 1, "", "a file that begins with _ is no feed file", hint))
                continue
            yield file


def merge(base: Node, over: Node) -> Node:
    """Maps merge, everything else is replaced. What both have stands where `over` has it."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return over._replace(value=merged)


class Defaults:
    """The `_defaults.yml` files of a project, each read and checked once."""

    def __init__(self, config: str) -> None:
        self._config = config
        self._merged: dict[str, Node | None] = {}
        self._problems: dict[str, list[Problem]] = {}

    def of(self, feed_file: str) -> Node | None:
        """What applies to this feed: the files from the outermost folder inwards, merged."""
        return self._of(feed_file.rpartition("/")[0])

    def problems(self, feed_file: str) -> Iterator[Problem]:
        """What is wrong in the defaults files that apply to this feed."""
        folder = feed_file.rpartition("/")[0]
        while folder:
            yield from self._problems.get(folder, ())
            folder = folder.rpartition("/")[0]

    def check_all(self) -> Iterator[Problem]:
        """What is wrong in any defaults file, also one that applies to no feed."""
        for folder, folders, names in os.walk(os.path.join(self._config, "feeds")):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if DEFAULTS in names:
                self._of(os.path.relpath(folder, self._config).replace(os.sep, "/"))
        for problems in self._problems.values():
            yield from problems

    def _of(self, folder: str) -> Node | None:
        if folder in self._merged:
            return self._merged[folder]
        outer = self._of(folder.rpartition("/")[0]) if "/" in folder else None
        file = f"{folder}/{DEFAULTS}"
        found = None
        if os.path.exists(os.path.join(self._config, file)):
            problems = self._problems.setdefault(folder, [])
            found = read(self._config, file, problems.append)
            if found is not None:
                found = schema.prune(found, schema.check(found, Kind.DEFAULTS, problems.append))
        self._merged[folder] = merge(outer, found) if outer and found else found or outer
        return self._merged[folder]

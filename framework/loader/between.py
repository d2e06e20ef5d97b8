"""What concerns several feeds: tables written twice, files claimed twice, paths inside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from framework.environment import Environment
from framework.errors import Problem
from framework.feed import Feed, NewColumns
from framework.law import filenames, pathnames
from framework.law.modes import memory_table
from framework.law.places import folders_above
from framework.law.references import references
from framework.loader.nodes import Node
from framework.loader.suggest import one_of

__all__ = ["problems"]

_Entry: TypeAlias = tuple[Feed, Node]
_Found: TypeAlias = tuple[frozenset[str], Problem]


def problems(entries: Sequence[_Entry], environment: Environment | None) -> Iterator[_Found]:
    """Each problem with the names of the feeds that it concerns. Feeds that are not enabled touch nothing."""
    enabled = [entry for entry in entries if entry[0].enabled]
    yield from _tables(enabled, environment)
    yield from _archives(enabled)
    yield from _claims(enabled)
    yield from _references(enabled)
    if environment is not None:
        yield from _told(enabled, environment)


_BESIDE = "table of what is remembered"
_OWN = ("files", "batches", "checks", "notices", "schema_changes", "resolved")
"""The tables of the control schema that Landfeed keeps, or will keep."""


def _place(tree: Node, *keys: str) -> Node:
    """The node at the path, or the nearest one above that is written down."""
    while keys:
        found = tree.get(*keys)
        if found is not None:
            return found
        keys = keys[:-1]
    return tree


def _tables(entries: Sequence[_Entry], environment: Environment | None) -> Iterator[_Found]:
    owners: dict[str, tuple[Feed, str]] = {}
    own = {f"{environment.control}.{each}".lower() for each in _OWN} if environment is not None else set()
    for feed, tree in entries:
        for role, table, keys in (
            ("target", feed.target.table, ("target", "table")),
            ("staging table", feed.target.staging, ("target", "staging")),
            ("quarantine table", feed.quarantine.table, ("quarantine", "table")),
            *((_BESIDE, table, ("target", "table")) for table in (memory_table(feed),) if table is not None),
        ):
            name, path = table.name.lower(), ".".join(keys)
            if name in own:
                hint = "choose another table, or another control schema in the environment"
                message = f"{table} is one of Landfeed's own tables"
                yield frozenset({feed.name}), _place(tree, *keys).problem(path, message, hint)
            other, other_role = owners.setdefault(name, (feed, role))
            if other is feed or (role == other_role == "quarantine table"):
                continue
            if role == other_role == "target" and feed.target.shared_target and other.target.shared_target:
                continue
            message = f"{table} is already the {other_role} of the feed {other.name} ({other.file})"
            shared = role == other_role == "target"
            hint = "write into another table" + (", or say shared_target: true in both" if shared else "")
            yield frozenset({feed.name, other.name}), _place(tree, *keys).problem(path, message, hint)


def _archives(entries: Sequence[_Entry]) -> Iterator[_Found]:
    sources: dict[str, Feed] = {}
    for feed, _ in entries:
        sources.setdefault(feed.source.path, feed)
    archives: dict[str, tuple[Feed, str]] = {}
    for feed, tree in entries:
        for key, path in (("path", feed.archive.path), ("rejected_path", feed.archive.rejected_path)):
            archives.setdefault(path, (feed, f"archive.{key}"))
            inside = next((sources[folder] for folder in folders_above(path) if folder in sources), None)
            if inside is not None:
                whose = "the feed's own" if inside is feed else f"the feed {inside.name}'s"
                message = f"the archived files would land again: it lies inside {whose} source.path"
                place = tree.get("archive", key) or _place(tree, "source", "path")
                hint = "put the archive beside the landing folder, not into it"
                yield frozenset({feed.name, inside.name}), place.problem(f"archive.{key}", message, hint)
    for feed, tree in entries:
        # The same folder has been reported above.
        above = (archives[folder] for folder in folders_above(feed.source.path) if folder in archives)
        owner, path = next(above, (None, ""))
        if owner is not None and feed.source.path not in archives:
            message = f"the landing folder lies inside {path} of the feed {owner.name}"
            hint = "put the archive beside the landing folder"
            place = _place(tree, "source", "path")
            yield frozenset({feed.name, owner.name}), place.problem("source.path", message, hint)


def _references(entries: Sequence[_Entry]) -> Iterator[_Found]:
    """References to what another feed does not write, or not in the clear."""
    targets = {feed.target.table.name.lower(): feed for feed, _ in entries if not feed.target.shared_target}
    for feed, tree in entries:
        for _, reference in references(feed):
            other = targets.get(reference.table.name.lower())
            own = reference.among.startswith("_")  # of the table's mode, or audit
            if other is None or own or other.schema_contract.new_columns is NewColumns.ADD:
                continue
            path = f"schema.{reference.column}.exists_in.column"
            node = _place(tree, "schema", reference.column, "exists_in", "column")
            columns = {column.name: column for column in other.target_columns}
            found = columns.get(reference.among)
            if found is None:
                message = f"the feed {other.name} ({other.file}) writes no column '{reference.among}'"
                yield frozenset({feed.name}), node.problem(path, message, one_of(reference.among, columns))
            elif found.mask is not None:
                message = f"the feed {other.name} ({other.file}) masks {found.name}, so no value is equal to it"
                yield frozenset({feed.name}), node.problem(path, message, "refer to a column without a mask")


def _told(entries: Sequence[_Entry], environment: Environment) -> Iterator[_Found]:
    """What is written about runs must not land."""
    for key, path in environment.telling.places:
        for feed, tree in entries:
            if feed.source.path in folders_above(path):
                message = f"{key} of {environment.file} would land: it lies inside this folder"
                place = _place(tree, "source", "path")
                yield frozenset({feed.name}), place.problem("source.path", message, f"put {key} beside landing folders")


def _claims(entries: Sequence[_Entry]) -> Iterator[_Found]:
    """Two feeds that could take the same file. Only folders above and name prefixes are compared,
    so that thousands of feeds in one folder stay cheap."""
    folders: defaultdict[str, dict[str, list[_Entry]]] = defaultdict(dict)
    prefixes: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        prefix = filenames.literal_prefix(pathnames.name_of(entry[0].source.files))
        folders[entry[0].source.path].setdefault(prefix, []).append(entry)
        prefixes[entry[0].source.path] = max(prefixes[entry[0].source.path], len(prefix))
    for feed, tree in entries:
        others = (
            other
            for folder in folders_above(feed.source.path)
            if folder in folders
            for other, _ in _candidates(folders[folder], prefixes[folder], feed, folder)
            if _meet(feed, other)
        )
        other = next(others, None)
        if other is None:
            continue
        key = "files" if feed.source.files else "path"
        place = _place(tree, "source", key)
        what = f"files that match {place.shown}" if feed.source.files else "every file"
        message = f"the feed {other.name} ({other.file}) could claim the same files: {what}"
        hint = "tell them apart by source.files or source.path"
        yield frozenset({feed.name, other.name}), place.problem(f"source.{key}", message, hint)


def _candidates(groups: dict[str, list[_Entry]], longest: int, feed: Feed, folder: str) -> Iterator[_Entry]:
    """Feeds of a folder whose literal name prefix begins this feed's one, or equals it."""
    prefix = filenames.literal_prefix(pathnames.name_of(feed.source.files))
    for length in range(min(len(prefix), longest) + 1):
        for entry in groups.get(prefix[:length], ()):
            if entry[0] is feed:
                if folder == feed.source.path:
                    break
                continue
            yield entry
    if folder != feed.source.path:
        for start, found in groups.items():
            if len(start) > len(prefix) and start.startswith(prefix):
                yield from found


def _meet(feed: Feed, other: Feed) -> bool:
    if feed.source.path != other.source.path and not other.source.recursive:
        return False
    ours, theirs = feed.source.files, other.source.files
    if feed.source.path != other.source.path:  # theirs is about paths below another folder
        return filenames.may_meet(pathnames.name_of(ours), pathnames.name_of(theirs))
    for some, others in ((feed, theirs), (other, ours)):
        if not some.source.recursive and pathnames.has_folders(others):
            return False
    return pathnames.may_meet(ours, theirs)

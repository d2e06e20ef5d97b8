"""What a feed must fulfil beyond its JSON Schema: names that refer to each other, words that must exist."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from framework.errors import Problem
from framework.law import filenames, pathnames
from framework.law.values import check_pattern
from framework.loader import columns as column_checks
from framework.loader import expecting, habits, ready, targets
from framework.loader.environments import Settings, zone_problem
from framework.loader.nodes import Node
from framework.loader.paths import is_uri
from framework.loader.suggest import one_of

__all__ = ["problems"]


def problems(
    tree: Node, columns: Mapping[str, Node], settings: Settings, found: Sequence[Problem]
) -> Iterator[Problem]:
    """Everything wrong within one feed. `tree` lacks what the schema has refused; `columns` are
    all columns as written, so that a column with a mistake is still known by name; `found` are the
    problems that are known already."""
    source = tree.get("source")
    header = tree.get("source", "options", "header")
    captured = frozenset(c.name for c in filenames.captures_in(_text(tree, "source", "files")))
    usable = tree.map["schema"].map if "schema" in tree.map else {}
    yield from column_checks.problems(usable, captured, header is None or header.value is not False)
    if source is not None:
        yield from _source(source, captured)
        yield from habits.problems(source, columns)
    told = any(p.path == "target.keys" or (p.path.startswith("target.") and "'keys'" in (p.hint or "")) for p in found)
    yield from targets.problems(tree, columns, captured, told)
    yield from ready.key_problems(tree.get("target") or tree, columns)
    yield from expecting.problems(tree)
    yield from _paths(tree, settings)
    yield from _tables(tree)


def _text(tree: Node, *keys: str) -> str:
    node = tree.get(*keys)
    return node.text if node is not None and not node.broken else ""


def _source(source: Node, captured: frozenset[str]) -> Iterator[Problem]:
    files, order = source.get("files"), source.get("order_by")
    if files is not None:
        for message, hint in pathnames.mistakes(files.text):
            yield files.problem("source.files", "it is no file name pattern" if files.secret else message, hint)
        for capture in filenames.captures_in(files.text):
            if capture.date_pattern:
                yield from _date_pattern(files, capture.date_pattern)
    members = source.get("members")
    if members is not None:
        yield from _members(members)
    recursive = source.get("recursive")
    if files is not None and recursive is not None and recursive.value is False and pathnames.has_folders(files.text):
        message = "files lie in subfolders by their pattern, and recursive: false leaves those out"
        yield recursive.problem("source.recursive", message, "remove it")
    if order is not None and order.text not in {"name", "modified", *captured}:
        known = ["name", "modified", *sorted(captured)]
        message = f"'{order.shown}' is not name, modified or a capture of source.files"
        yield order.problem("source.order_by", message, one_of(order.shown, known))
    zone = source.get("timezone")
    if zone is not None and (problem := zone_problem(zone, "source.timezone")):
        yield problem
    yield from _encodings(source)
    yield from _options(source)


def _members(members: Node) -> Iterator[Problem]:
    for message, hint in pathnames.mistakes(members.text):
        yield members.problem("source.members", "it is no file name pattern" if members.secret else message, hint)
    if any(True for _ in filenames.captures_in(members.text)):
        hint = "write * for what differs; what source.files captures of the archive's name counts for its members"
        yield members.problem("source.members", "names of members are not captured", hint)


def _date_pattern(files: Node, pattern: str) -> Iterator[Problem]:
    try:
        check_pattern(pattern)
    except ValueError as error:
        message = "it has no valid date pattern" if files.secret else f"{{…:{pattern}}}: {error}"
        yield files.problem("source.files", message, "for example {business_date:yyyyMMdd}")


@lru_cache(maxsize=256)
def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
        "a".encode(name)
    except (LookupError, ValueError, TypeError):
        return False
    return True


def _encodings(source: Node) -> Iterator[Problem]:
    encodings = source.get("encoding")
    for index, node in enumerate(encodings.items if encodings is not None else []):
        if not node.broken and not _is_encoding(node.text):
            path = f"source.encoding[{index}]" if isinstance((encodings or node).value, list) else "source.encoding"
            known = ["utf-8", "utf-16", "latin-1", "iso-8859-15", "windows-1250", "windows-1252", "ascii"]
            yield node.problem(path, f"there is no encoding '{node.shown}'", one_of(node.shown, known))


_CSV_ONLY = "options are those of CSV files"


def _options(source: Node) -> Iterator[Problem]:
    options, format_ = source.get("options"), _text(source, "format")
    if options is None:
        options = source._replace(value={})
    if format_ and format_ != "csv":
        for key, node in options.map.items():
            hint = f"remove it; '{key}' is an option of format csv"
            yield node.problem(f"source.options.{key}", f"format {format_} has no option '{key}'", hint, at_key=True)
    records = source.get("records")
    if records is not None and format_ and format_ not in ("json", "xml"):
        hint = "it is for format json and xml"
        yield records.problem("source.records", f"format {format_} has no records", hint, at_key=True)
    marks = {default: f"the default {key}" for key, default in (("sep", ","), ("quote", '"')) if key not in options.map}
    for key in ("sep", "quote", "comment"):
        mark = options.get(key)
        if mark is None or not mark.text or mark.broken:
            continue
        if mark.text in ("\\t", "\\u0001"):
            hint = f'write "{mark.shown}" in double quotes'
            yield mark.problem(f"source.options.{key}", f"'{mark.shown}' is more than one character", hint)
        elif any(end in mark.text for end in "\r\n"):
            yield mark.problem(f"source.options.{key}", f"{key} cannot be a line break", "records end with it")
        elif mark.text in marks:
            message = f"{key} is the same character as {marks[mark.text]}"
            yield mark.problem(f"source.options.{key}", message, "choose different ones")
        elif any(len(other) == 1 and other in mark.text for other in marks):
            message = f"{key} has {next(what for other, what in marks.items() if other in mark.text)} in it"
            yield mark.problem(f"source.options.{key}", message, "choose different ones")
        marks.setdefault(mark.text, key)


def _paths(tree: Node, settings: Settings) -> Iterator[Problem]:
    source = tree.get("source", "path")
    archive = settings.scope.variables.get("archive")
    for keys in (("source", "path"), ("archive", "path"), ("archive", "rejected_path")):
        node = tree.get(*keys)
        if node is not None and not node.broken:
            yield from _path(node, ".".join(keys))
    for key in ("path", "rejected_path"):
        node = tree.get("archive", key)
        path = node.text if node is not None else archive.text if archive is not None else None
        if path is None and "archive" not in settings.scope.broken and settings.scope.complete:
            place = tree.get("archive") or tree
            message = f"there is no variable 'archive', so archive.{key} has no default"
            hint = f"define archive under variables in {settings.scope.environment}, or give archive.{key}"
            yield place.problem(f"archive.{key}", message, hint)
        if path is None or source is None or source.broken or (node is not None and node.broken):
            continue
        if is_uri(source.text) and not source.text.startswith("gs://"):
            continue
        if is_uri(path) != is_uri(source.text):
            kind, other = ("gs://", "a local folder") if is_uri(path) else ("a local folder", "gs://")
            message = f"files land on {other} and archive.{key} is on {kind}"
            yield (node or source).problem(f"archive.{key}", message, "move files within one kind of storage")


_SCHEMES = {
    "dbfs": "use the path /dbfs/… or a volume, /Volumes/…",
    "file": "write the path without file://",
    "s3": "copy to gs:// or a local folder; S3 is reachable through a volume, /Volumes/…",
}


def _path(node: Node, path: str) -> Iterator[Problem]:
    text = node.text
    if any(letter in text for letter in "\0\n\r"):
        yield node.problem(path, "a path with a line break or NUL", "check the quotes around it")
    elif is_uri(text) and not text.startswith("gs://"):
        scheme = text.split(":", 1)[0]
        hint = _SCHEMES.get(scheme.rstrip("an"), "use a local path or gs://bucket/folder")
        yield node.problem(path, f"'{scheme}:' is no storage that Landfeed knows", hint)
    elif text.startswith("gs://") and not text.removeprefix("gs://").strip("/"):
        yield node.problem(path, "there is no bucket in it", "write gs://bucket/folder")
    elif text.startswith("~"):
        yield node.problem(
            path,
            "~ is not replaced by a home folder",
            "write the path out, or define a variable with ${env:HOME} in the environment file",
        )
    elif any(letter in text for letter in "*?") and path == "source.path":
        yield node.problem(path, "a folder cannot contain * or ?", "put the file name pattern into source.files")


def _tables(tree: Node) -> Iterator[Problem]:
    table = tree.get("target", "table")
    staging = tree.get("target", "staging")
    quarantine = tree.get("quarantine", "table")
    seen: dict[str, str] = {}
    if table is not None:
        seen[table.text.lower()] = "target.table"
        seen[f"{table.text.lower()}__cdc"] = "the table beside the target, of what it does not show"
        for node, default in ((staging, "staging"), (quarantine, "quarantine")):
            if node is None:
                seen[f"{table.text.lower()}__{default}"] = f"the {default} table"
    for node, path in ((staging, "target.staging"), (quarantine, "quarantine.table")):
        if node is None or node.broken:
            continue
        if node.text.lower() in seen:
            message = f"it is the same table as {seen[node.text.lower()]}"
            yield node.problem(path, message, "leave it out for the default, or give another name")
        seen.setdefault(node.text.lower(), path)

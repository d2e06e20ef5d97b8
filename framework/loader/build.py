"""A checked tree → the typed Feed or Environment, with every default filled in.

Runs only on trees without problems, so it trusts the shapes that the schema has checked.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from framework.environment import (
    Cluster,
    DatabricksSettings,
    Durability,
    EngineName,
    Environment,
    GitRepository,
    Permission,
    Principal,
)
from framework.feed import (
    AllBad,
    Archive,
    ArchiveAction,
    Check,
    CheckAction,
    CheckScope,
    Column,
    CsvOptions,
    DeleteMode,
    Feed,
    Format,
    MissingColumns,
    Mode,
    NewColumns,
    NullKeys,
    OnExceed,
    Quarantine,
    ReadyWhen,
    RenamedColumns,
    SchemaContract,
    Snapshot,
    Source,
    Target,
)
from framework.law.pathnames import has_folders
from framework.loader.nodes import Node
from framework.names import Table
from framework.types import parse_type

__all__ = ["PRINCIPALS", "absolute", "build_environment", "build_feed", "folder", "git_provider", "is_uri"]

PRINCIPALS = ("service_principal_name", "user_name", "group_name")
"""The keys that name somebody in a workspace."""

_Word = TypeVar("_Word", bound=StrEnum)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def is_uri(path: str) -> bool:
    return _URI.match(path) is not None


def absolute(path: str, project: str) -> str:
    """An absolute local path without `..` (links are not followed), or the URI as it is."""
    return path if is_uri(path) else os.path.normpath(os.path.join(project, path))


def folder(path: str, project: str) -> str:
    """As `absolute`, with one `/` at the end."""
    return absolute(path, project).rstrip("/") + "/"


def build_feed(tree: Node, environment: Environment, archive: str | None) -> Feed:
    """The feed of a tree that has no problems. `archive` is the value of the variable of that name."""
    name = _text(tree, "feed") or ""
    target = _target(tree)
    return Feed(
        name=name,
        source=_source(tree, environment),
        columns=tuple(_column(key, node) for key, node in _map(tree, "schema").items()),
        target=target,
        quarantine=_quarantine(tree, target.table),
        archive=_archive(tree, name, environment, archive),
        schema_contract=SchemaContract(
            _word(tree, NewColumns.IGNORE, "schema_contract", "new_columns"),
            _word(tree, MissingColumns.SET_NULL, "schema_contract", "missing_columns"),
            _word(tree, RenamedColumns.REJECT_FILE, "schema_contract", "renamed_columns"),
        ),
        checks=tuple(_check(node) for node in _list(tree, "checks")),
        filter=_text(tree, "filter"),
        description=_text(tree, "description"),
        owner=_text(tree, "owner"),
        tags=_texts(tree, "tags"),
        enabled=_flag(tree, True, "enabled"),
        file=tree.file,
    )


def _source(tree: Node, environment: Environment) -> Source:
    source = tree.map["source"]
    options = _map(source, "options")
    ready = source.get("ready_when")
    null_values = source.get("null_values")
    return Source(
        path=folder(_text(source, "path") or "", environment.project),
        format=Format(_text(source, "format") or ""),
        files=_text(source, "files"),
        recursive=_flag(source, has_folders(_text(source, "files")), "recursive"),
        order_by=_text(source, "order_by") or "name",
        ready_when=ReadyWhen(_text(ready, "marker"), _number(ready, "min_age_seconds")) if ready else None,
        max_files_per_batch=_whole(source, "max_files_per_batch"),
        encodings=tuple(dict.fromkeys(codecs.lookup(name).name for name in _texts(source, "encoding") or ("utf-8",))),
        records=_text(source, "records"),
        csv=_csv(options),
        null_values=("",) if null_values is None else tuple(node.text for node in null_values.items),
        trim=_flag(source, False, "trim"),
        timezone=_text(source, "timezone") or environment.timezone,
    )


def _csv(options: Mapping[str, Node]) -> CsvOptions:
    default = CsvOptions()
    quote = (options["quote"].text or None) if "quote" in options else default.quote
    return CsvOptions(
        sep=options["sep"].text if "sep" in options else default.sep,
        header=options["header"].value is True if "header" in options else default.header,
        quote=quote,
        escape=(options["escape"].text or None) if "escape" in options else quote,
        comment=options["comment"].text if "comment" in options else None,
        multiLine=options["multiLine"].value is True if "multiLine" in options else default.multiLine,
    )


def _column(name: str, node: Node) -> Column:
    if not isinstance(node.value, dict):
        return Column(name, parse_type(node.text), (name,))
    accepted = node.get("accepted_values")
    return Column(
        name=name,
        type=parse_type(_text(node, "type") or ""),
        source_names=_texts(node, "source_name") or (name,),
        required=_flag(node, False, "required"),
        formats=_texts(node, "format"),
        pattern=_text(node, "pattern"),
        accepted_values=tuple(value.text for value in accepted.items) if accepted else None,
        min=_text(node, "min"),
        max=_text(node, "max"),
        default=_text(node, "default"),
        from_file=_text(node, "from_file"),
        expr=_text(node, "expr"),
        description=_text(node, "description"),
    )


def _check(node: Node) -> Check:
    return Check(
        name=_text(node, "name") or "",
        expr=_text(node, "expr") or "",
        action=CheckAction(_text(node, "action") or ""),
        scope=_word(node, CheckScope.ROW, "scope"),
    )


def _target(tree: Node) -> Target:
    target = tree.map["target"]
    table = Table(_text(target, "table") or "")
    staging = _text(target, "staging")
    properties = _map(target, "table_properties")
    return Target(
        table=table,
        staging=Table(staging) if staging else table.suffixed("__staging"),
        mode=_word(target, Mode.MERGE, "mode"),
        scd_type=_whole(target, "scd_type") or 1,
        keys=_columns(tree, "keys"),
        null_keys=_word(target, NullKeys.QUARANTINE, "null_keys"),
        sequence_by=_columns(tree, "sequence_by"),
        apply_as_deletes=_text(target, "apply_as_deletes"),
        apply_as_truncates=_text(target, "apply_as_truncates"),
        delete_mode=_word(target, DeleteMode.HARD, "delete_mode"),
        ignore_null_updates=_ignored_nulls(tree),
        track_columns=_tracked(tree),
        overwrite_by=_columns(tree, "overwrite_by"),
        allow_empty=_flag(target, False, "allow_empty"),
        snapshot=_snapshot(target.map.get("snapshot")),
        except_columns=_columns(tree, "except_columns"),
        audit_columns=_flag(target, False, "audit_columns"),
        cluster_by=_columns(tree, "cluster_by"),
        partition_by=_columns(tree, "partition_by"),
        table_properties=tuple((key, value.text) for key, value in properties.items()),
        comment=_text(target, "comment"),
        shared_target=_flag(target, False, "shared_target"),
    )


def _ignored_nulls(tree: Node) -> tuple[str, ...]:
    """The columns in which a NULL changes nothing; all but keys and sequence where it only says true."""
    node = tree.get("target", "ignore_null_updates")
    if node is None or node.value is False:
        return ()
    if node.value is True:
        fixed = {*_columns(tree, "keys"), *_columns(tree, "sequence_by")}
        return tuple(name for name in _map(tree, "schema") if name not in fixed)
    return _columns(tree, "ignore_null_updates")


def _tracked(tree: Node) -> tuple[str, ...] | None:
    """The columns that open a version, None for all but keys and sequence."""
    target = tree.map["target"]
    if "track_columns" in target.map:
        return _columns(tree, "track_columns")
    if "track_except" in target.map:
        others = {*_columns(tree, "track_except"), *_columns(tree, "keys"), *_columns(tree, "sequence_by")}
        return tuple(name for name in _map(tree, "schema") if name not in others)
    return None


def _snapshot(node: Node | None) -> Snapshot:
    default = Snapshot()
    if node is None:
        return default
    most = _number(node, "max_deletes")
    return Snapshot(
        _text(node, "by"),
        default.max_deletes if most is None else most,
        _flag(node, default.allow_empty, "allow_empty"),
    )


def _quarantine(tree: Node, target: Table) -> Quarantine:
    table = _text(tree, "quarantine", "table")
    return Quarantine(
        table=Table(table) if table else target.suffixed("__quarantine"),
        max_bad_rows=_whole(tree, "quarantine", "max_bad_rows"),
        max_bad_ratio=_number(tree, "quarantine", "max_bad_ratio"),
        all_bad=_word(tree, AllBad.REJECT_FILE, "quarantine", "all_bad"),
        on_exceed=_word(tree, OnExceed.REJECT_FILE, "quarantine", "on_exceed"),
    )


def _archive(tree: Node, name: str, environment: Environment, archive: str | None) -> Archive:
    path = _text(tree, "archive", "path") or f"{archive}/{name}/"
    rejected = _text(tree, "archive", "rejected_path") or f"{archive}/_rejected/{name}/"
    return Archive(
        path=folder(path, environment.project),
        rejected_path=folder(rejected, environment.project),
        on_success=_word(tree, ArchiveAction.MOVE, "archive", "on_success"),
    )


def build_environment(tree: Node, name: str, project: str) -> Environment:
    """The environment of a tree that has no problems."""
    root = _text(tree, "tables", "root")
    credentials, connector = _text(tree, "gcs", "credentials"), _text(tree, "gcs", "connector")
    databricks = tree.get("databricks")
    return Environment(
        name=name,
        engine=EngineName(_text(tree, "engine") or ""),
        project=project,
        root=absolute(root, project).rstrip("/") if root else None,
        catalog=_text(tree, "tables", "catalog"),
        control=_text(tree, "control") or "_landfeed",
        timezone=_text(tree, "timezone") or "UTC",
        jobs=_whole(tree, "jobs") or 4,
        durability=_word(tree, Durability.SYNC, "durability"),
        gcs_credentials=absolute(credentials, project) if credentials else None,
        gcs_project=_text(tree, "gcs", "project"),
        gcs_connector=absolute(connector, project) if connector else None,
        databricks=_databricks(databricks) if databricks is not None else None,
        file=tree.file,
    )


def _databricks(tree: Node) -> DatabricksSettings:
    default = DatabricksSettings()
    cluster, run_as = tree.get("compute"), tree.get("run_as")
    return DatabricksSettings(
        mode=_word(tree, default.mode, "mode"),
        cluster=_cluster(cluster) if cluster is not None and cluster.map else None,
        source=_word(tree, default.source, "source"),
        git=_git(tree.map["git"]) if "git" in tree.map else None,
        trigger=_word(tree, default.trigger, "trigger"),
        trigger_path=_text(tree, "trigger_path"),
        min_time_between_triggers_seconds=_or(tree, default.min_time_between_triggers_seconds, _MIN_TIME),
        wait_after_last_change_seconds=_or(tree, default.wait_after_last_change_seconds, _WAIT),
        notify=_texts(tree, "notify"),
        run_as=_principal(run_as) if run_as is not None else None,
        permissions=tuple(
            Permission(_text(node, "level") or "", _principal(node)) for node in _list(tree, "permissions")
        ),
        max_retries=_or(tree, default.max_retries, "max_retries"),
        timeout_seconds=_or(tree, default.timeout_seconds, "timeout_seconds"),
        root_path=_text(tree, "root_path"),
    )


_MIN_TIME, _WAIT = "min_time_between_triggers_seconds", "wait_after_last_change_seconds"


def _cluster(tree: Node) -> Cluster:
    return Cluster(
        _text(tree, "node_type_id") or "", _whole(tree, "num_workers") or 0, _text(tree, "spark_version") or ""
    )


_GIT_PROVIDERS = {
    "github.com": "gitHub",
    "gitlab.com": "gitLab",
    "bitbucket.org": "bitbucketCloud",
    "dev.azure.com": "azureDevOpsServices",
}


def git_provider(url: str) -> str | None:
    """The provider that a repository's address tells."""
    return _GIT_PROVIDERS.get(url.removeprefix("https://").split("/", 1)[0].lower())


def _git(tree: Node) -> GitRepository:
    url = _text(tree, "url") or ""
    return GitRepository(url, _text(tree, "branch") or "main", _text(tree, "provider") or git_provider(url) or "")


def _principal(tree: Node) -> Principal:
    kind = next(kind for kind in PRINCIPALS if kind in tree.map)
    return Principal(kind, _text(tree, kind) or "")


def _text(tree: Node, *keys: str) -> str | None:
    node = tree.get(*keys)
    return node.text if node is not None else None


def _flag(tree: Node, default: bool, *keys: str) -> bool:
    node = tree.get(*keys)
    return default if node is None else node.value is True


def _number(tree: Node, *keys: str) -> float | None:
    node = tree.get(*keys)
    return float(node.value) if node is not None and isinstance(node.value, int | float) else None


def _whole(tree: Node, *keys: str) -> int | None:
    number = _number(tree, *keys)
    return None if number is None else int(number)


def _or(tree: Node, default: int, key: str) -> int:
    found = _whole(tree, key)
    return default if found is None else found


def _map(tree: Node, *keys: str) -> Mapping[str, Node]:
    node = tree.get(*keys)
    return node.map if node is not None else {}


def _list(tree: Node, *keys: str) -> list[Node]:
    node = tree.get(*keys)
    return node.items if node is not None else []


def _texts(tree: Node, *keys: str) -> tuple[str, ...]:
    return tuple(node.text for node in _list(tree, *keys))


def _columns(tree: Node, key: str) -> tuple[str, ...]:
    """A list of columns under `target`, spelt as in the schema whatever their case here."""
    spelt = {name.lower(): name for name in _map(tree, "schema")}
    return tuple(spelt[name.lower()] for name in _texts(tree, "target", key))


def _word(tree: Node, default: _Word, *keys: str) -> _Word:
    node = tree.get(*keys)
    return default if node is None else type(default)(node.text)

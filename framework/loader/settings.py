"""A checked tree → the typed Environment, with every default filled in.

Runs only on trees without problems, so it trusts the shapes that the schema has checked.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from framework.environment import (
    Cluster,
    DatabricksSettings,
    Durability,
    EngineName,
    Environment,
    GitRepository,
    Hook,
    HookForm,
    Lineage,
    Occasion,
    Permission,
    Principal,
    Telling,
)
from framework.loader.nodes import Node
from framework.loader.paths import absolute, folder
from framework.loader.values import items, number, text, texts, whole, whole_or, word
from framework.names import Limits

__all__ = ["PRINCIPALS", "build_environment", "git_provider"]

PRINCIPALS = ("service_principal_name", "user_name", "group_name")
"""The keys that name somebody in a workspace."""
_GIT_PROVIDERS = {
    "github.com": "gitHub",
    "gitlab.com": "gitLab",
    "bitbucket.org": "bitbucketCloud",
    "dev.azure.com": "azureDevOpsServices",
}


_UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 1 << 20, "GiB": 1 << 30}


def build_environment(tree: Node, name: str, project: str) -> Environment:
    """The environment of a tree that has no problems."""
    root = text(tree, "tables", "root")
    credentials, connector = text(tree, "gcs", "credentials"), text(tree, "gcs", "connector")
    databricks = tree.get("databricks")
    return Environment(
        name=name,
        engine=EngineName(text(tree, "engine") or ""),
        project=project,
        root=absolute(root, project).rstrip("/") if root else None,
        catalog=text(tree, "tables", "catalog"),
        control=text(tree, "control") or "_landfeed",
        timezone=text(tree, "timezone") or "UTC",
        jobs=whole(tree, "jobs") or 4,
        memory_limit=_bytes(text(tree, "memory_limit")),
        durability=word(tree, Durability.SYNC, "durability"),
        limits=_limits(tree),
        gcs_credentials=absolute(credentials, project) if credentials else None,
        gcs_project=text(tree, "gcs", "project"),
        gcs_connector=absolute(connector, project) if connector else None,
        databricks=_databricks(databricks) if databricks is not None else None,
        telling=_telling(tree, project),
        file=tree.file,
    )


def _telling(tree: Node, project: str) -> Telling:
    reports, metrics = text(tree, "reports"), text(tree, "metrics")
    return Telling(
        reports=folder(reports, project) if reports else None,
        metrics=absolute(metrics, project) if metrics else None,
        notify=tuple(_hook(node) for node in items(tree, "notify")),
        lineage=_lineage(tree.map["lineage"]) if "lineage" in tree.map else None,
    )


_ENDPOINT = "/api/v1/lineage"


def _lineage(tree: Node) -> Lineage:
    """An address without a path is that of a server, whose usual path is added."""
    url = (text(tree, "url") or "").rstrip("/")
    whole_url = url if urlsplit(url).path else url + _ENDPOINT
    return Lineage(whole_url, text(tree, "namespace") or "landfeed", text(tree, "api_key"))


_HOSTS = {HookForm.SLACK: ("hooks.slack.com",), HookForm.TEAMS: (".webhook.office.com", ".logic.azure.com")}
"""How the hosts end whose webhooks take these forms."""


def _hook(tree: Node) -> Hook:
    url, default = text(tree, "url") or "", Hook("")
    host = urlsplit(url).hostname or ""
    by_host = next((form for form, ends in _HOSTS.items() if host.endswith(ends)), default.form)
    seconds = number(tree, "timeout_seconds")
    return Hook(
        url=url,
        form=word(tree, by_host, "form"),
        on=tuple(map(Occasion, texts(tree, "on"))) or default.on,
        seconds=default.seconds if seconds is None else seconds,
    )


def _limits(tree: Node) -> Limits:
    default = Limits()
    return Limits(
        record=_bytes(text(tree, "limits", "record")) or default.record,
        columns=whole(tree, "limits", "columns") or default.columns,
        unpacked=_bytes(text(tree, "limits", "unpacked")) or default.unpacked,
        ratio=whole(tree, "limits", "ratio") or default.ratio,
    )


def _bytes(text: str | None) -> int | None:
    """A size like `2 GB` in bytes."""
    if text is None:
        return None
    unit = text.lstrip("0123456789").strip()
    return int(text.removesuffix(unit)) * _UNITS[unit]


def _databricks(tree: Node) -> DatabricksSettings:
    default = DatabricksSettings()
    cluster, run_as = tree.get("compute"), tree.get("run_as")
    return DatabricksSettings(
        mode=word(tree, default.mode, "mode"),
        cluster=_cluster(cluster) if cluster is not None and cluster.map else None,
        source=word(tree, default.source, "source"),
        git=_git(tree.map["git"]) if "git" in tree.map else None,
        trigger=word(tree, default.trigger, "trigger"),
        trigger_path=text(tree, "trigger_path"),
        min_time_between_triggers_seconds=whole_or(tree, default.min_time_between_triggers_seconds, _MIN_TIME),
        wait_after_last_change_seconds=whole_or(tree, default.wait_after_last_change_seconds, _WAIT),
        notify=texts(tree, "notify"),
        run_as=_principal(run_as) if run_as is not None else None,
        permissions=tuple(
            Permission(text(node, "level") or "", _principal(node)) for node in items(tree, "permissions")
        ),
        max_retries=whole_or(tree, default.max_retries, "max_retries"),
        timeout_seconds=whole_or(tree, default.timeout_seconds, "timeout_seconds"),
        root_path=text(tree, "root_path"),
        freshness=_freshness(tree),
    )


def _freshness(tree: Node) -> str | None:
    said = text(tree, "freshness") or DatabricksSettings().freshness
    return None if said == "none" else said


_MIN_TIME, _WAIT = "min_time_between_triggers_seconds", "wait_after_last_change_seconds"


def _cluster(tree: Node) -> Cluster:
    return Cluster(text(tree, "node_type_id") or "", whole(tree, "num_workers") or 0, text(tree, "spark_version") or "")


def _git(tree: Node) -> GitRepository:
    url = text(tree, "url") or ""
    return GitRepository(url, text(tree, "branch") or "main", text(tree, "provider") or git_provider(url) or "")


def _principal(tree: Node) -> Principal:
    kind = next(kind for kind in PRINCIPALS if kind in tree.map)
    return Principal(kind, text(tree, kind) or "")


def git_provider(url: str) -> str | None:
    """The provider that a repository's address tells."""
    return _GIT_PROVIDERS.get(url.removeprefix("https://").split("/", 1)[0].lower())

"""Environment: where things are and which engine works on them; one YAML file each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from framework.names import Limits

__all__ = [
    "BundleMode",
    "Cluster",
    "DatabricksSettings",
    "Durability",
    "EngineName",
    "Environment",
    "GitRepository",
    "Hook",
    "HookForm",
    "JobSource",
    "JobTrigger",
    "Lineage",
    "Occasion",
    "Permission",
    "Principal",
    "Telling",
    "storage_emulator",
    "traces_endpoint",
]


class EngineName(StrEnum):
    EMBEDDED = "embedded"
    SPARK = "spark"


class Durability(StrEnum):
    """Whether what a batch brought to local tables is synced to the disk before its files leave landing."""

    SYNC = "sync"
    NONE = "none"


class BundleMode(StrEnum):
    """What a bundle target is for: a copy of one's own, or the one that counts."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class JobSource(StrEnum):
    """Where the job's code comes from: the built wheel, or runner.py in a Git repository."""

    WHEEL = "wheel"
    GIT = "git"


class JobTrigger(StrEnum):
    FILE_ARRIVAL = "file_arrival"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A job cluster; one without workers is a single machine."""

    node_type_id: str
    num_workers: int
    spark_version: str


@dataclass(frozen=True, slots=True)
class GitRepository:
    """`provider` in the spelling of the Jobs API, as in `gitHub`."""

    url: str
    branch: str
    provider: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody in a workspace: `kind` is user_name, group_name or service_principal_name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Permission:
    """`level` in the spelling of the Jobs API, as in `CAN_VIEW`."""

    level: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class DatabricksSettings:
    """The `databricks` block: what the job of this environment is like. Without a `cluster` it is serverless;
    without a `trigger_path` it watches the folder that the feeds' source paths have in common. `freshness` is when a
    small job looks for late feeds, as a Quartz expression (None: never)."""

    mode: BundleMode = BundleMode.DEVELOPMENT
    cluster: Cluster | None = None
    source: JobSource = JobSource.WHEEL
    git: GitRepository | None = None
    trigger: JobTrigger = JobTrigger.FILE_ARRIVAL
    trigger_path: str | None = None
    min_time_between_triggers_seconds: int = 60
    wait_after_last_change_seconds: int = 60
    notify: tuple[str, ...] = ()
    run_as: Principal | None = None
    permissions: tuple[Permission, ...] = ()
    max_retries: int = 2
    timeout_seconds: int = 14400
    freshness: str | None = "0 15 * * * ?"
    root_path: str | None = None


class Occasion(StrEnum):
    """What somebody may want to hear of a feed; `unusual` is the number of rows of a load."""

    FAILED = "failed"
    REJECTED = "rejected"
    LATE = "late"
    UNUSUAL = "unusual"
    RECOVERED = "recovered"


class HookForm(StrEnum):
    """What a webhook takes: Slack's and Teams' own forms, or all there is as plain JSON."""

    SLACK = "slack"
    TEAMS = "teams"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook, and `on` which occasions it hears; it is tried for so many `seconds`."""

    url: str = field(repr=False)
    form: HookForm = HookForm.JSON
    on: tuple[Occasion, ...] = tuple(Occasion)
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Lineage:
    """Who hears OpenLineage events: the whole `url`, and how many `seconds` all events of a run may take."""

    url: str = field(repr=False)
    namespace: str = "landfeed"
    api_key: str | None = field(default=None, repr=False)
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told of runs. `reports` is the folder of their reports, `metrics` a local file for Prometheus,
    `notify` the webhooks, `lineage` who hears OpenLineage events."""

    reports: str | None = None
    metrics: str | None = None
    notify: tuple[Hook, ...] = ()
    lineage: Lineage | None = None

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The paths that are written to, by their keys."""
        return tuple(
            (key, path) for key, path in (("reports", self.reports), ("metrics", self.metrics)) if path is not None
        )


def storage_emulator(environ: Mapping[str, str]) -> str | None:
    """The address of the emulator that stands for Google Cloud Storage (STORAGE_EMULATOR_HOST), if there is one."""
    given = environ.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
    if not given:
        return None
    return given if "://" in given else f"http://{given}"


def traces_endpoint(environ: Mapping[str, str]) -> str | None:
    """Where OpenTelemetry spans go, by the usual variables; None where nobody wants them, or not over OTLP/HTTP."""
    first = (environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    endpoint = next((found for found in first if found), None)
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http"
    exporters = (environ.get("OTEL_TRACES_EXPORTER") or "otlp").replace(" ", "").split(",")
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return None if off or "otlp" not in exporters or not protocol.startswith("http") else endpoint


@dataclass(frozen=True, slots=True)
class Environment:
    """`root` (where table a.b lives at `<root>/a/b`) or `catalog` (Unity Catalog), exactly one.

    Paths are absolute or URIs. `memory_limit` is in bytes, None for a share of the machine's.
    `control` is the schema of Landfeed's own tables. `project` is the
    absolute path of the folder that holds the config folder.
    """

    name: str
    engine: EngineName
    project: str
    root: str | None = None
    catalog: str | None = None
    control: str = "_landfeed"
    timezone: str = "UTC"
    jobs: int = 4
    memory_limit: int | None = None
    durability: Durability = Durability.SYNC
    limits: Limits = Limits()
    gcs_credentials: str | None = None
    gcs_project: str | None = None
    gcs_connector: str | None = None
    databricks: DatabricksSettings | None = None
    telling: Telling = Telling()
    file: str = ""

"""Lineage: OpenLineage events of the work on a feed, a START and a COMPLETE or FAIL. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from framework import __version__
from framework.environment import Lineage
from framework.feed import CheckAction, Column, Feed
from framework.names import Rows
from framework.report import FeedReport, RunReport

__all__ = ["ended", "run_id_of", "started"]

_PRODUCER = f"https://pypi.org/project/landfeed/{__version__}"
_SPEC = "https://openlineage.io/spec"
_RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "dataQualityAssertions": ("1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet"),
    "schema": "1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
_FILES = 100
"""Files that an event names as inputs; the folder is one in any case."""


def run_id_of(run: RunReport, feed: Feed, at: datetime) -> str:
    """The id of the work on a feed that began at this moment, a UUID."""
    named = f"landfeed:{run.environment}/{run.run_id}/{run.command}/{feed.name}/{at.isoformat()}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, named))


def started(run_id: str, at: datetime, feed: Feed, lineage: Lineage) -> dict[str, Any]:
    """The event of a feed on which work begins; which files it will read is not known yet."""
    return _event("START", run_id, at, feed, lineage, None)


def ended(run_id: str, at: datetime, feed: Feed, report: FeedReport, lineage: Lineage) -> dict[str, Any]:
    """The event of a feed on which work is over, with what it read and wrote, and what its rules and checks said.
    A feed of which only files were rejected has come to its end."""
    return _event("FAIL" if report.error is not None else "COMPLETE", run_id, at, feed, lineage, report)


def _event(
    kind: str, run_id: str, at: datetime, feed: Feed, lineage: Lineage, report: FeedReport | None
) -> dict[str, Any]:
    job = {
        "namespace": lineage.namespace,
        "name": feed.name,
        "facets": {"jobType": _facet("jobType", processingType="BATCH", integration="LANDFEED", jobType="FEED")},
    }
    facets: dict[str, Any] = {}
    if report is not None and report.error is not None:
        facets["errorMessage"] = _facet("errorMessage", message=report.error.message, programmingLanguage="Python")
    return {
        "eventType": kind,
        "eventTime": at.isoformat(),
        "run": {"runId": run_id, "facets": facets},
        "job": job,
        "inputs": _inputs(feed, report),
        "outputs": _outputs(feed, report),
        "producer": _PRODUCER,
        "schemaURL": _RUN_EVENT,
    }


def _inputs(feed: Feed, report: FeedReport | None) -> list[dict[str, Any]]:
    """The landing folder, with what was found of its data, and the files that were read."""
    files = () if report is None else report.files
    paths = [feed.source.path, *(file.file for file in files[:_FILES])]
    found: list[dict[str, Any]] = [
        dict(zip(("namespace", "name"), _place(path), strict=True)) for path in dict.fromkeys(paths)
    ]
    assertions = [] if report is None else list(_assertions(feed, report))
    if assertions:
        found[0]["inputFacets"] = {"dataQualityAssertions": _facet("dataQualityAssertions", assertions=assertions)}
    return found


def _assertions(feed: Feed, report: FeedReport) -> Iterator[dict[str, Any]]:
    """What the rules of columns and the feed's checks said of the rows that were read."""
    broken = {(reason.code, reason.column): reason.rows for reason in report.reasons}
    for column in feed.columns if report.rows.read else ():
        rules = (
            ("not_null", "null_key", column.name in feed.target.keys),
            ("not_null", "missing_required", column.required),
            ("accepted_values", "not_accepted", bool(column.accepted_values)),
            ("matches_pattern", "pattern_mismatch", column.pattern is not None),
            ("in_range", "out_of_range", column.min is not None or column.max is not None),
            ("of_type", "bad_value", column.from_source),
        )
        for assertion, code, is_said in rules:
            rows = broken.get((code, column.name), 0)
            if is_said:
                yield {"assertion": assertion, "success": not rows, "column": column.name, "actual": f"{rows} bad rows"}
    written = {check.name: check.expr for check in feed.checks}
    for checked in report.checks:
        known: dict[str, Any] = {"assertion": "custom_sql", "name": checked.check, "success": checked.passed}
        known["severity"] = "warn" if checked.action == CheckAction.WARN else "error"
        if checked.rows_failed is not None:
            known["actual"] = f"{checked.rows_failed} bad rows"
        if checked.check in written:
            known |= {"content": written[checked.check], "contentType": "sql"}
        yield known


def _outputs(feed: Feed, report: FeedReport | None) -> list[dict[str, Any]]:
    """Staging, target, quarantine and archive; how much was written there, once that is known."""
    rows = Rows() if report is None else report.rows

    def table(name: str, written: int) -> dict[str, Any]:
        statistics = {} if report is None else {"outputStatistics": _facet("outputStatistics", rowCount=written)}
        return {"namespace": "landfeed", "name": name, "outputFacets": statistics}

    fields = [
        {"name": column.name, "type": str(column.type)}
        | ({"description": column.description} if column.description else {})
        for column in feed.target_columns
    ]
    target = table(feed.target.table.name, rows.inserted + rows.updated + rows.deleted)
    target["facets"] = {"schema": _facet("schema", fields=fields), "columnLineage": _columns(feed)}
    return [
        target,
        table(feed.target.staging.name, rows.staged),
        table(feed.quarantine.table.name, rows.quarantined),
        dict(zip(("namespace", "name"), _place(feed.archive.path), strict=True)),
    ]


def _columns(feed: Feed) -> dict[str, Any]:
    """Which fields of the source each column of the target comes from. An expression comes from all columns that it
    may name, with its text as it stands in the feed."""
    namespace, name = _place(feed.source.path)
    read = [column for column in feed.columns if column.from_source]

    def field(column: Column, kind: str, description: str) -> dict[str, Any]:
        how = {"type": "DIRECT", "subtype": kind, "description": description, "masking": column.mask is not None}
        return {"namespace": namespace, "name": name, "field": column.source_names[0], "transformations": [how]}

    found: dict[str, Any] = {}
    for column in feed.target_columns:
        if column.from_source:
            kind = "TRANSFORMATION" if column.mask is not None else "IDENTITY"
            found[column.name] = {"inputFields": [field(column, kind, "")]}
        elif column.expr is not None:
            named = [other for other in read if other.name.lower() in column.expr.lower()]
            found[column.name] = {"inputFields": [field(other, "TRANSFORMATION", column.expr) for other in named]}
    return _facet("columnLineage", fields=found)


def _place(path: str) -> tuple[str, str]:
    """A path as OpenLineage names it: `gs://bucket` and the key, or `file` and the path."""
    scheme, found, rest = path.partition("://")
    if not found:
        return "file", path.rstrip("/") or "/"
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key.rstrip("/") or "/"


def _facet(name: str, **content: Any) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}/facets/{_FACETS[name]}", **content}

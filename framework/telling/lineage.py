"""Lineage: OpenLineage events of a run, a START and a COMPLETE or FAIL for each feed that did something.

They are made of the feed and its report when the run is over, with the times at which things were. Pure but for `send`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from framework import __version__
from framework.environment import Lineage
from framework.feed import Column, Feed
from framework.names import Status
from framework.report import FeedReport, RunReport
from framework.telling.posting import Letter, post_all

__all__ = ["events", "send"]

_PRODUCER = f"https://pypi.org/project/landfeed/{__version__}"
_SPEC = "https://openlineage.io/spec"
_RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "schema": "1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
_FILES = 100
"""Files that an event names as inputs; the folder is one in any case."""


def events(run: RunReport, feeds: Sequence[Feed], lineage: Lineage) -> Iterator[dict[str, Any]]:
    """The events of the feeds that have loaded something, or failed at it."""
    by_name = {feed.name: feed for feed in feeds}
    for report in run.feeds:
        if report.feed in by_name and report.status not in (Status.NOTHING_TO_DO, Status.BUSY):
            yield from _of_feed(run, by_name[report.feed], report, lineage)


def send(
    found: Sequence[Mapping[str, Any]], lineage: Lineage, dump: Callable[[Mapping[str, Any]], bytes]
) -> str | None:
    """Post the events in their order, within the time that `lineage` has for all of them; why they did not all arrive.
    Who does not hear one will not hear the others either."""
    headers = {"Content-Type": "application/json"}
    if lineage.api_key:
        headers["Authorization"] = f"Bearer {lineage.api_key}"
    deadline = time.monotonic() + lineage.seconds
    for number, event in enumerate(found):
        letter = Letter(lineage.url, dump(event), max(0.1, deadline - time.monotonic()), headers)
        (trouble,) = post_all([letter])
        if trouble is not None:
            return f"{letter.host}: {trouble}; {len(found) - number:,} of {len(found):,} events are lost"
    return None


def _of_feed(run: RunReport, feed: Feed, report: FeedReport, lineage: Lineage) -> Iterator[dict[str, Any]]:
    started, ended = run.started_at, run.started_at + timedelta(seconds=run.seconds)
    failed = report.status is Status.FAILED
    job = {
        "namespace": lineage.namespace,
        "name": feed.name,
        "facets": {"jobType": _facet("jobType", processingType="BATCH", integration="LANDFEED", jobType="FEED")},
    }
    run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"landfeed:{run.environment}/{run.run_id}/{run.command}/{feed.name}"))
    datasets = {"inputs": _inputs(feed, report), "outputs": _outputs(feed, report)}
    message = report.error.message if report.error else ""
    error = {"errorMessage": _facet("errorMessage", message=message, programmingLanguage="Python")} if failed else {}
    for kind, at, facets in (("START", started, {}), ("FAIL" if failed else "COMPLETE", ended, error)):
        yield {
            "eventType": kind,
            "eventTime": at.isoformat(),
            "run": {"runId": run_id, "facets": facets},
            "job": job,
            "producer": _PRODUCER,
            "schemaURL": _RUN_EVENT,
            **datasets,
        }


def _inputs(feed: Feed, report: FeedReport) -> list[dict[str, Any]]:
    """The landing folder, and the files that were read."""
    paths = [feed.source.path, *(file.file for file in report.files[:_FILES])]
    return [dict(zip(("namespace", "name"), _place(path), strict=True)) for path in dict.fromkeys(paths)]


def _outputs(feed: Feed, report: FeedReport) -> list[dict[str, Any]]:
    """Target, quarantine and archive."""
    rows = report.rows
    fields = [
        {"name": column.name, "type": str(column.type)}
        | ({"description": column.description} if column.description else {})
        for column in feed.target_columns
    ]
    target = {
        "namespace": "landfeed",
        "name": feed.target.table.name,
        "facets": {"schema": _facet("schema", fields=fields), "columnLineage": _columns(feed)},
        "outputFacets": _written(rows.inserted + rows.updated + rows.deleted),
    }
    quarantine = {
        "namespace": "landfeed",
        "name": feed.quarantine.table.name,
        "outputFacets": _written(rows.quarantined),
    }
    archive = dict(zip(("namespace", "name"), _place(feed.archive.path), strict=True))
    return [target, quarantine, archive]


def _written(rows: int) -> dict[str, Any]:
    return {"outputStatistics": _facet("outputStatistics", rowCount=rows)}


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

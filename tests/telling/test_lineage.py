"""`lineage`: OpenLineage events, which the classes of openlineage-python take."""

from __future__ import annotations

import glob
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import attr
import pytest
from jsonschema import Draft202012Validator
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    error_message_run,
    job_type_job,
    output_statistics_output_dataset,
    schema_dataset,
)
from referencing import Registry, Resource

from framework.environment import Lineage
from framework.names import Status
from framework.report import FeedReport, RunReport
from framework.telling.live import Live
from tests.cli import text
from tests.feeds import made_feed
from tests.support import ACTIVITY, HEADER, Project
from tests.telling.listener import listening
from tests.telling.test_reports import configure

FACETS: dict[str, Any] = {
    "schema": schema_dataset.SchemaDatasetFacet,
    "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
}


def checked(name: str, facet: dict[str, Any]) -> Any:
    """The facet as the package's class, which takes no other names, and says of which schema it is."""
    content = {key: value for key, value in facet.items() if not key.startswith("_")}
    if name == "schema":
        content["fields"] = [schema_dataset.SchemaDatasetFacetFields(**each) for each in content["fields"]]
    if name == "columnLineage":
        for field in content["fields"].values():
            for source in field["inputFields"]:
                for how in source["transformations"]:
                    column_lineage_dataset.Transformation(**how)
                column_lineage_dataset.InputField(**source)
            column_lineage_dataset.Fields(**field)
    if name == "dataQualityAssertions":
        content["assertions"] = [data_quality_assertions_dataset.Assertion(**each) for each in content["assertions"]]
    made = FACETS[name](**content, producer=facet["_producer"])
    assert facet["_schemaURL"] == made._schemaURL
    return made


def of_package(event: dict[str, Any]) -> RunEvent:
    facets: dict[str, dict[str, Any]] = {"run": event["run"]["facets"], "job": event["job"]["facets"]}
    made = {of: {name: checked(name, facet) for name, facet in each.items()} for of, each in facets.items()}
    outputs = []
    for each in event["outputs"]:
        known = {key: {n: checked(n, f) for n, f in each.get(key, {}).items()} for key in ("facets", "outputFacets")}
        outputs.append(OutputDataset(each["namespace"], each["name"], **known))
    inputs = []
    for each in event["inputs"]:
        facets_of = {name: checked(name, facet) for name, facet in each.get("inputFacets", {}).items()}
        inputs.append(InputDataset(each["namespace"], each["name"], inputFacets=facets_of))
    run = Run(event["run"]["runId"], made["run"])
    job = Job(event["job"]["namespace"], event["job"]["name"], made["job"])
    found = RunEvent(
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=run,
        job=job,
        eventType=RunState(event["eventType"]),
        inputs=inputs,
        outputs=outputs,
    )
    assert set(event) == {each.name for each in attr.fields(RunEvent)}
    follows_what_is_published(event)
    return found


def follows_what_is_published(event: dict[str, Any]) -> None:
    """The JSON Schemas that OpenLineage publishes are in no package. They are asked where OPENLINEAGE_SPEC names the
    folder `spec` of its repository."""
    folder = os.environ.get("OPENLINEAGE_SPEC")
    if folder is None:
        return
    schemas = {}
    for path in glob.glob("**/*.json", root_dir=folder, recursive=True):
        with open(os.path.join(folder, path), encoding="utf-8") as stream:
            document = json.load(stream)
        if "$id" in document:
            schemas[document["$id"]] = Resource.from_contents(document)
    registry: Registry[Any] = Registry().with_resources(schemas.items())
    Draft202012Validator({"$ref": event["schemaURL"]}, registry=registry).validate(event)
    for facet in facets_in(event):
        Draft202012Validator({"$ref": facet["_schemaURL"]}, registry=registry).validate(facet)


def facets_in(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if "_schemaURL" in document:
            yield document
        document = list(document.values())
    for each in document if isinstance(document, list) else ():
        yield from facets_in(each)


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    project = Project(os.fspath(tmp_path), "idle")
    masked = "  event: {type: string, mask: {method: sha256}}\n  upper: {type: string, expr: upper(event)}\n"
    checks = "checks: [{name: known, expr: \"event <> 'zz'\", action: warn}]\n"
    project.feed("activity", ACTIVITY.format(name="activity").replace("  event: string\n", masked) + checks)
    return project


def test_a_load_and_a_failure(project: Project) -> None:
    with listening() as listener:
        configure(project, f"lineage: {{url: '{listener.url}', namespace: shop}}\n")
        file = project.land("activity", "a.csv", HEADER + "1,zz,2026-01-01\nx,login,2026-01-01\n")
        assert project.cli("run").code == 0
        os.rmdir(project.path("landing", "idle"))
        assert project.cli("run", "idle").code == 1
    started, complete, _, failed = [of_package(event) for event in listener.heard]
    assert [each["eventType"] for each in listener.heard] == ["START", "COMPLETE", "START", "FAIL"]
    assert started.eventTime < complete.eventTime
    assert started.run.runId == complete.run.runId != failed.run.runId
    uuid.UUID(started.run.runId)
    assert (started.job.namespace, started.job.name) == ("shop", "activity")
    heard = listener.heard[1]
    assert {"namespace": "file", "name": file} in heard["inputs"]
    of_data = {
        (each.get("column") or each["name"], each["assertion"]): each["success"]
        for each in heard["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    }
    assert of_data[("user_id", "of_type")] is of_data[("known", "custom_sql")] is False
    assert of_data[("user_id", "not_null")] is of_data[("event_time", "of_type")] is True
    assert "outputStatistics" not in json.dumps(listener.heard[0])
    target, staging, quarantine, archive = heard["outputs"]
    assert staging["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert quarantine["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert archive["name"] == project.path("archive", "activity")
    fields = target["facets"]["columnLineage"]["fields"]
    how = {name: [(f["field"], f["transformations"][0]) for f in each["inputFields"]] for name, each in fields.items()}
    assert how["user_id"][0][1]["subtype"] == "IDENTITY"
    assert how["event"][0][1]["masking"] is True
    assert [field for field, _ in how["upper"]] == ["event"]
    assert "message" in listener.heard[3]["run"]["facets"]["errorMessage"]


def test_a_start_is_sent_when_work_begins_and_the_end_waits_for_it() -> None:
    feed, now = made_feed(), datetime(2026, 1, 2, tzinfo=UTC)
    run = RunReport("r1", "embedded", 1.0, environment="local", started_at=now)
    with listening() as listener:
        live = Live(Lineage(listener.url), lambda: now, lambda event: json.dumps(event).encode())
        live.began(run, feed)
        deadline = time.monotonic() + 60
        while not listener.heard and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [event["eventType"] for event in listener.heard] == ["START"]  # nothing has ended
        live.began(run, feed)  # its next batch
        done = replace(run, feeds=(FeedReport("orders", Status.SUCCEEDED, "b1"),))
        assert live.ended(done, [feed]) is None
        assert live.ended(done, [feed]) is None  # as `watch` does, which goes on
    kinds = [
        (event["eventType"], event["run"]["runId"] == listener.heard[0]["run"]["runId"]) for event in listener.heard
    ]
    assert kinds[:2] == [("START", True), ("COMPLETE", True)]
    assert [kind for kind, _ in kinds[2:]] == ["START", "COMPLETE"]


@pytest.mark.parametrize("answer", ["broken", "refused", "garbage"])
def test_lineage_fails_no_run(project: Project, answer: str) -> None:
    with listening(answer) as listener:
        configure(project, f"lineage: {{url: '{listener.url}'}}\n")
        project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
        said = text(project, "run")
    assert said.exit_code == 0
    assert "warning: lineage is not told: 127.0.0.1: " in said.stderr
    assert "hunter2" not in said.stderr

"""OpenTelemetry: spans of runs, which a collector takes over OTLP/HTTP, where the usual variables are set."""

from __future__ import annotations

import os
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from framework.environment import traces_endpoint
from tests.cli import text
from tests.support import HEADER, Project
from tests.telling.listener import listening

ABOVE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans(heard: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    """The attributes of the service, and all spans."""
    (request,) = heard
    (resource,) = request.resource_spans
    about = {each.key: each.value.string_value for each in resource.resource.attributes}
    return about, [span for scope in resource.scope_spans for span in scope.spans]


def test_a_run_is_a_trace(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\nx,login,2026-01-01\n")
    with listening(read=ExportTraceServiceRequest.FromString) as listener:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listener.url)
        monkeypatch.setenv("TRACEPARENT", ABOVE)
        assert project.cli("run").code == 0
        about, found = spans(listener.heard)
        listener.heard.clear()
        os.rmdir(project.path("landing", "activity"))
        assert project.cli("run").code == 1
        _, failed = spans(listener.heard)
    assert about["service.name"] == "landfeed"
    by_id = {span.span_id: span for span in found}
    above = {span.name: by_id[span.parent_span_id].name for span in found if span.parent_span_id in by_id}
    tasks = dict.fromkeys(("stage", "merge", "archive"), "feed activity")
    assert above == {"feed activity": "landfeed run", **tasks}
    run, feed = found[0], found[1]
    assert (run.trace_id.hex(), run.parent_span_id.hex()) == (ABOVE[3:35], ABOVE[36:52])
    attributes = {each.key: each.value.int_value for each in feed.attributes}
    assert (attributes["landfeed.rows.read"], attributes["landfeed.rows.quarantined"]) == (2, 1)
    times = [(span.start_time_unix_nano, span.end_time_unix_nano) for span in found]
    for start, end in times[2:]:
        assert times[1][0] <= start < end
        assert end <= times[1][1] + 10_000_000  # two clocks, of which one may be set
    assert [span.status.code for span in failed] == [2, 2]
    assert "activity" in failed[1].status.message


@pytest.mark.parametrize("answer", ["refused", "garbage", "nothing"])
def test_a_collector_fails_no_run(project: Project, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    with listening(answer, read=ExportTraceServiceRequest.FromString) as listener:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", listener.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        said = text(project, "run")
    assert said.exit_code == 0
    assert said.stderr.splitlines()[-1] == "warning: traces are not told: 127.0.0.1: they did not arrive"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_the_usual_variables(environ: dict[str, str], wanted: bool) -> None:
    assert (traces_endpoint(environ) is not None) is wanted

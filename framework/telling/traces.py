"""Traces: a run as OpenTelemetry spans, run > feed > stage, merge, archive, sent over OTLP/HTTP when it is over.

They are made of the run's report, with the times at which things were. Where they go, with which headers, and what the
service is called, is said by the variables that every OpenTelemetry SDK knows; so is the span that a run belongs to
(`TRACEPARENT`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from framework import __version__
from framework.environment import traces_endpoint
from framework.names import Status
from framework.report import FeedReport, RunReport

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span, Tracer

__all__ = ["send_traces"]

_AT_ONCE = 1000
"""Spans in a request."""
_SECONDS = 30.0
"""What all requests of a run may take; each has a limit of its own (OTEL_EXPORTER_OTLP_TIMEOUT, else 10 s)."""


def send_traces(
    run: RunReport, environ: Mapping[str, str], hide: Callable[[str], str], error: str | None
) -> str | None:
    """Send the spans of a run, which may have come to nothing with an `error`; why they did not all arrive. The SDK
    reads the variables of the process by itself. Raises ImportError where it is not installed."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # else it writes to stderr by itself
    spans = _Spans(hide).of_run(run, environ, error)
    exporter, done, arrived = OTLPSpanExporter(), threading.Event(), threading.Event()

    def export() -> None:
        try:
            parts = (spans[at : at + _AT_ONCE] for at in range(0, len(spans), _AT_ONCE))
            if all(exporter.export(part) is SpanExportResult.SUCCESS for part in parts):
                arrived.set()
        finally:
            done.set()

    # It ends with the process: a peer that sends a byte now and then could hold it for ever.
    threading.Thread(target=export, name="traces", daemon=True).start()
    host = urlsplit(traces_endpoint(environ) or "").hostname or "(no host)"
    if not done.wait(_SECONDS):
        return f"{host}: no answer within {_SECONDS:g} s"
    return None if arrived.is_set() else f"{host}: they did not arrive"


class _Spans:
    """Spans of one run; `hide` takes secrets out of texts."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        from opentelemetry.sdk.trace import TracerProvider

        provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._tracer: Tracer = provider.get_tracer("landfeed", __version__)
        self._hide = hide
        self._made: list[Span] = []

    def of_run(self, run: RunReport, environ: Mapping[str, str], error: str | None) -> list[ReadableSpan]:
        """All spans that the SDK's sampler wants."""
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {name: environ[name.upper()] for name in ("traceparent", "tracestate") if name.upper() in environ}
        above = TraceContextTextMapPropagator().extract(carrier)
        own = {"run_id": run.run_id, "environment": run.environment, "engine": run.engine, "status": str(run.status)}
        failed = error or (f"exit code {run.exit_code}" if run.exit_code else None)
        context = self._span(f"landfeed {run.command}", above, run.started_at, run.seconds, own, failed)
        for report in run.feeds:
            if report.started_at is not None and report.status is not Status.NOTHING_TO_DO:
                self._of_feed(report, context, report.started_at)
        return [span for span in self._made if isinstance(span, ReadableSpan)]

    def _of_feed(self, report: FeedReport, above: Context, started_at: datetime) -> None:
        rows = {f"rows.{name}": count for name, count in asdict(report.rows).items()}
        own = {"feed": report.feed, "status": str(report.status), "batch_id": report.batch_id or ""}
        more = {"table": report.table or "", "files": len(report.files), **rows}
        failed = report.error.message if report.error else None
        context = self._span(f"feed {report.feed}", above, started_at, report.took, own | more, failed)
        for step in report.steps:
            last = failed if step is report.steps[-1] else None
            self._span(step.task, context, step.started_at, step.seconds, {"feed": report.feed}, last)

    def _span(
        self,
        name: str,
        above: Context,
        started_at: datetime,
        seconds: float,
        attributes: Mapping[str, Any],
        failed: str | None,
    ) -> Context:
        """A span that is over; the context of those within it."""
        from opentelemetry.trace import Status as Code
        from opentelemetry.trace import StatusCode, set_span_in_context

        told = {f"landfeed.{key}": value for key, value in attributes.items()}
        span = self._tracer.start_span(name, above, attributes=told, start_time=_nanoseconds(started_at))
        if failed is not None:
            span.set_status(Code(StatusCode.ERROR, self._hide(failed)))
        span.end(_nanoseconds(started_at + timedelta(seconds=seconds)))
        self._made.append(span)
        return set_span_in_context(span, above)


def _resource() -> Any:
    """The service, as the variables say it, or else as `landfeed`."""
    from opentelemetry.sdk.resources import Resource

    given = Resource.create()
    if not str(given.attributes.get("service.name", "")).startswith("unknown_service"):
        return given
    return given.merge(Resource({"service.name": "landfeed", "service.version": __version__}))


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6) * 1000

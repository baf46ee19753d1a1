"""Traces for an OpenTelemetry collector, where one is named. They name nobody.

What the instrumentations know of addresses, browsers, statements and errors stays here: a span
leaves with its name (``GET posts/<int:pk>/``, ``run/campaigns.tasks.publish_due``, ``SELECT``), its
times and the attributes of :data:`TOLD`.
"""

import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext
from opentelemetry.trace.status import Status

# Names of the semantic conventions, older and newer: https://opentelemetry.io/docs/specs/semconv/
TOLD = frozenset({
    "celery.action", "celery.state", "celery.task_name", "db.operation", "db.system",
    "http.method", "http.route", "http.status_code",
    "http.request.method", "http.response.status_code",
})  # fmt: skip


class Bare(BatchSpanProcessor):
    """Hands a span on without what could tell of a person."""

    def on_end(self, span: ReadableSpan) -> None:
        """It has ended: no events, links, words of errors, and few attributes."""
        told = ReadableSpan(
            name=span.name,
            context=_numbers(span.context),
            parent=_numbers(span.parent),
            resource=span.resource,
            attributes={k: v for k, v in (span.attributes or {}).items() if k in TOLD},
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        super().on_end(told)


def _numbers(context: SpanContext | None) -> SpanContext | None:
    """Which span it is, without the free text that a caller may send along (``tracestate``)."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def start(name: str) -> None:
    """Tell the collector of this process from now on; it must not fork any more.

    Args:
        name: what the process is called there, unless ``OTEL_SERVICE_NAME`` says it.
    """
    os.environ.setdefault("OTEL_SERVICE_NAME", name)
    provider = TracerProvider()
    provider.add_span_processor(Bare(OTLPSpanExporter()))
    for instrumentor in (DjangoInstrumentor, CeleryInstrumentor, Psycopg2Instrumentor):
        instrumentor().instrument(tracer_provider=provider)

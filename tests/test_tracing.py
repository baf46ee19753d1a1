"""Traces: a collector hears how long things take, and nothing of whom they concern."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .processes import web, worker
from .test_weblog import AGENT, ask

pytestmark = pytest.mark.django_db(transaction=True)
CODE, STATE = "Xk3canary", "canary=tracestate"
ASKED = f"GET /r/{CODE}?q=canaryquery HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\nCookie: sessionid=canarycookie\r\ntraceparent: 00-{'ab' * 16}-{'cd' * 8}-01\r\ntracestate: {STATE}\r\nbaggage: who=canarybaggage\r\n"


class Collector(BaseHTTPRequestHandler):
    """Takes what an OTLP exporter sends, as protobuf over HTTP."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            raise AssertionError("not asked for")
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def collector():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.bodies = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def traced(server):
    """What a process needs to tell this collector soon."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }


def spans(server):
    """Each span told so far, with the service that told it."""
    return [
        (next(a.value.string_value for a in r.resource.attributes if a.key == "service.name"), span)
        for body in server.bodies
        for r in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in r.scope_spans
        for span in scope.spans
    ]


def await_span(server, name, seconds=60):
    """The first span of this name, and the service that told it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for service, span in spans(server):
            if span.name == name:
                return service, span
        time.sleep(0.1)
    raise AssertionError({span.name for _, span in spans(server)})


def test_trace_of_a_page_names_its_route_and_nobody(collector, tmp_path):
    with web(tmp_path, **traced(collector)) as (port, _log):
        assert b" 404 " in ask(port, ASKED.encode()).partition(b"\r\n")[0]
        service, page = await_span(collector, "GET r/<rest:code>")
    assert service == "botschaft-web"
    assert page.trace_id == bytes.fromhex("ab" * 16)  # the proxy's trace goes on
    assert page.end_time_unix_nano > page.start_time_unix_nano
    told = {a.key: a.value.string_value or a.value.int_value for a in page.attributes}
    assert told == {"http.method": "GET", "http.route": "r/<rest:code>", "http.status_code": 404}
    everything = b"".join(collector.bodies)
    secrets = [
        CODE, "canary", "203.0.113.7", AGENT[:11], "127.0.0.1", "localhost", "SELECT ", "WHERE",
    ]  # fmt: skip
    assert [word for word in secrets if word.encode() in everything] == []


def test_trace_of_a_worker_names_its_tasks_and_statements_by_their_kind(collector, tmp_path):
    beat, log = tmp_path / "beat", tmp_path / "worker.log"
    with worker(tmp_path, beat, log, **traced(collector)):
        service, task = await_span(collector, "run/campaigns.tasks.publish_due")
    found = spans(collector)
    assert {service for service, _ in found} == {service} == {"botschaft-worker"}
    assert "SELECT" in {span.name for _, span in found if span.trace_id == task.trace_id}
    everything = b"".join(collector.bodies)
    assert [word for word in (b"FROM ", b"hostname", b"gen") if word in everything] == []
    assert {key for _, span in found for key in (a.key for a in span.attributes)} <= {
        "celery.action", "celery.state", "celery.task_name", "db.system",
    }  # fmt: skip

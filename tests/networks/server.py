"""A loopback server with a ledger and faults, the frame of every pretended network."""

import json
import os
import socket
import struct
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from integrations.networks.base import Access


class Loopback:
    """Starts on a free port; ``ledger`` holds arrivals and creations with monotonic times.

    ``arrived`` is noted for the call that makes the post, and only for it. A subclass says how
    an account there looks (``remote_id``, ``secrets``, ``features``) and how an error reads.
    """

    network = ""
    features = {}
    app = None

    def remote_id(self, number):
        return number

    def secrets(self, number):
        return {"access_token": f"token-{number}"}

    def access(self, number="1"):
        """An account of this server, ready to publish."""
        return Access(
            self.base_url,
            self.remote_id(number),
            "@a",
            self.secrets(number),
            self.features,
            self.app,
        )

    def environment(self):
        """What the process under test must know to reach this server."""
        known = os.environ.get("LOOPBACK_HOSTS", "")
        return {"LOOPBACK_HOSTS": f"{known},127.0.0.1:{self.port}"}

    def problem(self, status, text):
        """The body of an error."""
        return {"error": text}

    def __init__(self, latency=0.0):
        self.latency = latency
        self.ledger = []
        self.faults = deque()
        self.lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def _serve(self):
                at = time.monotonic()
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else b""
                owner.serve(self, at, body)

            do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()

    def note(self, kind, **facts):
        with self.lock:
            self.ledger.append({"kind": kind, **facts})

    def count(self, kind):
        return sum(1 for row in self.ledger if row["kind"] == kind)

    def fault(self, name, **facts):
        self.faults.append((name, facts))

    def answer(self, handler, status, payload, headers=()):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        handler.send_response(status)
        kind = "text/html" if isinstance(payload, bytes) else "application/json; charset=utf-8"
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def misbehave(self, handler, create):
        """Play the next fault; ``create`` makes the post. Returns whether one was played."""
        with self.lock:
            if not self.faults:
                return False
            name, facts = self.faults.popleft()
        if facts.get("applied"):
            create()
        match name:
            case "reset":
                link = handler.connection
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.close_connection = True
                link.close()
            case "silence":
                time.sleep(facts.get("seconds", 3))
                handler.close_connection = True
            case "html":
                self.answer(handler, 200, b"<html><body>Welcome to your proxy</body></html>")
            case "body":
                self.answer(handler, facts.get("status", 200), facts["payload"])
            case "no_id":
                self.answer(handler, 200, {"hello": "world"})
            case "huge":
                handler.send_response(200)
                handler.send_header("Content-Length", str(3_000_000_000))
                handler.end_headers()
                piece = b"x" * 1_000_000
                for _ in range(10):
                    handler.wfile.write(piece)
                handler.close_connection = True
            case "truncated":
                handler.send_response(200)
                handler.send_header("Content-Length", "500")
                handler.end_headers()
                handler.wfile.write(b'{"id":')
                handler.close_connection = True
            case "loris":
                handler.send_response(200)
                handler.send_header("Content-Length", "500")
                handler.end_headers()
                for _ in range(facts.get("bytes", 30)):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
                    time.sleep(0.1)
                handler.close_connection = True
            case "status":
                self.answer(
                    handler, facts["status"], self.problem(facts["status"], facts.get("error", "planned")),
                    facts.get("headers", ()),
                )  # fmt: skip
        return True

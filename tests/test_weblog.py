"""The real web server under odd requests: it answers, and its log names nobody."""

import re
import socket

import pytest

from .processes import web

AGENT = "Mozilla/5.0 (Own; Browser) Gecko/20100101 Firefox/140.0"
ODD = {
    "code": b"GET /r/%s HTTP/1.1\r\nHost: localhost\r\n",
    "line break": b"GET /r/a%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\n",
    "raw line break": b"GET /r/a\r\nSet-Cookie: a=b HTTP/1.1\r\nHost: localhost\r\n",
    "nul": b"GET /r/a%00 HTTP/1.1\r\nHost: localhost\r\n",
    "raw nul": b"GET /r/a\x00 HTTP/1.1\r\nHost: localhost\r\n",
    "raw letters": "GET /r/Аb3🙂 HTTP/1.1\r\nHost: localhost\r\n".encode(),
    "8 kB query": b"GET /r/a?" + b"q" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n",
    "long code": b"GET /r/" + b"a" * 3000 + b" HTTP/1.1\r\nHost: localhost\r\n",
    "foreign host": "GET /r/a HTTP/1.1\r\nHost: bücher.example\r\n".encode(),
    "no host": b"GET /r/a HTTP/1.1\r\n",
    "absolute": b"GET https://evil.example/r/a HTTP/1.1\r\nHost: localhost\r\n",
    "broken header": b"GET /r/a HTTP/1.1\r\nHost: localhost\r\nX Y: 1\r\n",
    "huge header": b"GET /r/a HTTP/1.1\r\nHost: localhost\r\nX-Y: " + b"1" * 9000 + b"\r\n",
    "no HTTP": b"MOIN /r/a\r\n",
}


@pytest.fixture
def server(db, tmp_path):
    with web(tmp_path) as found:
        yield found


def ask(port, head):
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall(head + f"User-Agent: {AGENT}\r\nConnection: close\r\n\r\n".encode())
        found = b""
        while part := link.recv(65536):
            found += part
    return found


def test_odd_requests_are_answered_and_the_log_names_nobody(server):
    port, log = server
    said = {name: ask(port, head) for name, head in ODD.items()}
    statuses = {name: int(answer.split()[1]) for name, answer in said.items()}
    assert {name: s for name, s in statuses.items() if s not in {400, 404, 405, 414, 431}} == {}
    heads = b"".join(answer.partition(b"\r\n\r\n")[0].lower() for answer in said.values())
    assert (b"set-cookie" in heads, b"\r\nlocation" in heads) == (False, False)
    written = log.read_text()
    assert '"GET /r/' in written, written  # the log that somebody turned on
    assert "Invalid request" in written
    assert not re.search(r"127\.0\.0\.1|Firefox|Gecko", written), written

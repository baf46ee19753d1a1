"""The corpus of addresses that must not be reached, and servers that want to hurt who reads them."""

import base64
import gzip
import json
import resource
import socket
import time
import zlib
from types import SimpleNamespace

import pytest

from integrations import safe_fetch, wire
from integrations.addresses import is_public
from integrations.safe_fetch import NotFetched, Page, fetch

from .conftest import SHARED
from .networks.server import Loopback

OWN = frozenset({"botschaft-own-host"})


def corpus(*, served):
    if not (SHARED / "badinputs.json").exists():
        return [None]
    cases = json.loads((SHARED / "badinputs.json").read_text())["cases"]
    return [c for c in cases if c["group"] == "ssrf" and ("gen" in c) == served]


def name(case):
    return case["id"] if case else "absent"


@pytest.fixture
def connections(monkeypatch):
    """Every connection becomes one end of a pair with the next answer in it; none leaves."""
    made, answers, kept = [], [], []

    def connect(target, address, end):
        made.append((target.host, address))
        ours, theirs = socket.socketpair()
        kept.append(theirs)
        theirs.sendall(
            answers.pop(0) if answers else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        )
        theirs.shutdown(socket.SHUT_WR)
        return ours

    monkeypatch.setattr(wire, "_connect", connect)
    yield SimpleNamespace(made=made, answers=answers)
    for link in kept:
        link.close()


def resolver_of(case, asked):
    known = {host: [list(row) for row in rows] for host, rows in case.get("dns", {}).items()}

    def resolve(host, port):
        asked.append(host)
        rows = known.get(host)
        if not rows:
            return ["10.0.0.9"]  # whatever the corpus does not know is inside
        return rows.pop(0) if len(rows) > 1 else rows[0]

    return resolve


@pytest.mark.parametrize("case", corpus(served=False), ids=name)
def test_address_of_the_corpus(case, connections):
    if case is None:
        pytest.skip("../shared is not beside this checkout")
    for target in case.get("redirects", []):
        connections.answers.append(
            f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
        )
    asked = []
    try:
        got = fetch(case["value"], own_hosts=OWN, http=True, resolver=resolver_of(case, asked)).body
    except NotFetched:
        got = "block"
    assert got == ("block" if case["expect"] == "block" else b"hi")
    assert [address for _, address in connections.made if not is_public(address)] == []
    if case["expect"] == "fetch_pinned":
        assert (asked, connections.made) == (["rebind.test"], [("rebind.test", "93.184.216.34")])


def test_own_host_is_refused_by_name_even_when_public(connections):
    with pytest.raises(NotFetched, match="own address"):
        fetch("https://us.example/r/x", own_hosts={"us.example"}, resolver=lambda h, p: ["1.1.1.1"])
    assert connections.made == []


def moved(location, status=302):
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def anywhere(host, port):
    return ["93.184.216.34"]


def test_five_redirects_are_followed_and_relative_ones_joined(connections):
    connections.answers += [moved(f"/{n}", s) for n, s in enumerate((301, 302, 303, 307, 308))]
    page = fetch("https://a.example/x?y", own_hosts=OWN, resolver=anywhere)
    assert page == Page("https://a.example/4", "", b"hi")


def test_six_redirects_are_too_many(connections):
    connections.answers += [moved(f"/{n}") for n in range(6)]
    with pytest.raises(NotFetched, match="too many"):
        fetch("https://a.example/", own_hosts=OWN, resolver=anywhere)


@pytest.mark.parametrize(
    "location",
    ["", "http://a.example/", "//10.0.0.1/", "https://[::1/", "https://b.example:22/", "javascript:1",
     "https://a.example/\tx", "https://u@a.example/", "https://\udcff.example/", "file:///etc/passwd"],
)  # fmt: skip
def test_redirect_that_leads_nowhere_good_is_not_followed(connections, location):
    raw = location.encode("utf-8", "surrogateescape")
    connections.answers.append(
        b"HTTP/1.1 302 Found\r\nLocation: " + raw + b"\r\nContent-Length: 0\r\n\r\n"
    )
    with pytest.raises(NotFetched):
        fetch("https://a.example/", own_hosts=OWN, http=True, resolver=anywhere)
    assert len(connections.made) == 1


def test_http_is_for_feeds_only(connections):
    with pytest.raises(NotFetched):
        fetch("http://a.example/", own_hosts=OWN, resolver=anywhere)
    assert connections.made == []
    assert fetch("http://a.example/", own_hosts=OWN, http=True, resolver=anywhere).body == b"hi"


def test_path_beyond_ascii_is_escaped_on_the_way(connections):
    page = fetch("https://müller.de/ä?ö=ü#ß", own_hosts=OWN, resolver=anywhere)
    assert (page.body, connections.made) == (b"hi", [("xn--mller-kva.de", "93.184.216.34")])


@pytest.mark.parametrize("status", [404, 500, 304, 204])
def test_status_other_than_200_is_no_page(connections, status):
    connections.answers.append(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
    with pytest.raises(NotFetched, match=f"HTTP {status}"):
        fetch("https://a.example/", own_hosts=OWN, resolver=anywhere)


# Servers that answer, and badly ---------------------------------------------------------------


class Rough(Loopback):
    """Plays one ``http_*`` recipe of the corpus, keeps the request headers it saw."""

    def __init__(self, recipe):
        super().__init__()
        self.recipe = recipe
        self.seen = []

    def serve(self, handler, at, body):
        self.seen.append(dict(handler.headers))
        handler.close_connection = True
        recipe, write = self.recipe, handler.wfile.write
        if recipe["op"] == "http_raw":
            write(base64.b64decode(recipe["b64"]))
            return
        write(f"HTTP/1.1 {recipe.get('status', 200)} OK\r\nLocation: /again\r\n".encode())
        if recipe["op"] == "http_headers":
            rows = recipe.get("count", 0)
            write(b"".join(b"X-%d: 1\r\n" % n for n in range(rows)))
            write(b"Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi")
            return
        if "bytes_per_s" in recipe:
            write(b"Content-Length: 1000\r\n\r\n")
            while True:
                write(b"x")
                time.sleep(1 / recipe["bytes_per_s"])
        write(f"Content-Encoding: {recipe['encoding']}\r\n\r\n".encode())
        squeeze, piece = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1_000_000)
        for _ in range(recipe["decoded_bytes"] // len(piece)):
            write(squeeze.compress(piece))


@pytest.fixture
def rough(monkeypatch):
    started = []

    def start(recipe):
        server = Rough(recipe).__enter__()
        started.append(server)
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        return server

    yield start
    for server in started:
        server.__exit__()


@pytest.mark.parametrize("case", corpus(served=True), ids=name)
def test_server_of_the_corpus(case, rough):
    if case is None:
        pytest.skip("../shared is not beside this checkout")
    server = rough(case["gen"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    if "set_cookie" in case["gen"]:
        for _ in range(2):
            assert fetch(f"{server.base_url}/", own_hosts=OWN, http=True).body == b"hi"
        assert [headers.get("Cookie") for headers in server.seen] == [None, None]
        return
    with pytest.raises(NotFetched):
        fetch(f"{server.base_url}/", own_hosts=OWN, http=True, seconds=2)
    assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000  # kB
    assert [headers["Accept-Encoding"] for headers in server.seen] == ["identity, gzip"]


@pytest.mark.parametrize("cut", [0, 3])
def test_gzip_is_read_and_a_short_one_noticed(connections, cut):
    packed = gzip.compress(b"<title>Wind</title>" * 40)
    kept = packed[: len(packed) - cut]
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/HTML; charset=x\r\nContent-Encoding: gzip\r\n\r\n"
    connections.answers.append(head.encode() + kept)
    if cut:
        with pytest.raises(NotFetched):
            fetch("https://a.example/", own_hosts=OWN, resolver=anywhere)
    else:
        page = fetch("https://a.example/", own_hosts=OWN, resolver=anywhere)
        assert page == Page("https://a.example/", "text/html", b"<title>Wind</title>" * 40)


def test_time_is_one_for_all_hops(monkeypatch):
    class Slow(Loopback):
        def serve(self, handler, at, body):
            time.sleep(0.4)
            self.answer(handler, 302, {}, [("Location", "/on")])

    with Slow() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        began = time.monotonic()
        with pytest.raises(NotFetched):
            fetch(f"{server.base_url}/", own_hosts=OWN, http=True, seconds=1)
        assert time.monotonic() - began < 1.3


def test_page_of_exactly_the_limit_is_read_and_one_byte_more_is_not(rough, monkeypatch):
    class Long(Loopback):
        def serve(self, handler, at, body):
            self.answer(handler, 200, b"x" * int(handler.path[1:]))

    with Long() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        full = fetch(f"{server.base_url}/{safe_fetch.MAX_BYTES}", own_hosts=OWN, http=True)
        assert len(full.body) == safe_fetch.MAX_BYTES
        with pytest.raises(NotFetched):
            fetch(f"{server.base_url}/{safe_fetch.MAX_BYTES + 1}", own_hosts=OWN, http=True)


def test_no_proxy_of_the_environment_is_used(rough, monkeypatch):
    server = rough({"op": "http_headers"})
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert fetch(f"{server.base_url}/", own_hosts=OWN, http=True).body == b"hi"


@pytest.mark.parametrize(("named", "host", "called"), [
    ("*", "a.example", True), ("a.example", "a.example", True), (".example", "a.example", True),
    ("b.example, .social", "a.example", False), (".a.example", "a.example", False), ("", "a.example", False),
])  # fmt: skip
def test_only_hosts_of_the_list_are_called(connections, monkeypatch, named, host, called):
    monkeypatch.setenv("OUTGOING_HOSTS", named)
    if called:
        assert fetch(f"https://{host}/", own_hosts=OWN, resolver=anywhere).body == b"hi"
    else:
        with pytest.raises(NotFetched, match="OUTGOING_HOSTS"):
            fetch(f"https://{host}/", own_hosts=OWN, resolver=anywhere)
    assert len(connections.made) == called

"""Foreign servers that behave badly, and addresses that must not be reached."""

import json
import sys
import time

import pytest

from integrations.addresses import AddressRefused, check, parse
from integrations.wire import Blocked, NotSent, PerhapsSent, call

from .conftest import SHARED
from .networks.mastodon import Mastodon
from .networks.server import Loopback


def test_slow_loris_ends_at_the_total_deadline(monkeypatch):
    with Mastodon() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        server.fault("loris", bytes=100)
        began = time.monotonic()
        with pytest.raises(PerhapsSent):
            call(
                "POST",
                f"{server.base_url}/api/v1/statuses",
                body=json.dumps({"status": "x"}).encode(),
                headers={"Authorization": f"Bearer {server.token()}"},
                seconds=1,
            )
        assert time.monotonic() - began < 2


def test_nobody_listening_is_not_sent(monkeypatch):
    monkeypatch.setenv("LOOPBACK_HOSTS", "127.0.0.1:9")
    with pytest.raises(NotSent):
        call("GET", "http://127.0.0.1:9/", seconds=2)


def test_private_address_is_blocked():
    with pytest.raises(Blocked):
        call("GET", "https://169.254.169.254/latest/meta-data", seconds=2)


def _ssrf():
    if not (SHARED / "badinputs.json").exists():
        return []
    sys.path.insert(0, str(SHARED))
    import badinputs_load

    return [c for c in badinputs_load.cases("ssrf") if "value" in c and "redirects" not in c]


@pytest.mark.parametrize("case", _ssrf() or [None], ids=lambda c: c["id"] if c else "absent")
def test_address_is_judged_as_wanted(case):
    if case is None:
        pytest.skip("../shared is not beside this checkout")
    answers = {h: [list(x) for x in r] for h, r in case.get("dns", {}).items()}

    def resolve(host):
        known = answers.get(host) or answers.get(
            host.encode().decode("idna") if "xn--" in host else host
        )
        return known[0] if known else ["10.0.0.9"]

    try:
        target = parse(case["value"], https_only=False)
        if target.host == "botschaft-own-host":
            raise AddressRefused("own")
        check(target, [target.literal] if target.literal else resolve(target.host))
        got = "fetch"
    except AddressRefused:
        got = "block"
    assert got == ("block" if case["expect"] == "block" else "fetch")


def test_second_answer_on_one_connection_is_never_read(monkeypatch):
    class Chatty(Loopback):
        def serve(self, handler, at, body):
            both = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + one for one in (b"1", b"2")]
            handler.wfile.write(b"".join(both))
            handler.close_connection = True

    with Chatty() as server:
        monkeypatch.setenv("LOOPBACK_HOSTS", f"127.0.0.1:{server.port}")
        told = [
            call("GET", f"{server.base_url}/", seconds=5, https_only=False).body for _ in range(2)
        ]
    assert told == [b"1", b"1"]

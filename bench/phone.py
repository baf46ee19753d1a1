"""``python -m bench.phone ADDRESS``: what a phone transfers for *Today*, and how soon it is there.

ADDRESS is a running demo. With ``--beside`` the same phone opens the static design page of a folder,
so that the time is a ratio of two pages under one throttling, and not this machine's (P11).
"""

import argparse
import functools
import gzip
import http.server
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, sync_playwright

from .result import Result

ROUNDS = 5
COLD, WARM = 200_000, 60_000  # bytes
SLOWER = 1.5
# A phone on slow 4G: 1.6 Mbit/s down, 150 ms, a quarter of this machine's speed.
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
SLOW_DOWN = 4
_WATCH = """() => new Promise(done => {
    let largest = 0, shift = 0;
    new PerformanceObserver(l => l.getEntries().forEach(e => { largest = e.startTime; }))
        .observe({type: 'largest-contentful-paint', buffered: true});
    new PerformanceObserver(l => l.getEntries().forEach(e => { shift += e.value; }))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => done([largest, shift]), 500);
})"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One opened page: bytes on the wire, milliseconds to the largest paint, layout shift."""

    sizes: dict[str, float]
    largest: float
    shift: float

    @property
    def transferred(self) -> float:
        """Bytes with headers."""
        return sum(self.sizes.values())


def visit(context: BrowserContext, url: str) -> Visit:
    """Open a page in a new tab of this profile, throttled."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    urls: dict[str, str] = {}
    sizes: dict[str, float] = {}

    def answered(event: dict[str, Any]) -> None:
        urls[event["requestId"]] = event["response"]["url"]

    def loaded(event: dict[str, Any]) -> None:
        url = urls.get(event["requestId"], "?")
        sizes[url] = sizes.get(url, 0) + event["encodedDataLength"]

    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", loaded)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_DOWN})
    page.goto(url, wait_until="load")
    page.wait_for_timeout(800)
    largest, shift = page.evaluate(_WATCH)
    page.close()
    return Visit(sizes, largest, shift)


@contextmanager
def served(folder: str) -> Iterator[str]:
    """The static page, by the simplest server there is."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/today.html"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Texts packed as our own server packs them, else the static page would have a handicap."""

    def log_message(self, *_about: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer with the file."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in {".html", ".css", ".js", ".svg"} or not path.is_file():
            super().do_GET()
            return
        packed = gzip.compress(path.read_bytes())
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)


def measure(address: str, static: str) -> list[Result]:
    """Both pages in turn, each with an empty profile, then ours a second time in the same one."""
    rounds: list[tuple[Visit, Visit, Visit | None]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        phone: dict[str, Any] = {
            "viewport": {"width": 390, "height": 844},
            "device_scale_factor": 3,
            "is_mobile": True,
            "has_touch": True,
        }
        for _round in range(ROUNDS):
            with browser.new_context(**phone) as context:
                context.request.get(f"{address}/demo/employee/")  # and Today once, unseen
                ours = visit(context, f"{address}/"), visit(context, f"{address}/")
            theirs = None
            if static:
                with browser.new_context(**phone) as context:
                    theirs = visit(context, static)
            rounds.append((*ours, theirs))
        browser.close()
    return results(rounds)


def results(rounds: list[tuple[Visit, Visit, Visit | None]]) -> list[Result]:
    """The figures beside their goals, medians over the rounds."""
    cold = statistics.median(r[0].transferred for r in rounds)
    warm = statistics.median(r[1].transferred for r in rounds)
    shift = max(v.shift for r in rounds for v in r[:2])
    largest = statistics.median(r[0].largest for r in rounds)
    found = [
        Result("P11 bytes, cold", f"{cold / 1000:.0f} kB", "≤ 200 kB", "", cold <= COLD),
        Result("P11 bytes, warm", f"{warm / 1000:.0f} kB", "≤ 60 kB", "", warm <= WARM),
        Result("P11 layout shift", f"{shift:.4f}", "0", "", shift == 0),
    ]
    ratios = [r[0].largest / r[2].largest for r in rounds if r[2]]
    if ratios:
        ratio = statistics.median(ratios)
        said = f"{ratio:.2f} × the static page, median of {len(ratios)} pairs"
        found.append(
            Result("P11 largest paint", f"{largest:.0f} ms", "≤ 1.5 ×", said, ratio <= SLOWER)
        )
    for url, size in sorted(rounds[0][0].sizes.items(), key=lambda pair: -pair[1]):
        found.append(Result(f"  cold {url.partition('://')[2]}", f"{size / 1000:.1f} kB"))
    for url, size in rounds[0][1].sizes.items():
        found.append(Result(f"  warm {url.partition('://')[2]}", f"{size / 1000:.1f} kB"))
    return found


def main() -> int:
    """Print the figures; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.phone", description=__doc__)
    parser.add_argument("address", nargs="?", default="http://localhost:8000")
    parser.add_argument("--beside", default="", help="a folder with the static today.html")
    asked = parser.parse_args()
    if asked.beside:
        with served(asked.beside) as static:
            found = measure(asked.address.rstrip("/"), static)
    else:
        found = measure(asked.address.rstrip("/"), "")
    for result in found:
        print(result.line(), flush=True)
    return int(any(result.kept is False for result in found))


if __name__ == "__main__":
    sys.exit(main())

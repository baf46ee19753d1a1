"""``make pictures``: the pictures of the documentation, taken from the demonstration.

Starts the demonstration anew in a directory of its own, looks at it as its people do, in German,
and writes docs/pictures/. ``--at URL`` uses one that runs already; names take only these pictures.
"""

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
MOST = 120_000  # bytes of a picture
PORT = 8390
WORDS = "dort gelernt, mit klammen Fingern und Kakao aus der Thermoskanne,"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks, at which address, on what, and what they do first."""

    name: str
    role: str
    path: str
    phone: bool = False
    dark: bool = False
    height: int = 900
    first: Callable[[Page], None] | None = None


def _compose(page: Page) -> None:
    """Open the first suggestion on Today and put words of one's own into its first gap."""
    page.locator("main a[href*='/suggestions/']:not([href$='/suggestions/'])").first.click()
    page.wait_for_load_state("networkidle")
    field = page.locator("textarea").first
    text = field.input_value()
    begin, end = text.find("["), text.find("]") + 1
    field.fill(f"{text[:begin]}{WORDS}{text[end:]}" if 0 <= begin < end else f"{text} {WORDS}")
    page.wait_for_timeout(1500)


def _hold(page: Page) -> None:
    """Go to the page that asks for a reason before a topic is put on hold; nothing is held."""
    topic = page.locator(".sigrow[data-signal=share] a[href*='/topics/']").first
    page.goto(f"/desk/topics/{(topic.get_attribute('href') or '').split('/')[-2]}/hold/")


SHOTS = (
    Shot("today", "employee", "/", height=1000),
    Shot("today-phone", "employee", "/", phone=True),
    Shot("composer", "employee", "/", height=1000, first=_compose),
    Shot("my-data", "employee", "/me/data/"),
    Shot("board", "curator", "/desk/"),
    Shot("hold", "curator", "/desk/", first=_hold),
    Shot("roster", "hr", "/roster/"),
    Shot("month", "auditor", "/analytics/", dark=True),
    Shot("agreement", "auditor", "/record/agreement/"),
    Shot("system", "administrator", "/system/", dark=True),
    Shot("ask", "", "/ask/?lang=de"),
)


def take(browser: Browser, site: str, shot: Shot) -> None:
    """Take one picture and write it, compressed. Raises ValueError when it stays too large."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if shot.phone else {"width": 1280, "height": 900},
        device_scale_factor=2 if shot.phone else 1,
        locale="de-DE",
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        base_url=site,
    )
    page = context.new_page()
    if shot.role:
        page.goto(f"/demo/{shot.role}/")
    page.goto(shot.path)
    if shot.first:
        shot.first(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    if not shot.phone:
        page.set_viewport_size({"width": 1280, "height": shot.height})
    picture = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    path = PICTURES / f"{shot.name}.png"
    for colours in (256, 128, 64, 32):
        small = picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        if path.stat().st_size <= MOST:
            break
    else:
        message = f"{path.name} is larger than {MOST} bytes."
        raise ValueError(message)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB, {colours} colours")  # noqa: T201


def _answers(site: str) -> bool:
    try:
        with urllib.request.urlopen(f"{site}/healthz", timeout=5) as answer:  # noqa: S310 - ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _with_demo(names: list[str]) -> None:
    """Start the demonstration, take the pictures, end it."""
    site, home = f"http://localhost:{PORT}", Path(tempfile.mkdtemp(prefix="botschaft-pictures-"))
    home.chmod(0o711)  # PostgreSQL runs as somebody else where we are root
    own = {"PORT": str(PORT), "BOTSCHAFT_HOME": str(home), "VAR_DIR": str(home / "var")}
    command = [sys.executable, "-m", "advocacy.demo"]
    demo = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own})
    try:
        until = time.monotonic() + 600
        while not _answers(site):
            if demo.poll() is not None or time.monotonic() > until:
                sys.exit("The demonstration did not start.")
            time.sleep(2)
        _all(site, names)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(90)
        shutil.rmtree(home, ignore_errors=True)


def _all(site: str, names: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for shot in SHOTS:
            if not names or shot.name in names:
                take(browser, site, shot)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation.")
    parser.add_argument("--at", default="", help="the address of a demonstration that runs")
    parser.add_argument("names", nargs="*", help="only these pictures")
    asked = parser.parse_args()
    if asked.at:
        _all(asked.at.rstrip("/"), asked.names)
    else:
        _with_demo(asked.names)

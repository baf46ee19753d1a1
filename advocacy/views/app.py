"""Botschaft as an app on a phone: its manifest, its service worker, and what a device may keep.

What is said and decided about it stands in docs/app.md.
"""

import functools
import hashlib
import json
from pathlib import Path

from allauth.account.views import logout as allauth_logout
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from integrations import push

_GROUND = "#eef1ef"  # --page of base.css; the dark one stands in the pages' head
# What every page needs; a device that works offline keeps it. A test compares it with base.html.
SHELL = (
    "css/base.css",
    "css/components.css",
    "css/app.css",
    "js/trusted.js",
    "vendor/htmx.min.js",
    "js/botschaft.js",
    "js/store.js",
    "js/offline.js",
    "fonts/literata-latin.woff2",
    "fonts/schibsted-grotesk-latin.woff2",
    "img/icon.svg",
    "img/windpark-wide.svg",
)
_WORKER = ("js/store.js", "js/worker.js")
_HOUR = 3600


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": static(f"img/{name}"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


@require_safe
def manifest(request: HttpRequest, language: str) -> HttpResponse:
    """What a phone reads before it installs the app. The same for everybody of a language."""
    del request
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        told = {
            "id": "/",
            "name": f"Botschaft, {settings.ORGANISATION}"[:45],
            "short_name": "Botschaft",
            "description": _("What we may talk about today, and in whose words."),
            "lang": language,
            "dir": "ltr",
            "start_url": reverse("today"),
            "scope": "/",
            "display": "standalone",
            "theme_color": _GROUND,
            "background_color": _GROUND,
            "icons": [
                _icon("app-192.png", 192, "any"),
                _icon("app-512.png", 512, "any"),
                _icon("app-maskable-512.png", 512, "maskable"),
            ],
            # what comes stays on the device until the person hands it in: see `shared`
            "share_target": {
                "action": reverse("idea_shared"),
                "method": "POST",
                "enctype": "multipart/form-data",
                "params": {
                    "title": "title",
                    "text": "text",
                    "url": "url",
                    "files": [
                        {"name": "picture", "accept": ["image/jpeg", "image/png", "image/webp"]}
                    ],
                },
            },
            "shortcuts": [
                {"name": _("Notebook"), "url": reverse("notebook")},
                {"name": _("I have an idea"), "url": reverse("ideas")},
            ],
        }
    response = JsonResponse(told, content_type="application/manifest+json")
    response["Cache-Control"] = f"max-age={_HOUR}"
    return response


def _read(name: str) -> bytes:
    found = finders.find(name)
    if not isinstance(found, str):  # an incomplete installation
        message = f"static/{name} is missing"
        raise FileNotFoundError(message)
    return Path(found).read_bytes()


@functools.cache
def worker_text() -> str:
    """The service worker with its version: a hash of itself and of what it keeps.

    So it changes exactly when a file of the shell does, and a browser that sees another text
    installs it. Read once per process; a new release is a new process.
    """
    shell = [static(name) for name in SHELL]
    code = b"\n".join(_read(name) for name in _WORKER)
    whole = hashlib.sha256(code + json.dumps(shell).encode())
    for name in SHELL:
        whole.update(_read(name))
    told = {
        "VERSION": whole.hexdigest()[:16],
        "SHELL": shell,
        "ICON": static("img/app-192.png"),
        "BADGE": static("img/badge-96.png"),
    }
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in told.items())
    return head + code.decode()


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The device's part. A browser asks at most once an hour, not once a page."""
    del request
    response = HttpResponse(worker_text(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"max-age={_HOUR}"
    return response


def device(request: HttpRequest) -> HttpResponse:
    """Install, and what this device may do; the switches are the device's own."""
    return render(request, "device.html", {"push_key": push.public_key(now=timezone.now())})


def offline(request: HttpRequest) -> HttpResponse:
    """What a device shows without network where it kept nothing."""
    return render(request, "offline.html")


def logout(request: HttpRequest) -> HttpResponse:
    """Log out, and have the browser drop what it kept: pages, drafts, worker, subscription.

    Not ``cookies``: theme and language are the device's. Not ``cache``: nobody's page is in it.
    """
    response: HttpResponse = allauth_logout(request)
    if request.method == "POST" and not request.user.is_authenticated:
        response["Clear-Site-Data"] = '"storage"'
    return response

"""What every page for strangers keeps: no cookie, the reader's language, nothing left in caches."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponseBase]


def public_page(view: View) -> View:
    """A page for strangers.

    ``?lang=`` wins over what the browser prefers, and ``request.lang_suffix`` carries it on. A form
    here changes nothing of a session, so it needs no cookie against forgery; it carries a signed,
    timed stamp (:mod:`reception.stamps`). Nothing may be kept by caches: whoever takes their card
    back is gone with the next look, not when some copy has grown old.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked = request.GET.get("lang", "")
        said = asked if asked in dict(settings.LANGUAGES) else ""
        if said:
            translation.activate(said)
            request.LANGUAGE_CODE = said  # type: ignore[attr-defined]
        request.lang_suffix = f"?lang={said}" if said else ""  # type: ignore[attr-defined]
        try:
            response = view(request, *args, **kwargs)
        except Http404:  # the usual page for it has forms, and with them a cookie
            response = render(request, "ask_gone.html", status=404)
        response["Cache-Control"] = "no-store"
        if not settings.PUBLIC_INDEXED:
            response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return csrf_exempt(answer)


def word(typed: str) -> str:
    """What somebody sent in the place of a key or slug, with nothing a database could refuse."""
    return re.sub(r"[^a-z0-9-]", "", typed[:50])

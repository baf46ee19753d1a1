"""The door of whoever has no account: a code in a form.

The link they keep has it behind a ``#``, which browsers send to nobody (RFC 3986, 3.5): a script
takes it from there into the form. So it stands in no address that a server, a proxy or a log sees
(ASVS 14.2.1). Without script it is pasted, alone or as the whole link.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from campaigns import guesses

_LONGEST = 2_000  # characters of a link that somebody pastes
Found = TypeVar("Found")


class Shut(Exception):
    """Nothing opens yet; the argument is a sentence, empty for who comes without a code."""

    def __init__(self, sentence: str = "", *, status: int = 200) -> None:
        super().__init__(sentence)
        self.status = status


def opened(
    request: HttpRequest, find: Callable[[str], Found | None], *, door: str, old: str = ""
) -> Found:
    """What the posted code opens. ``old`` is what earlier links had in their address.

    Raises :class:`Shut`.
    """
    if old:
        raise Shut(status=410)
    if request.method != "POST":
        raise Shut
    if guesses.too_many(request):
        raise Shut(
            _("Too many wrong codes came from your network. Please try again in ten minutes."),
            status=429,
        )
    typed = request.POST.get("code", "")
    if not typed.strip():
        raise Shut(_("Paste your code first."), status=422)
    found = find(typed[:_LONGEST])
    if found is None:
        guesses.wrong(request, door=door)
        raise Shut(
            _("This code opens nothing: a sign is missing, its time is over, or it was deleted."),
            status=422,
        )
    return found


def page(request: HttpRequest, shut: Shut, **more: Any) -> HttpResponse:
    """Ask for the code; ``more`` is at least a ``title``."""
    context = {
        "frame": "base_public.html",
        "error": str(shut),
        "old": shut.status == 410,
        "typed": request.POST.get("code", "")[:_LONGEST],
    }
    response = render(request, "code.html", context | more, status=shut.status)
    if shut.status == 429:
        response["Retry-After"] = str(guesses.WITHIN)
    return private(response)


def private(response: HttpResponse) -> HttpResponse:
    """No search engine lists it.

    Its address is told to this site alone, as all are. Were it told to nobody, browsers would not
    say whence the page's forms come (``Origin: null``), and they would be refused as forged.
    """
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response

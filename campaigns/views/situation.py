"""The situation of a day, and what an open composer asks about its topic."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ambassadors.kept import number
from ambassadors.models import Person
from campaigns import lights
from campaigns.front import situation as situation_of
from campaigns.models import LightChange, Programme, Topic


def situation(request: HttpRequest) -> HttpResponse:
    """The situation as a fragment, if it is not the one the page has (``v``); else 204.

    Mostly :class:`advocacy.middleware.StillMiddleware` has answered before. The version stands in
    the address instead of an ETag: our pages are ``no-store``, so a browser would send none back.
    """
    person, now = cast("Person", request.user), timezone.now()
    day = person.local(now).date()
    version = lights.version(day)
    if request.GET.get("v") == version:
        return HttpResponse(status=204)

    def make() -> str:
        context = {**situation_of(day, now)._asdict(), "now": now, "programme": Programme.the()}
        return render_to_string("parts/situation.html", {**context, "swapped": True})

    return HttpResponse(lights.fragment(version, get_language() or "", person.timezone, make))


def turn(request: HttpRequest, pk: int) -> HttpResponse:
    """For an open composer: one line when its topic's light changed since ``told``, else 204."""
    topic = get_object_or_404(Topic, pk=pk)
    new = lights.changed_since(topic, number(request.GET.get("told", "")) or 0)
    if new is None:
        return HttpResponse(status=204)
    return render(request, "parts/turn.html", {"turn": new, "told": new.pk})


def said(change: LightChange, person: Person) -> str:
    """A change in one sentence, for a form that must be read again."""
    return _("The light changed at %(at)s: %(line)s. %(why)s") % {
        "at": f"{person.local(change.at):%H:%M}",
        "line": change.get_after_display(),
        "why": change.why,
    }

"""The calendar's secret address: made, revoked, read by calendar programmes."""

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ambassadors.models import Person
from curation import feeds
from integrations import ical


@require_POST
def settings(request: HttpRequest) -> HttpResponse:
    """Make the person's address, or end it."""
    person, now = cast("Person", request.user), timezone.now()
    if request.POST.get("act") == "revoke":
        feeds.revoke(by=person, now=now)
        messages.success(request, _("Revoked. The old address answers nobody any more."))
    else:
        feeds.make(by=person, now=now)
    response = redirect("calendar")
    response["Location"] += "#feed-h"
    return response


@require_GET
def feed(request: HttpRequest, signed: str) -> HttpResponse:
    """The calendar as a file, for whoever has the address."""
    del request
    reader = feeds.reader(signed)
    if reader is None:
        raise Http404
    with translation.override(reader.language):
        return ical.served(feeds.calendar(timezone.now()))

"""The calendar for the programs of curators: opened, revoked, read."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ambassadors.models import Person
from campaigns import subscriptions
from curation import feeds
from integrations import ical


@require_POST
def settings(request: HttpRequest) -> HttpResponse:
    """Open the calendar to the person's program, or end that."""
    person, now = cast("Person", request.user), timezone.now()
    if request.POST.get("act") == "revoke":
        feeds.revoke(by=person, now=now)
        messages.success(request, _("Revoked. The password opens nothing any more."))
    else:
        feeds.make(by=person, now=now)
    response = redirect("calendar")
    response["Location"] += "#feed-h"
    return response


@require_safe
def feed(request: HttpRequest, signed: str = "") -> HttpResponse:
    """The calendar as a file."""
    return subscriptions.answer(
        request,
        feeds.reader,
        lambda _reader: ical.served(feeds.calendar(timezone.now())),
        inside=signed,
    )

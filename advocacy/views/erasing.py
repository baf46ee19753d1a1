"""To be erased: the person's own page, the report, and HR's page for somebody who left."""

import datetime as dt
import uuid
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from ambassadors import agreement
from ambassadors.memberships import LastAdministrator
from ambassadors.models import Erasure, Person, Takeout
from ambassadors.takeout import DELETED, tables
from campaigns import erasures
from campaigns.tasks import erase_due
from campaigns.wakeups import nudge
from integrations.tasks import revoke_due


def erase_me(request: HttpRequest) -> HttpResponse:
    """What goes, what stays and why; then the wish, or taking it back."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        return _page(request, person)
    if request.POST.get("act") == "take_back":
        return _take_back(request, person, now, back="erase_me")
    at_once = request.POST.get("when") == "now"
    made = _ask(request, person, by=person, at_once=at_once, now=now)
    if isinstance(made, HttpResponse):
        return made
    return redirect("erasure_report", key=made.key) if at_once else redirect("erase_me")


def erase_leaver(request: HttpRequest, pk: int) -> HttpResponse:
    """HR begins it for somebody who left, or takes it back."""
    by, now = cast("Person", request.user), timezone.now()
    left = Person.objects.filter(left_at__isnull=False, erased_at__isnull=True)
    who = get_object_or_404(left, pk=pk)
    if request.method != "POST":
        agreement.note_look(person=who, page="erase", by=by, now=now)
        return _page(request, who)
    if request.POST.get("act") == "take_back":
        return _take_back(request, who, now, back="leavers")
    made = _ask(request, who, by=by, at_once=False, now=now)
    if isinstance(made, HttpResponse):
        return made
    messages.success(
        request,
        _("%(name)s will be erased on %(day)s. Until then you can take it back.")
        % {"name": who.name, "day": formats.date_format(timezone.localtime(made.due_at), "j. F")},
    )
    return redirect("leavers")


def _ask(
    request: HttpRequest, who: Person, *, by: Person, at_once: bool, now: dt.datetime
) -> Erasure | HttpResponse:
    typed = request.POST.get("typed", "").replace("\x00", "")
    try:
        made = erasures.ask(person=who, typed=typed, at_once=at_once, by=by, now=now)
    except erasures.NotAsked as refused:
        return _page(request, who, **{refused.field: refused.sentence})
    except LastAdministrator:
        return _page(request, who)
    nudge(revoke_due)
    nudge(erase_due)  # writes to them
    return made


def _take_back(request: HttpRequest, who: Person, now: dt.datetime, *, back: str) -> HttpResponse:
    erasure = erasures.of(who)
    try:
        if erasure:
            by = cast("Person", request.user)
            erasures.take_back(erasure=erasure, by=by, now=now)
            messages.success(
                request,
                _("Taken back. Nothing is deleted; accounts and consents are yours to give again."),
            )
    except erasures.TheirWish:
        messages.warning(request, _("They asked for it themselves; only they can take it back."))
    except erasures.TooLate:
        messages.warning(request, _("The days to think are over; it has begun."))
    return redirect(back)


def _page(request: HttpRequest, who: Person, **errors: str) -> HttpResponse:
    now, own = timezone.now(), who == request.user
    wait, erasure = settings.ERASURE_WAIT_DAYS, erasures.of(who)
    context: dict[str, Any] = {
        "who": who,
        "own": own,
        "erasure": erasure,
        "theirs": bool(erasure and erasure.asked_by_id == who.pk),
        "ends": erasures.holdings(who) if own else None,
        "goes": sorted({_(table.title) for table in tables() if table.erasure == DELETED}),
        "wait": wait,
        "day": now + dt.timedelta(days=wait),
        "most": settings.ERASURE_PROMISED_DAYS,
        "last": erasures.is_last_administrator(who),
        "link": None
        if own
        else Takeout.objects.filter(person=who, used_at=None, expires_at__gt=now).first(),
        "typed": request.POST.get("typed", "").replace("\x00", "")[:254],
        "when": request.POST.get("when", "later"),
        "errors": errors,
    }
    return render(request, "erase.html", context, status=422 if errors else 200)


def report(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What was done, without a name. The address is the secret; nothing can be done here."""
    found = get_object_or_404(Erasure, key=key)
    context = {
        "erasure": found,
        "promised": found.asked_at + dt.timedelta(days=settings.ERASURE_PROMISED_DAYS),
    }
    return render(request, "erased.html", context)

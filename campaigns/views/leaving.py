"""Somebody leaves: say what ends and what needs somebody else, then plan the day or end it now."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from ambassadors import agreement
from ambassadors.memberships import LastAdministrator, LeftAlready
from ambassadors.models import Person
from campaigns import leaving
from campaigns.wakeups import nudge
from integrations.tasks import mail_takeouts, revoke_due


def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one person's leaving: plan a day, take it back, or end everything now."""
    by, now = cast("Person", request.user), timezone.now()
    who = get_object_or_404(Person.objects.filter(left_at__isnull=True), pk=pk)
    if request.method != "POST":
        agreement.note_look(person=who, page="leave", by=by, now=now)
        return _page(request, who)
    if who == by:
        return _page(
            request, who, me=_("You cannot do this for yourself: a colleague from HR does.")
        )
    try:
        match request.POST.get("act", ""):
            case "plan":
                day = leaving.plan(person=who, typed=request.POST.get("day", ""), by=by, now=now)
                said = formats.date_format(day, "j. F Y")
                messages.success(
                    request,
                    _("Planned: %(name)s leaves at the end of %(day)s.")
                    % {"name": who.name, "day": said},
                )
            case "cancel":
                if leaving.cancel(person=who, by=by, now=now):
                    messages.success(request, _("Taken back: %(name)s stays.") % {"name": who.name})
            case _ if request.POST.get("sure") != "yes":
                return _page(request, who, sure=_("Tick the box first."))
            case _:
                leaving.leave(person=who, by=by, now=now)
                nudge(revoke_due)
                nudge(mail_takeouts)
                messages.success(
                    request, _("%(name)s has left. Everything has ended.") % {"name": who.name}
                )
    except leaving.NotPlanned as refused:
        return _page(request, who, **{refused.field: refused.sentence})
    except LastAdministrator:
        return _page(
            request, who,
            last=_("%(name)s is the last administrator. Make somebody else one first.")
            % {"name": who.name},
        )  # fmt: skip
    except LeftAlready:
        messages.info(
            request,
            _("%(name)s has left already; somebody was faster.") % {"name": who.name},
        )
    return redirect("leavers")


def _page(request: HttpRequest, who: Person, **errors: str) -> HttpResponse:
    """Errors stand beside ``day`` and ``sure``; others above the page."""
    now = timezone.now()
    context = {
        "who": who,
        "itself": who == request.user,
        "errors": errors,
        "alarm": errors.get("me") or errors.get("last", ""),
        "ends": leaving.consequences(who, now=now),
        "day": request.POST.get("day", "").replace("\x00", "")[:40]
        or (who.leaves_on.isoformat() if who.leaves_on else ""),
        "today": who.local(now).date().isoformat(),
    }
    return render(request, "leave.html", context, status=422 if errors else 200)

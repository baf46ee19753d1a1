"""The works-agreement record: what is stored, evaluated and switched, and who looked at what."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import agreement, anonymity, consents, switches
from ambassadors.models import Consent, Person, SwitchTurn
from ambassadors.switches import SWITCHES
from ambassadors.takeout import untold
from ambassadors.views.audit import ACTS
from campaigns.models import Programme
from campaigns.wakeups import nudge
from integrations.tasks import tell_of_switches


def record(request: HttpRequest) -> HttpResponse:
    """Everything on one page, also for print; an administrator turns switches here."""
    by, now = cast("Person", request.user), timezone.now()
    may, error, name = by.has_role("administrator"), "", ""
    if request.method == "POST" and may:
        name, on = request.POST.get("name", ""), request.POST.get("act") == "on"
        try:
            paragraph = request.POST.get("paragraph", "").replace("\x00", "")
            switches.turn(name=name, on=on, paragraph=paragraph, by=by, now=now)
        except KeyError:
            return redirect("agreement")
        except switches.NotTurned as refused:
            error = str(refused)
        else:
            nudge(tell_of_switches)
            messages.success(request, _("Turned. The auditors are written to."))
            return redirect("agreement")
    context = {
        "may": may,
        "switches": _switches(request, name, error),
        "facts": _facts(),
        "evaluations": [
            {
                "title": _(one.title),
                "seen_by": _(one.seen_by) if one.seen_by else "",
                "at": one.module,
            }
            for one in agreement.evaluations()
        ],
        "fields": [
            {"title": _(table.title), "columns": ", ".join(names), "erasure": table.erasure}
            for table, names in agreement.fields()
        ],
        "others": sorted(untold().items()),
        "now": now,
    }
    return render(request, "agreement.html", context, status=422 if error else 200)


def _switches(request: HttpRequest, wrong: str, error: str) -> list[dict[str, Any]]:
    turns: dict[str, list[SwitchTurn]] = {}
    for turn in SwitchTurn.objects.select_related("by"):
        turns.setdefault(turn.name, []).append(turn)
    return [
        {
            "name": name,
            "title": _(one.title),
            "about": _(one.about),
            "on": turns[name][0].on if name in turns else one.from_start,
            "turns": turns.get(name, []),
            "error": error if name == wrong else "",
            "typed": request.POST.get("paragraph", "")[:500] if name == wrong else "",
        }
        for name, one in SWITCHES.items()
    ]


def _facts() -> list[tuple[str, str]]:
    """What is set or fixed, as it stands at this moment."""
    programme = Programme.the()
    return [
        (
            _("Smallest group a figure may speak of"),
            _("%(n)s people, everywhere; nobody can set it lower") % {"n": anonymity.GROUP},
        ),
        (_("Rankings of people"), _("there are none; no switch makes one")),
        (
            _("Quiet hours of the company"),
            _("%(begin)s:00 to %(end)s:00, and weekends")
            % {"begin": programme.quiet_from_hour, "end": f"{programme.quiet_until_hour:02}"},
        ),
        (
            _("Four eyes on company texts"),
            _("on") if programme.two_person_review else _("off"),
        ),
        (
            _("How long a post’s figures are read"),
            _("%(n)s days") % {"n": settings.ENGAGEMENT_DAYS},
        ),
        (
            _("Consents that are asked for"),
            ", ".join(
                f"{Consent.Purpose(purpose).label} ({version})"
                for purpose, (version, _wording) in consents.WORDINGS.items()
            ),
        ),
    ]


def looks(request: HttpRequest) -> HttpResponse:
    """The access log: who opened whose data. No figure of anybody stands here."""
    page = Paginator(agreement.looks(), 50).get_page(request.GET.get("page"))
    wanted = {entry.actor_id for entry in page if entry.actor_id} | {
        int(entry.subject_id)
        for entry in page
        if entry.subject == "ambassadors.person" and entry.subject_id.isdecimal()
    }
    names = dict(Person.objects.filter(pk__in=wanted).values_list("pk", "name"))
    rows = [
        {
            "at": entry.at,
            "who": names.get(entry.actor_id or 0, "–"),
            "what": said(entry.act),
            "whom": names.get(int(entry.subject_id), "–")
            if entry.subject == "ambassadors.person" and entry.act != "roster.exported"
            else "",
            "why": entry.reason,
        }
        for entry in page
    ]
    return render(request, "looks.html", {"rows": rows, "page": page})


def said(act: str) -> str:
    """What somebody did, in words."""
    return _("opened a person’s page") if act == "person.opened" else _(ACTS[act])

"""Issues as everybody reads them: past ones, one of a day, the own tick, the end of a mail."""

import datetime as dt
from typing import cast

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ambassadors import retention
from ambassadors.models import Person
from campaigns import briefings as verbs
from campaigns import issue_mails, reaching
from campaigns.models import Briefing, BriefingRead, Programme, Way

_PAGE = 20


def day_of(text: str) -> dt.date:
    """A day in an address. Raises Http404 for what is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error


def briefings(request: HttpRequest) -> HttpResponse:
    """Past issues, newest first, with the person's own ticks."""
    person, now = cast("Person", request.user), timezone.now()
    rows = Briefing.objects.out().filter(day__lte=person.local(now).date())
    rows = rows.prefetch_related("briefingitem_set__topic")
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    ticks = BriefingRead.objects.filter(person=person, briefing__in=list(page.object_list))
    ticked = set(ticks.values_list("briefing_id", flat=True))
    context = {"page": page, "ticked": ticked, "kept": ticked and retention.days("ticks")}
    return render(request, "briefings.html", context)


def briefing(request: HttpRequest, day: str) -> HttpResponse:
    """One issue, as it went out and with the lights of now; made to be printed, too."""
    person, now = cast("Person", request.user), timezone.now()
    issue = _issue(day, person, now)
    context = {
        "issue": issue,
        "lines": issue.briefingitem_set.select_related("topic"),
        "over": issue.is_over(person.local(now).date()),
        "read": verbs.read_by(person, issue),
        "programme": Programme.the(),
        "now": now,
    }
    return render(request, "briefing.html", context)


def _issue(day: str, person: Person, now: dt.datetime) -> Briefing:
    rows = Briefing.objects.out().filter(day__lte=person.local(now).date())
    return get_object_or_404(rows.select_related("contact"), day=day_of(day))


@require_POST
def tick(request: HttpRequest, day: str) -> HttpResponse:
    """The private "I have read it", and its taking back."""
    person, now = cast("Person", request.user), timezone.now()
    issue = _issue(day, person, now)
    if request.POST.get("read") == "no":
        verbs.unconfirm(briefing=issue, by=person)
    else:
        verbs.confirm(briefing=issue, by=person, now=now)
    if request.headers.get("HX-Request"):
        context = {"issue_day": issue.day, "read": verbs.read_by(person, issue), "focus": True}
        return render(request, "parts/tick.html", context)
    if request.POST.get("from") == "today":
        return redirect("today")
    return redirect("briefing", day=day)


@csrf_exempt
def issue_mail_stop(request: HttpRequest, token: str) -> HttpResponse:
    """The one-click address of a mail (RFC 8058): a POST stops, a GET shows the button.

    A GET changes nothing: mail scanners open every link.
    """
    person = issue_mails.person_of(token)
    if person is None:
        raise Http404
    done = request.method == "POST"
    if done:
        reaching.stop(person=person, way=Way.MAIL)
    return render(request, "issue_mail_stop.html", {"done": done})

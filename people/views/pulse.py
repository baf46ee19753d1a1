"""The pulse survey as people answer and read it. Nothing here may be kept beside a name."""

import hashlib
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import switches
from ambassadors.models import Person
from campaigns import wording
from campaigns.models import Programme
from people import pulse, pulse_mails, pulse_results, screening
from people.models import PulseRound, PulseSilence
from people.questions import QUESTIONS, STEPS


def survey(request: HttpRequest) -> HttpResponse:
    """The five questions; on POST the comment is shown to its writer first, then all is counted.

    What was typed stands in the answer and the forms on it, never in the session or a message.
    """
    person, now = cast("Person", request.user), timezone.now()
    round_ = pulse.current(now)
    if round_ is None:
        return _page(request, person, "closed", status=409 if request.method == "POST" else 200)
    try:
        state = "thanks" if pulse.has_answered(round_, person) else "open"
    except pulse.NotInvited:
        state = "uninvited"
    if request.method != "POST" or state != "open":
        return _page(request, person, state, round_)
    steps, comment = _steps(request), wording.clean(request.POST.get("text", ""))
    if wording.is_blank(comment):
        comment = ""
    errors = _wrong(steps, comment)
    if errors:
        return _page(request, person, "open", round_, steps=steps, errors=errors, status=422)
    if comment and request.POST.get("looked") != _seal(comment):
        return _page(request, person, "check", round_, steps=steps, comment=comment)
    given = [step for step in steps if step]
    try:
        pulse.answer(person=person, round_=round_, steps=given, comment=comment, now=now)
    except pulse.Closed:
        return _page(request, person, "closed", status=409)
    except pulse.Answered:
        pass  # two tabs: the first one counts
    return redirect("pulse")


def _steps(request: HttpRequest) -> list[int]:
    """The chosen steps in the order of the questions, 0 where none was chosen."""
    valid = {str(step): step for step in range(1, len(STEPS) + 1)}
    return [valid.get(request.POST.get(f"q{n}", ""), 0) for n in range(len(QUESTIONS))]


def _wrong(steps: list[int], comment: str) -> dict[str, str]:
    errors = {}
    if not all(steps):
        errors["steps"] = _("Answer all five, please. Gaps would tell people apart.")
    if len(comment) > pulse.LONGEST_COMMENT:
        errors["text"] = _("Shorter please: %(count)s characters, and %(most)s fit.") % {
            "count": len(comment),
            "most": pulse.LONGEST_COMMENT,
        }
    elif wording.is_stacked(comment):
        errors["text"] = _("Too many marks stand on one letter.")
    return errors


def _seal(comment: str) -> str:
    """Tells whether a comment is the one that its writer looked at."""
    return hashlib.sha256(comment.encode()).hexdigest()


def _page(
    request: HttpRequest,
    person: Person,
    state: str,
    round_: PulseRound | None = None,
    *,
    steps: list[int] | None = None,
    comment: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a state of the survey around what was typed."""
    pieces = screening.marked(comment) if comment else []
    context = {
        "state": state,
        "round": round_,
        "questions": [
            {
                "place": n,
                "text": question.text,
                "chosen": steps[n] if steps else 0,
                "open": bool(errors and steps and not steps[n]),
            }
            for n, question in enumerate(QUESTIONS)
        ],
        "steps": list(enumerate(STEPS, 1)),
        "text": comment or request.POST.get("text", ""),
        "pieces": pieces,
        "telling": list(dict.fromkeys((text, why) for text, why in pieces if why)),
        "looked": _seal(comment) if comment else "",
        "longest": pulse.LONGEST_COMMENT,
        "errors": errors or {},
        "unkept": "unkept" in request.GET,
        "silent": PulseSilence.objects.filter(person=person).exists(),
        "latest": PulseRound.objects.filter(closed_at__isnull=False).first(),
    }
    return render(request, "pulse.html", context, status=status)


def results(request: HttpRequest, quarter: str = "") -> HttpResponse:
    """A closed round, for everybody: the latest, or a chosen one."""
    person, now = cast("Person", request.user), timezone.now()
    closed = PulseRound.objects.filter(closed_at__isnull=False).select_related("box")
    found = get_object_or_404(closed, quarter=quarter) if quarter else closed.first()
    before = closed.filter(quarter__lt=found.quarter).first() if found else None
    running = pulse.current(now)
    today = Programme.the().today(now)
    context: dict[str, Any] = {
        "round": found,
        "before": before,
        "results": pulse_results.read(found, before) if found else None,
        "rounds": list(closed[:12]),
        "running": running,
        "may_open": person.has_role("hr")
        and switches.is_on("pulse")
        and not PulseRound.objects.filter(quarter=pulse.quarter_of(today)).exists(),
        "days": pulse.DAYS_OPEN,
        "steps": STEPS,
    }
    return render(request, "pulse_results.html", context)


@require_POST
def open_round(request: HttpRequest) -> HttpResponse:
    """HR opens this quarter's survey."""
    person, now = cast("Person", request.user), timezone.now()
    try:
        pulse.open_round(day=Programme.the().today(now), by=person, now=now)
    except pulse.NotOpened:
        messages.warning(
            request,
            _(
                "Not opened: there is one in this quarter, fewer than five are in teams, or the"
                " works agreement does not provide for it at present."
            ),
        )
    else:
        messages.success(request, _("The survey is open. Everybody in a team sees it on Today."))
    return redirect("pulse_results")


@require_POST
def mails(request: HttpRequest) -> HttpResponse:
    """No mails about the survey, or mails again."""
    person = cast("Person", request.user)
    pulse_mails.wish(person=person, mails=request.POST.get("act") == "on", now=timezone.now())
    return redirect("pulse")

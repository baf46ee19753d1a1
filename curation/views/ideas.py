"""Triage of members' ideas: the longest waiting first; no answer is written over another."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.kept import kept_form
from ambassadors.models import Person
from campaigns import proposals
from campaigns.models import Proposal, Topic

_SHELVES = {"new": ("new",), "open": ("answered",), "done": ("taken", "declined")}


def ideas(request: HttpRequest) -> HttpResponse:
    """All ideas of one shelf."""
    now = timezone.now()
    shelf = request.GET.get("shelf", "new")
    shelf = shelf if shelf in _SHELVES else "new"
    rows = Proposal.objects.filter(state__in=_SHELVES[shelf]).select_related(
        "person", "picture", "answered_by", "suggestion"
    )
    if shelf == "done":
        rows = rows.order_by("-answered_at", "-pk")
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    late = now - proposals.patience()
    context = {
        "page": page,
        "rows": [
            {"idea": row, "late": row.created_at <= late, "days": (now - row.created_at).days}
            for row in page.object_list
        ],
        "shelf": shelf,
        "waiting": proposals.waiting(now=now),
    }
    return render(request, "desk_ideas.html", context)


def idea(request: HttpRequest, pk: int) -> HttpResponse:
    """One idea; on POST answer it, take it up or decline it."""
    person, now = cast("Person", request.user), timezone.now()
    rows = Proposal.objects.exclude(state="withdrawn").select_related(
        "person", "picture", "answered_by", "suggestion"
    )
    found = rows.filter(pk=pk).first()
    if found is None and request.method == "POST" and Proposal.objects.filter(pk=pk).exists():
        messages.error(request, _("The member has taken this idea back."))
        return redirect("desk_ideas")
    found = found or get_object_or_404(rows, pk=pk)
    form = request.POST if request.method == "POST" else kept_form(request)
    typed = {
        "answer": (form.get("answer", "") if form else "").replace("\x00", ""),
        "topic": form.get("topic", "") if form else "",
    }
    if request.method != "POST":
        return _page(request, found, typed, {})
    seen = _instant(request.POST.get("seen", ""))
    if seen != found.answered_at:
        return _page(request, found, typed, {"": _meanwhile(found)}, status=409)
    try:
        return _act(request, found, typed, person, now)
    except proposals.NotTaken as refused:
        return _page(request, found, typed, {refused.field: refused.sentence}, status=422)
    except proposals.AlreadyDecided as decided:
        if decided.proposal.state == "withdrawn":
            messages.error(request, _("The member has taken this idea back."))
            return redirect("desk_ideas")
        newer = rows.get(pk=pk)
        return _page(request, newer, typed, {"": _meanwhile(newer)}, status=409)


def _instant(text: str) -> dt.datetime | None:
    """The answer that stood on the page, by its moment; None for an idea without one."""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _meanwhile(idea: Proposal) -> str:
    who = idea.answered_by.name if idea.answered_by else _("Somebody")
    return _(
        "%(who)s has answered meanwhile: read it first. Your words are kept below, none was sent."
    ) % {"who": who}


def _act(
    request: HttpRequest,
    found: Proposal,
    typed: dict[str, str],
    person: Person,
    now: dt.datetime,
) -> HttpResponse:
    """Do what the button says. Raises what the verbs raise."""
    words = typed["answer"]
    match request.POST.get("act", "answer"):
        case "take":
            chosen = typed["topic"]
            known = chosen.isascii() and chosen.isdecimal() and len(chosen) < 19
            topic = Topic.objects.current().filter(pk=int(chosen)).first() if known else None
            if topic is None:
                raise proposals.NotTaken("topic", _("Choose the topic it belongs to."))
            draft = proposals.take_up(proposal=found, topic=topic, words=words, by=person, now=now)
            messages.success(request, _("It is a draft now. Go on writing; the member is told."))
            return redirect("suggestion_edit", pk=draft.pk)
        case "decline":
            proposals.decline(proposal=found, words=words, by=person, now=now)
            messages.success(request, _("Declined, with your sentence."))
        case _:
            proposals.answer(proposal=found, words=words, by=person, now=now)
            messages.success(request, _("Answered. The member reads it on Today."))
    return redirect("desk_ideas")


def _page(
    request: HttpRequest,
    found: Proposal,
    typed: dict[str, str],
    errors: dict[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "idea": found,
        "typed": typed,
        "errors": errors,
        "topics": Topic.objects.current(),
        "open": found.state in {"new", "answered"},
        "seen": found.answered_at.isoformat() if found.answered_at else "",
        "late": found.state == "new" and found.created_at <= timezone.now() - proposals.patience(),
    }
    return render(request, "desk_idea.html", context, status=status)

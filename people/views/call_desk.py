"""Calls as HR and leads see them: write one, answer who applied, invite by mail."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ambassadors.kept import form_key, kept_form
from ambassadors.models import Person, Site, Team
from campaigns.models import Topic
from people import applications, invitations
from people import calls as verbs
from people.models import Application, Call, Invitation
from people.pipeline import AlreadyIn, NotTaken, TooLate
from people.team_forms import CallForm, language_name, opened

_PAGE = 20


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def _call(request: HttpRequest, pk: int) -> Call:
    rows = Call.objects.looked_after_by(_me(request)).select_related("team__kind", "kind")
    return get_object_or_404(rows, pk=pk)


def call_list(request: HttpRequest) -> HttpResponse:
    """The calls one looks after, the latest end first."""
    now = timezone.now()
    opened_ = Q(application__state__in=Application.OPEN, application__person__left_at__isnull=True)
    rows = Call.objects.looked_after_by(_me(request)).select_related("team", "kind")
    rows = rows.annotate(
        fresh=Count("application", filter=opened_ & Q(application__state="applied")),
        waits=Count("application", filter=opened_ & Q(application__state="waiting")),
    ).order_by("-closes_at", "-pk")
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [(row, row.stands(now)) for row in page.object_list]}
    return render(request, "call_list.html", context)


def call_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Write a call."""
    person, now = _me(request), timezone.now()
    call = _call(request, pk) if pk is not None else Call()
    if request.method == "POST":
        form = CallForm(request.POST, person=person)
    else:
        form = CallForm(
            kept_form(request), person=person, initial=opened(call) if pk is not None else {}
        )
    if request.method == "POST" and form.is_valid():
        typed = dict(form.cleaned_data)
        typed.pop("for")
        team, kind = form.chosen()
        key = form_key(request.POST.get("submission", ""))
        try:
            saved = verbs.save(
                call=call, team=team, kind=kind, submission=key, by=person, now=now, **typed
            )
        except NotTaken as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("Saved."))
            for note in form.notes:
                messages.warning(request, note)
            return redirect("desk_call", pk=saved.pk)
    context = {
        "form": form,
        "call": call,
        "submission": request.POST.get("submission") or uuid.uuid4(),
    }
    return render(request, "call_edit.html", context, status=422 if form.errors else 200)


@require_POST
def call_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a call early."""
    if verbs.end(call=_call(request, pk), by=_me(request), now=timezone.now()):
        messages.success(request, _("The call is closed. Who applied still gets an answer."))
    return redirect("desk_call", pk=pk)


def desk_call(request: HttpRequest, pk: int) -> HttpResponse:
    """Who applied for a call, who waits, who was answered."""
    return _triage(request, _call(request, pk))


def _triage(
    request: HttpRequest, call: Call, refused: dict[str, Any] | None = None
) -> HttpResponse:
    rows = Application.objects.filter(call=call, person__left_at__isnull=True)
    rows = rows.select_related("person__site", "team")
    fresh = Paginator(rows.filter(state="applied"), _PAGE).get_page(request.GET.get("page"))
    teams = Team.objects.filter(kind=call.kind_id) if call.kind_id else Team.objects.none()
    if call.team_id:
        teams = Team.objects.filter(pk=call.team_id)
    titles = dict(Topic.objects.values_list("slug", "title"))
    by_team: list[tuple[Team, list[Application]]] = []
    for row in rows.filter(state="waiting").order_by("team__name", "waiting_since", "pk"):
        if row.team is None:
            continue
        if not by_team or by_team[-1][0] != row.team:
            by_team.append((row.team, []))
        by_team[-1][1].append(row)
    mailed = Invitation.objects.filter(call=call)
    context = {
        "call": call,
        "stands": call.stands(timezone.now()),
        "page": fresh,
        "fresh": [_shown(row, titles) for row in fresh.object_list],
        "waiting": by_team,
        "counts": dict(rows.order_by().values_list("state").annotate(n=Count("pk"))),
        "teams": list(teams.with_taken()),
        "mailed": mailed.aggregate(
            queued=Count("pk", filter=Q(state="queued")),
            sent=Count("pk", filter=~Q(state="queued")),
            delayed=Count("pk", filter=Q(state="delayed")),
        ),
        "bounced": mailed.filter(state="bounced").exclude(address="")[:100],
        "refused": refused or {},
    }
    return render(request, "desk_call.html", context, status=422 if refused else 200)


def _shown(row: Application, titles: dict[str, str]) -> dict[str, Any]:
    """An application as HR reads it."""
    return {
        "row": row,
        "topics": [titles[slug] for slug in row.topics if slug in titles],
        "languages": [language_name(code) for code in row.languages],
        "networks": row.networks,
    }


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite, put on the waiting list, or decline with a word."""
    person, now = _me(request), timezone.now()
    mine = Call.objects.looked_after_by(person)
    rows = Application.objects.filter(call__in=mine, person__left_at__isnull=True)
    row = rows.select_related("call__team", "call__kind", "person", "team").filter(pk=pk).first()
    if row is None:
        messages.info(request, _("This application is not there any more."))
        return redirect("call_list")
    word = request.POST.get("word", "")
    try:
        sentence = _decide(row, request.POST, word, person, now)
    except NotTaken as refused:
        about = {"pk": row.pk, "field": refused.field, "sentence": refused.sentence, "word": word}
        return _triage(request, row.call, about)
    except AlreadyIn:
        about = {
            "pk": row.pk,
            "field": "team",
            "sentence": _("%(name)s is in this team already, by another call or invitation.")
            % {"name": row.person.name},
            "word": word,
        }
        return _triage(request, row.call, about)
    except TooLate:
        messages.info(request, _("Somebody has decided meanwhile; this is how it stands."))
    else:
        messages.success(request, sentence)
    return redirect("desk_call", pk=row.call_id)


def _decide(row: Application, typed: QueryDict, word: str, by: Person, now: dt.datetime) -> str:
    """Do what was pressed; returns what to say."""
    name = {"name": row.person.name}
    if typed.get("act") == "decline":
        applications.decline(application=row, word=word, by=by, now=now)
        return _("Declined. %(name)s reads your word.") % name
    if row.state not in Application.OPEN:
        raise TooLate
    team = row.call.team or _team_of(row, typed.get("team", ""))
    if typed.get("act") == "wait":
        applications.wait(application=row, team=team, by=by, now=now)
        return _("%(name)s is on the waiting list.") % name
    if typed.get("act") == "invite":
        after = applications.invite(application=row, team=team, by=by, now=now)
        if after.state == "waiting":
            return _("No place is free now: %(name)s is on the waiting list.") % name
        return _("Invited. %(name)s decides.") % name
    raise TooLate


def _team_of(row: Application, typed: str) -> Team:
    """Which team of the call's kind was chosen. Raises :class:`NotTaken`."""
    if row.state == "waiting" and row.team:
        return row.team
    teams: Iterable[Team] = Team.objects.filter(kind=row.call.kind_id)
    for team in teams:
        if str(team.pk) == typed:
            return team
    raise NotTaken("team", _("Choose a team."))


def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite many by mail: pasted addresses, or people by site and language."""
    call = _call(request, pk)
    person, now = _me(request), timezone.now()
    is_hr = person.has_role("hr")
    typed = request.POST if request.method == "POST" else (kept_form(request) or request.POST)
    site = Site.objects.filter(slug=typed.get("site", "")[:60].replace("\x00", "")).first()
    language = typed.get("language", "") if typed.get("language") in {"de", "en"} else ""
    chosen = invitations.reachable(
        call=call, site=site, language=language, without_team=bool(typed.get("without_team"))
    )
    errors: dict[str, str] = {}
    by_filter = is_hr and typed.get("choose") == "yes"
    if request.method == "POST" and typed.get("act") == "send":
        addresses, unread = invitations.read(typed.get("addresses", ""))
        if unread:
            errors["addresses"] = _("No addresses: %(what)s") % {"what": ", ".join(unread[:5])}
        elif call.stands(now) == "over":
            errors["addresses"] = _("This call is closed.")
        else:
            try:
                outcome = invitations.send(
                    call=call,
                    note=typed.get("note", ""),
                    addresses=addresses,
                    people=chosen if by_filter else (),
                    submission=form_key(typed.get("submission", "")),
                    by=person,
                    now=now,
                )
            except NotTaken as refused:
                errors[refused.field] = refused.sentence
            else:
                messages.success(request, _said(outcome))
                return redirect("desk_call", pk=call.pk)
    context = {
        "call": call,
        "typed": typed,
        "sites": Site.objects.all(),
        "is_hr": is_hr,
        "by_filter": by_filter,
        "found": chosen.count() if by_filter else None,
        "errors": errors,
        "submission": typed.get("submission") or uuid.uuid4(),
    }
    return render(request, "call_invite.html", context, status=422 if errors else 200)


def _said(outcome: invitations.Outcome) -> str:
    """What became of the addresses."""
    parts = [_("%(n)s mails leave in the next minutes.") % {"n": outcome.queued}]
    if outcome.before > 0:
        parts.append(_("%(n)s were invited before and get no second.") % {"n": outcome.before})
    if outcome.left:
        parts.append(_("%(n)s belong to people who have left.") % {"n": outcome.left})
    return " ".join(parts)


@csrf_exempt
def invitation_no(request: HttpRequest, token: str) -> HttpResponse:
    """The no of a mail: opening it stores nothing; a press stops further invitations.

    A POST is also the one-click address of the mail's header (RFC 8058).
    """
    invitation = invitations.of_token(token)
    if invitation is None:
        raise Http404
    done = request.method == "POST"
    if done:
        invitations.never_again(invitation)
    return render(request, "invitation_no.html", {"done": done, "call": invitation.call})

"""Hold and release, a page for each door: consequences first, one button, then a report."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Manager
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import anonymity
from ambassadors.models import Person
from campaigns import holds, saying
from campaigns.models import Delivery, HoldRecord, Programme, Suggestion, Topic

_LONGEST = 1000  # characters of a reason
_LONGEST_PROPOSAL = 3000


def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """A topic."""
    return _hold(request, get_object_or_404(Topic.objects.select_related("held_by"), pk=pk))


def hold_suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """One suggestion."""
    rows = Suggestion.objects.select_related("held_by", "topic")
    return _hold(request, get_object_or_404(rows, pk=pk))


def hold_programme(request: HttpRequest) -> HttpResponse:
    """Everything."""
    return _hold(request, Programme.the())


def _hold(request: HttpRequest, scope: holds.Scope) -> HttpResponse:
    """Show what a hold would stop; on POST stop it, and answer when it is in force."""
    person, now = cast("Person", request.user), timezone.now()
    errors: dict[str, str] = {}
    reason, proposal = _typed(request, "reason"), _typed(request, "proposal")
    if request.method == "POST":
        errors = _wrong(reason, proposal)
        if not errors:
            held = holds.hold(scope=scope, by=person, reason=reason, proposal=proposal, now=now)
            messages.success(request, _said(len(held.in_flight)))
            return redirect("hold_report", pk=held.record)
    effects = holds.consequences(scope, now=now)
    context = {
        **_named(scope),
        "effects": effects,
        "already": anonymity.shown(effects.already_posted),
        "reason": reason or scope.held_reason,
        "proposal": proposal,
        "errors": errors,
        "record": _latest(scope) if scope.is_held else None,
    }
    return render(request, "hold.html", context, status=422 if errors else 200)


def _typed(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()


def _wrong(reason: str, proposal: str) -> dict[str, str]:
    errors = {}
    if not reason:
        errors["reason"] = _("Say in one sentence what everybody should know.")
    elif len(reason) > _LONGEST:
        errors["reason"] = _("Shorter please, at most %(most)s characters.") % {"most": _LONGEST}
    if len(proposal) > _LONGEST_PROPOSAL:
        errors["proposal"] = _("Shorter please, at most %(most)s characters.") % {
            "most": _LONGEST_PROPOSAL
        }
    return errors


def _said(in_flight: int) -> str:
    sentence = _("On hold. Nothing of it leaves from now on.")
    if in_flight:
        sentence += " " + saying.on_its_way(in_flight)
    return sentence


def _latest(scope: holds.Scope) -> HoldRecord | None:
    rows = HoldRecord.objects.filter(scope=holds.kind(scope), scope_id=scope.pk)
    return rows.select_related("held_by").first()


def _named(scope: holds.Scope) -> dict[str, Any]:
    """The scope as the page calls it: its title, and where its doors are."""
    match scope:
        case Topic():
            door, title, language = ("hold", "release"), scope.title, scope.language
        case Suggestion():
            door = ("hold_suggestion", "release_suggestion")
            title, language = scope.title, scope.language
        case _:
            door = ("hold_programme", "release_programme")
            title, language = _("Everything"), ""
    at = [] if isinstance(scope, Programme) else [scope.pk]
    return {
        "scope": scope,
        "kind": holds.kind(scope),
        "title": title,
        "language": language,
        "hold_url": reverse(door[0], args=at),
        "release_url": reverse(door[1], args=at),
    }


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a topic go on."""
    return _release(request, get_object_or_404(Topic, pk=pk))


@require_POST
def release_suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a suggestion go on."""
    return _release(request, get_object_or_404(Suggestion, pk=pk))


@require_POST
def release_programme(request: HttpRequest) -> HttpResponse:
    """Let everything go on."""
    return _release(request, Programme.the())


def _release(request: HttpRequest, scope: holds.Scope) -> HttpResponse:
    record = _latest(scope)
    if holds.release(scope=scope, by=cast("Person", request.user), now=timezone.now()):
        messages.success(
            request, _("Released. Posts whose moment has passed ask their people to look again.")
        )
    if record:
        return redirect("hold_report", pk=record.pk)
    return redirect("hold_reports")


def hold_reports(request: HttpRequest) -> HttpResponse:
    """All holds, newest first."""
    rows = HoldRecord.objects.select_related("held_by", "released_by")
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    return render(request, "hold_reports.html", {"page": page})


def hold_report(request: HttpRequest, pk: int) -> HttpResponse:
    """What one hold did, and what became of the posts that were on their way.

    What people who had posted already answered stands nowhere here.
    """
    rows = HoldRecord.objects.select_related("held_by", "released_by")
    record = get_object_or_404(rows, pk=pk)
    person = cast("Person", request.user)
    scope = holds.scope_of(record)
    context = {
        "record": record,
        "milliseconds": _milliseconds(record),
        "stopped": record.stopped if anonymity.shown(record.stopped_people) else None,
        "flights": flights(record.flying),
        "already": anonymity.shown(holds.already_posted(record)),
        "may_release": (
            person.has_role("curator")
            or (record.scope == "programme" and person.has_role("administrator"))
        ),
        **(_named(scope) if scope else {"title": record.name}),
    }
    return render(request, "hold_report.html", context)


def _milliseconds(record: HoldRecord) -> int | None:
    if record.in_force_at is None:
        return None
    return round((record.in_force_at - record.held_at).total_seconds() * 1000)


def flights(flying: "Manager[Delivery]") -> list[dict[str, Any]]:
    """Posts that were on their way, counted by network and by how it ended until now."""
    rows = (
        flying.order_by("account__network", "state")
        .values("account__network", "state")
        .annotate(count=Count("pk"))
    )
    words = {
        "sending": _("still on its way"),
        "sent": _("left before the hold could stop it"),
        "failed": _("refused by the network"),
        "unknown": _("not known yet, we are looking"),
        "queued": _("did not leave, it is held"),
        "cancelled": _("did not leave, it was taken back"),
    }
    return [
        {
            "network": row["account__network"],
            "ended": words[row["state"]],
            "count": row["count"],
        }
        for row in rows
    ]

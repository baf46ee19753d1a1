"""The table of disclosure: read it, propose a new version, put it in force."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.kept import kept_form
from ambassadors.models import Person
from campaigns import disclosure as verbs
from campaigns import wording
from campaigns.disclosure import NotYours, Rule, TableRefused
from campaigns.models import DisclosureRule, DisclosureTable, Programme
from campaigns.models.programme import ContentClass
from integrations.networks import NETWORKS

_VERSIONS = 30
_LONGEST = 400


def disclosure(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    """The table in force or an older one, what waits for a decision, and all versions."""
    person = cast("Person", request.user)
    current = verbs.in_force()
    shown = _asked_for(request.GET.get("version", "")) or current
    waiting = verbs.proposal()
    rules = verbs.rules_of(current)
    may_decide = person.has_role("curator", "administrator", "legal")
    own = waiting is not None and waiting.proposed_by_id == person.pk
    context = {
        "current": current,
        "shown": shown,
        "lines": _lines(rules if shown == current else verbs.rules_of(shown)),
        "waiting": waiting,
        "changes": verbs.difference(rules, verbs.rules_of(waiting)) if waiting else [],
        "may_propose": person.has_role("curator", "administrator"),
        "may_decide": may_decide and not (own and Programme.the().two_person_review),
        "may_drop": may_decide,
        "own": own,
        "versions": DisclosureTable.objects.select_related("proposed_by", "in_force_by")[
            :_VERSIONS
        ],
        "classes": dict(ContentClass.choices),
        "curates": person.has_role("curator"),
        "error": error,
    }
    return render(request, "disclosure.html", context, status=status)


def _asked_for(text: str) -> DisclosureTable | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        return None
    rows = DisclosureTable.objects.select_related("proposed_by", "in_force_by")
    return rows.filter(version=int(text)).first()


def _lines(rules: list[Rule]) -> list[dict[str, Any]]:
    """The lines with the words people read."""
    names = dict(ContentClass.choices)
    return [{"rule": rule, "name": names[ContentClass(rule.content_class)]} for rule in rules]


def propose(request: HttpRequest) -> HttpResponse:
    """Write a new version, beginning with the one that waits, the one in force, or the seed."""
    form = request.POST if request.method == "POST" else kept_form(request)
    if form is None:
        start = verbs.rules_of(verbs.proposal() or verbs.in_force())
        return _form(request, start or verbs.seed(settings.ORGANISATION), "")
    rules, note = _typed(form), wording.clean(form.get("note", "")[: 4 * _LONGEST])[:_LONGEST]
    act = form.get("act", "")
    if act == "add":
        return _form(request, [*rules, Rule("", "", "", DisclosureRule.Place.START)], note)
    if request.method != "POST" or "remove" in form:
        return _form(request, rules, note)
    try:
        verbs.propose(rules=rules, note=note, by=cast("Person", request.user), now=timezone.now())
    except TableRefused as refused:
        return _form(request, rules, note, errors=refused.errors)
    messages.success(request, _("Proposed. Nothing changes until somebody puts it in force."))
    return redirect("disclosure")


def _typed(form: QueryDict) -> list[Rule]:
    """The lines of the form, without the one whose remove button was pressed."""
    columns = [
        form.getlist(name)
        for name in ("content_class", "language", "label", "place", "network", "country")
    ]
    lines = list(zip(*columns, strict=False))[: verbs.MOST_RULES + 1]
    gone = form.get("remove", "")
    return [
        Rule(
            wording.clean(kind)[:20],
            wording.clean(language)[:2],
            wording.clean(label)[:200],
            place if place in DisclosureRule.Place.values else DisclosureRule.Place.START,
            wording.clean(network)[:20],
            wording.clean(country)[:3].upper(),
        )
        for index, (kind, language, label, place, network, country) in enumerate(lines)
        if gone != str(index)
    ]


def _form(
    request: HttpRequest, rules: list[Rule], note: str, *, errors: dict[int, str] | None = None
) -> HttpResponse:
    errors = errors or {}
    context = {
        "lines": [
            {
                "rule": rule,
                "error": errors.get(index, ""),
                "late": rule.content_class in verbs.COMMERCIAL
                and rule.place == DisclosureRule.Place.END,
            }
            for index, rule in enumerate(rules)
        ],
        "error": errors.get(-1, ""),
        "wrong": len(errors),
        "note": note,
        "classes": ContentClass.choices,
        "languages": verbs.LANGUAGES,
        "networks": [network.abilities.name for network in NETWORKS.values()],
        "first": verbs.in_force() is None,
        "curates": cast("Person", request.user).has_role("curator"),
    }
    return render(request, "disclosure_propose.html", context, status=422 if errors else 200)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a proposal in force, or leave it aside."""
    table = get_object_or_404(DisclosureTable, pk=pk)
    by, now = cast("Person", request.user), timezone.now()
    try:
        if request.POST.get("act") == "in_force":
            verbs.put_in_force(table=table, by=by, now=now)
            messages.success(request, _("In force. New texts carry these labels from now on."))
        else:
            verbs.drop(table=table, by=by, now=now)
            messages.success(request, _("Left aside. Nothing has changed."))
    except NotYours as error:
        return disclosure(request, error=str(error), status=409)
    return redirect("disclosure")

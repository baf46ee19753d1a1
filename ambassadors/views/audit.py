"""The record: which switches were changed by whom. Read-only, no figures of persons."""

from collections import defaultdict
from typing import Any

from django.apps import apps
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ambassadors import chain
from ambassadors.models import AuditEntry, Person, Role

# What a works council looks for, in words. Acts of people about their own posts are nobody's
# business.
ACTS = {
    "hold": gettext_noop("put a hold on it"),
    "release": gettext_noop("ended the hold"),
    "suggestion.approved": gettext_noop("approved a suggestion"),
    "suggestion.returned": gettext_noop("gave a suggestion back to its author"),
    "suggestion.withdrawn": gettext_noop("withdrew a suggestion"),
    "suggestion.looked_at": gettext_noop("gave a yes to a suggestion"),
    "disclosure.proposed": gettext_noop("proposed a table of disclosures"),
    "disclosure.in_force": gettext_noop("put a table of disclosures in force"),
    "disclosure.dropped": gettext_noop("dropped a table of disclosures"),
    "evidence.opened": gettext_noop("opened the proof of a post"),
    "evidence.exported": gettext_noop("took the proofs of a quarter, without names"),
    "roster.exported": gettext_noop("took the roster as a file"),
    "coverage.exported": gettext_noop("took the coverage as a file"),
    "membership.begun": gettext_noop("began somebody’s term in a team"),
    "membership.ended": gettext_noop("ended somebody’s term in a team"),
    "person.left": gettext_noop("noted that somebody left"),
    "person.leave_planned": gettext_noop("noted the day on which somebody leaves"),
    "person.leave_cancelled": gettext_noop("noted that somebody stays after all"),
    "person.returned": gettext_noop("noted that somebody is back"),
    "person.locked_out": gettext_noop("locked somebody out"),
    "person.let_in": gettext_noop("let somebody in again"),
    "person.erased": gettext_noop("erased a person’s data"),
    "takeout.exported": gettext_noop("wrote a person’s data to a file, for them"),
    "login.separated": gettext_noop("separated somebody’s company login"),
    "login.ended": gettext_noop("ended somebody’s logins"),
    "role.granted": gettext_noop("gave somebody the role “%(role)s”"),
    "role.taken": gettext_noop("took the role “%(role)s” from somebody"),
    "directory.mail_changed": gettext_noop("changed somebody’s mail address"),
    "import.agreed": gettext_noop("agreed to an import of people"),
    "import.done": gettext_noop("imported people"),
    "scim.key_made": gettext_noop("made a key for the directory"),
    "scim.key_ended": gettext_noop("ended a key for the directory"),
    "scim.departures_agreed": gettext_noop("agreed that many leave at once"),
    "group.rule_added": gettext_noop("wrote a rule for a group of the directory"),
    "group.rule_dropped": gettext_noop("dropped a rule for a group of the directory"),
    "switch.turned": gettext_noop("turned a switch"),
    "retention.changed": gettext_noop("changed how long something is kept"),
    "record.let_go": gettext_noop("the oldest part of the record went, as its time was over"),
}
_REASONS = {
    "by hand": gettext_noop("by hand"),
    "group": gettext_noop("by a group of the directory"),
    "left the company": gettext_noop("left the company"),
}
_TITLED = {"campaigns.topic", "campaigns.suggestion"}  # the company's own words, no person's


def audit(request: HttpRequest) -> HttpResponse:
    """Show the entries, the latest first, with the name of who did it."""
    found = AuditEntry.objects.filter(act__in=ACTS)
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "audit.html", {"page": page, "rows": _rows(page), "head": chain.head()})


def _rows(page: "Page[AuditEntry]") -> list[dict[str, Any]]:
    entries = list(page)
    names = dict(
        Person.objects.filter(pk__in={e.actor_id for e in entries}).values_list("pk", "name")
    )
    titles = _titles(entries)
    return [
        {
            "at": entry.at,
            "who": names.get(entry.actor_id, "–") if entry.actor_id else "Botschaft",
            "what": _what(entry),
            "number": entry.subject_id,
            "title": titles.get((entry.subject, entry.subject_id), ""),
            "why": _(_REASONS[entry.reason]) if entry.reason in _REASONS else entry.reason,
        }
        for entry in entries
    ]


def _what(entry: AuditEntry) -> str:
    named = entry.facts.get("role", "")
    role = str(Role.Name(named).label) if named in Role.Name.values else named
    return _(ACTS[entry.act]).replace("%(role)s", role)


def _titles(entries: list[AuditEntry]) -> dict[tuple[str, str], str]:
    """What topics and suggestions are called today; what is gone has its number alone."""
    wanted = defaultdict(set)
    for entry in entries:
        if entry.subject in _TITLED:
            wanted[entry.subject].add(int(entry.subject_id))
    return {
        (label, str(pk)): title
        for label, pks in wanted.items()
        for pk, title in apps.get_model(label).objects.filter(pk__in=pks).values_list("pk", "title")
    }

"""The record: which switches were changed by whom. Read-only, no figures of persons."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ambassadors import chain
from ambassadors.models import AuditEntry, Person

# What a works council looks for. Acts of people about their own posts are nobody's business.
ACTS = (
    "hold", "release", "suggestion.approved", "suggestion.returned", "suggestion.withdrawn",
    "suggestion.looked_at", "disclosure.proposed", "disclosure.in_force", "disclosure.dropped",
    "evidence.opened", "evidence.exported", "roster.exported", "coverage.exported",
    "membership.begun", "membership.ended", "person.left",
    "person.leave_planned", "person.leave_cancelled", "takeout.exported", "login.separated",
    "login.ended", "role.granted", "role.taken",
    "person.returned", "person.locked_out", "person.let_in", "directory.mail_changed",
    "import.agreed", "import.done", "scim.key_made", "scim.key_ended", "scim.departures_agreed",
    "group.rule_added", "group.rule_dropped", "switch.turned", "retention.changed",
    "person.erased", "record.let_go",
)  # fmt: skip


def audit(request: HttpRequest) -> HttpResponse:
    """Show the latest 200 entries with the name of who did it."""
    entries = list(AuditEntry.objects.filter(act__in=ACTS)[:200])
    names = dict(
        Person.objects.filter(pk__in={e.actor_id for e in entries}).values_list("pk", "name")
    )
    rows = [(entry, names.get(entry.actor_id or 0, "–")) for entry in entries]
    return render(request, "audit.html", {"rows": rows, "head": chain.head()})

"""Who may do what beside taking part, for administrators."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import logins, memberships
from ambassadors import roles as verbs
from ambassadors.kept import number
from ambassadors.models import Person, Role, normalise_email

# Everybody may take part; that is no role anybody is given.
NAMES = [(name, label) for name, label in Role.Name.choices if name != Role.Name.AMBASSADOR]
_SHOWN = 200  # of each role


def roles(request: HttpRequest) -> HttpResponse:
    """Show who holds which role; on POST give or take one, or end somebody's sessions."""
    if request.method != "POST":
        return _page(request)
    if request.POST.get("act") == "log_out":
        return _log_out(request)
    name = request.POST.get("role", "")
    if name not in dict(NAMES):
        return _page(request, error=("role", _("Choose a role.")))
    if request.POST.get("act") == "take":
        return _take(request, name)
    person = _named(request, "email")
    if person is None:
        return _page(request, error=("email", _("Nobody who works here has this address.")))
    by = cast("Person", request.user)
    words = {"name": person.name, "role": dict(NAMES)[name]}
    if verbs.give(person=person, name=name, by=by, now=timezone.now()):
        messages.success(request, _("%(name)s now has the role %(role)s.") % words)
    else:
        messages.info(request, _("%(name)s has the role %(role)s already.") % words)
    return redirect("roles")


def _named(request: HttpRequest, field: str) -> Person | None:
    """Who works here and has the address that was typed."""
    email = request.POST.get(field, "").replace("\x00", "").strip()
    return Person.objects.filter(
        email_normalised=normalise_email(email), left_at__isnull=True, is_active=True
    ).first()


def _log_out(request: HttpRequest) -> HttpResponse:
    person = _named(request, "whose")
    if person is None:
        return _page(request, error=("whose", _("Nobody who works here has this address.")))
    logins.log_out(person=person, by=cast("Person", request.user), now=timezone.now())
    messages.success(request, _("%(name)s is logged out everywhere.") % {"name": person.name})
    return redirect("roles")


def _take(request: HttpRequest, name: str) -> HttpResponse:
    person = Person.objects.filter(pk=number(request.POST.get("person", "")) or 0).first()
    if person is None:
        return redirect("roles")
    by = cast("Person", request.user)
    words = {"name": person.name, "role": dict(NAMES)[name]}
    try:
        if verbs.take(person=person, name=name, by=by, now=timezone.now()):
            messages.success(request, _("%(name)s no longer has the role %(role)s.") % words)
    except memberships.LastAdministrator:
        return _page(request, error=("take", _("%(name)s is the last administrator.") % words))
    except verbs.FromGroup:
        said = _("A group of the directory gives this role. Take %(name)s out of the group there.")
        return _page(request, error=("take", said % words))
    return redirect("roles")


def _page(request: HttpRequest, *, error: tuple[str, str] = ("", "")) -> HttpResponse:
    held: dict[str, list[Role]] = {name: [] for name, _label in NAMES}
    rows = Role.objects.filter(name__in=held, person__left_at__isnull=True)
    for row in rows.select_related("person").order_by("name", "person__name", "pk"):
        held[row.name].append(row)
    context: dict[str, Any] = {
        "names": NAMES,
        "held": [
            {"name": name, "label": label, "rows": held[name][:_SHOWN], "count": len(held[name])}
            for name, label in NAMES
        ],
        "error_field": error[0],
        "error": error[1],
        "typed": {key: request.POST.get(key, "")[:300] for key in ("email", "role", "whose")},
    }
    return render(request, "roles.html", context, status=422 if error[1] else 200)

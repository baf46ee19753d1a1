"""The directory, for administrators: keys for SCIM, what groups give, and who waits locked out."""

import datetime as dt
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from ambassadors import groups, tidying
from ambassadors.models import GroupRule, Person, Team
from campaigns.wakeups import nudge
from people import departures, scim_groups, scim_tokens
from people.models import ScimGroup, ScimToken
from people.tasks import follow_directory

_LASTS = (90, 180, 365, 730)  # days a key may be good


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def directory(request: HttpRequest) -> HttpResponse:
    """Show everything an identity provider needs, and what it brought."""
    return _page(request)


def _page(
    request: HttpRequest, *, error: tuple[str, str] = ("", ""), key: str = "", **typed: str
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "address": f"{settings.SITE_URL}/scim/v2",
        "keys": [
            (token, token.ended_at is None and token.expires_at > now)
            for token in ScimToken.objects.select_related("made_by")[:20]
        ],
        "lasts": _LASTS,
        "new_key": key,
        "rules": GroupRule.objects.select_related("team"),
        "roles": GroupRule.ROLES,
        "teams": Team.objects.all(),
        "groups": ScimGroup.objects.values_list("display_name", flat=True)[:500],
        "waiting": departures.waiting(),
        "error_field": error[0],
        "error": error[1],
        "typed": typed,
    }
    return render(request, "directory.html", context, status=422 if error[1] else 200)


@require_POST
def make_key(request: HttpRequest) -> HttpResponse:
    """Make a key and show it, this once."""
    name = tidying.line(request.POST.get("name", ""))
    days = request.POST.get("days", "")
    if not 0 < len(name) <= 80:
        return _page(
            request, error=("name", _("Say whose key it is, in up to 80 characters.")),
            name=name[:200], days=days,
        )  # fmt: skip
    now = timezone.now()
    lasts = dt.timedelta(days=int(days) if days in map(str, _LASTS) else _LASTS[2])
    _token, key = scim_tokens.make(name=name, expires_at=now + lasts, by=_me(request), now=now)
    return _page(request, key=key)


@require_POST
def end_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a key from now on."""
    token = get_object_or_404(ScimToken, pk=pk)
    if scim_tokens.end(token=token, by=_me(request), now=timezone.now()):
        messages.success(request, _("The key “%(name)s” opens nothing any more.") % {"name": token})
    return redirect("directory")


@require_POST
def add_rule(request: HttpRequest) -> HttpResponse:
    """Let a group give a role or a team."""
    group = tidying.line(request.POST.get("group", ""))
    kind, _colon, which = request.POST.get("gives", "").partition(":")
    role = which if kind == "role" and which in dict(GroupRule.ROLES) else ""
    rows = Team.objects.filter(pk=int(which)) if kind == "team" and _is_key(which) else None
    team = rows.first() if rows is not None else None
    error = ""
    if not 0 < len(tidying.key(group)) <= 255 or len(group) > 255:
        error = _("Write the name or the id of the group.")
    elif not role and team is None:
        error = _("Choose what the group gives.")
    else:
        try:
            rule = groups.add_rule(
                group=group, role=role, team=team, by=_me(request), now=timezone.now()
            )
        except IntegrityError:
            error = _("This group gives that already.")
        else:
            scim_groups.rules_changed(rule.group)
            nudge(follow_directory)
            return redirect("directory")
    return _page(
        request, error=("group", error), group=group[:300], gives=request.POST.get("gives", "")
    )


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


@require_POST
def drop_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """A group gives something no longer."""
    rule = get_object_or_404(GroupRule, pk=pk)
    name = rule.group
    groups.drop_rule(rule=rule, by=_me(request), now=timezone.now())
    scim_groups.rules_changed(name)
    nudge(follow_directory)
    return redirect("directory")


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Say of those who are locked out that they have left, or that they are still here."""
    now = timezone.now()
    if request.POST.get("answer") == "stay":
        count = departures.stay_all(by=_me(request), now=now)
        messages.success(
            request,
            ngettext("%(n)s person may log in again.", "%(n)s people may log in again.", count)
            % {"n": count},
        )
        return redirect("directory")
    try:
        count = departures.agree(typed=request.POST.get("typed", "")[:20], by=_me(request), now=now)
    except departures.NotAgreed as error:
        return _page(request, error=(error.field, error.sentence))
    nudge(follow_directory)
    sentence = ngettext("%(n)s person leaves now.", "%(n)s people leave now.", count)
    messages.success(request, sentence % {"n": count})
    return redirect("directory")

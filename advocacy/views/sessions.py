"""Where somebody is logged in: the list, to end one or all others."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from advocacy.session_limits import OFFERED
from ambassadors import login_sessions
from ambassadors.models import LoginSession, Person


def _name(row: LoginSession) -> str:
    """What a page calls a session: its key opens it and stands in no page."""
    return salted_hmac("session", row.session_key).hexdigest()[:20]


def sessions(request: HttpRequest) -> HttpResponse:
    """List them; on POST end what was asked for."""
    person, own = cast("Person", request.user), request.session.session_key
    request.session.pop(OFFERED, None)
    rows = list(login_sessions.of(person, now=timezone.now()))
    if request.method != "POST":
        found = [{"row": row, "name": _name(row), "own": row.pk == own} for row in rows]
        found.sort(key=lambda one: not one["own"])
        return render(request, "sessions.html", {"found": found})
    asked = request.POST.get("end", "")
    if asked == "others":
        login_sessions.end(person, but=own)
        messages.success(request, _("Ended everywhere but here."))
        return redirect("sessions")
    for row in rows:
        if constant_time_compare(_name(row), asked):
            if row.pk == own:
                logout(request)
                return redirect("account_login")
            login_sessions.end_one(row)
            messages.success(request, _("Ended. Whoever has that device has to log in again."))
    return redirect("sessions")

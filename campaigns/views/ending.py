"""Doors that end something: they answer when nothing can start any more (C24)."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from ambassadors import consents
from ambassadors.models import Consent, Person
from campaigns import endings, saying
from campaigns.endings import Ended
from campaigns.wakeups import nudge
from integrations.models import ConnectedAccount
from integrations.tasks import revoke_due
from integrations.views.accounts import OFFERED

# Given on pages of their own; taken back here, too.
_ELSEWHERE = (Consent.Purpose.CONTACT_CARD, Consent.Purpose.LEADERBOARD)


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def _say(request: HttpRequest, sentence: str, ended: Ended) -> None:
    """Tell what an ending stopped, and what it came too late for."""
    parts = [sentence]
    if ended.taken_back:
        parts.append(saying.taken_back(ended.taken_back))
    if ended.in_flight:
        parts.append(
            ngettext(
                "%(n)s was already on its way; look at My posts.",
                "%(n)s were already on their way; look at My posts.",
                len(ended.in_flight),
            )
            % {"n": len(ended.in_flight)}
        )
    messages.success(request, " ".join(parts))


@require_POST
def disconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """End a connection of one's own, or of the company as an administrator."""
    person = _me(request)
    rows = ConnectedAccount.objects.of(person)
    if person.has_role("administrator"):
        rows = rows | ConnectedAccount.objects.company()
    account = get_object_or_404(rows, pk=pk)
    ended = endings.disconnect(account=account, by=person, now=timezone.now())
    nudge(revoke_due)
    sentence = _("%(account)s is disconnected and the key is deleted.")
    _say(request, sentence % {"account": account.handle}, ended)
    return redirect("accounts" if account.person_id else "channels")


@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """Give or withdraw one consent."""
    purpose = request.POST.get("purpose", "")
    back = "me" if request.POST.get("back") == "me" else "accounts"
    gives = request.POST.get("answer") == "yes"
    if purpose not in OFFERED and (gives or purpose not in _ELSEWHERE):
        return redirect(back)
    person, now = _me(request), timezone.now()
    if gives:
        consents.give(person=person, purpose=purpose, now=now)
        messages.success(request, _("Noted. You can take it back at any time."))
    else:
        ended = endings.withdraw_consent(person=person, purpose=purpose, now=now)
        _say(request, _("Withdrawn. It holds from this moment."), ended)
    return redirect(back)


@require_POST
def remove_editor(request: HttpRequest, pk: int, editor: int) -> HttpResponse:
    """Take the right to write for a channel back."""
    channel = get_object_or_404(ConnectedAccount.objects.company(), pk=pk)
    who = get_object_or_404(Person, pk=editor)
    endings.remove_editor(channel=channel, editor=who, by=_me(request), now=timezone.now())
    messages.success(request, _("%(name)s no longer writes for it.") % {"name": who.name})
    return redirect("channels")

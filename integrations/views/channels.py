"""The company's channels: who connected them, who may write for them, until when they hold."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import Person, normalise_email
from integrations import channels as verbs
from integrations import words
from integrations.models import ConnectedAccount
from integrations.views.accounts import ways


def channels(
    request: HttpRequest,
    *,
    errors: dict[str, str] | None = None,
    error_at: int = 0,
    status: int = 200,
) -> HttpResponse:
    """List the channels, with the buttons to connect more; ``error_at`` is a channel's key."""
    now = timezone.now()
    rows = ConnectedAccount.objects.company().select_related("added_by")
    context = {
        "channels": [
            words.plain(row, counts=True, now=now) for row in rows.prefetch_related("editors")
        ],
        "ways": ways(company=True, errors=errors or {}, now=now),
        "errors": errors or {},
        "error_at": error_at,
        "error": (errors or {}).get("email", ""),
        "typed": request.POST,
        "may_change": cast("Person", request.user).has_role("administrator"),
    }
    return render(request, "channels.html", context, status=status)


@require_POST
def add_editor(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a colleague write for a channel, found by their address."""
    channel = get_object_or_404(ConnectedAccount.objects.company(), pk=pk)
    typed = request.POST.get("email", "").replace("\x00", "").strip()[:254]
    editor = Person.objects.filter(
        email_normalised=normalise_email(typed), left_at__isnull=True
    ).first()
    if editor is None:
        sentence = _("Nobody here has this address. Write it as they log in.")
        return channels(request, errors={"email": sentence}, error_at=pk, status=422)
    by = cast("Person", request.user)
    verbs.add_editor(channel=channel, editor=editor, by=by, now=timezone.now())
    messages.success(request, _("%(name)s may write for this channel.") % {"name": editor.name})
    return redirect("channels")

"""Hold and release: the consequences first, then one button."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from ambassadors.models import Person
from campaigns import anonymity, holds
from campaigns.models import Topic


def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a hold would stop; on POST stop it, and answer when it is in force."""
    topic = get_object_or_404(Topic.objects.select_related("held_by"), pk=pk)
    person, now = cast("Person", request.user), timezone.now()
    error, reason = "", topic.held_reason
    if request.method == "POST":
        reason = request.POST.get("reason", "").replace("\x00", "").strip()
        if not reason:
            error = _("Say in one sentence what everybody should know.")
        else:
            held = holds.hold(scope=topic, by=person, reason=reason[:1000], now=now)
            count = len(held.in_flight)
            sentence = _("On hold. Nothing on this topic leaves from now on.")
            if count:
                sentence += " " + ngettext(
                    "%(count)s post was already on its way.",
                    "%(count)s posts were already on their way.",
                    count,
                ) % {"count": count}
            messages.success(request, sentence)
            return redirect("desk")
    effects = holds.consequences(topic, now=now)
    context = {
        "topic": topic,
        "effects": effects,
        "already": anonymity.shown(effects.already_posted),
        "reason": reason,
        "error": error,
    }
    return render(request, "hold.html", context, status=422 if error else 200)


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a topic go on."""
    topic = get_object_or_404(Topic, pk=pk)
    if holds.release(scope=topic, by=cast("Person", request.user), now=timezone.now()):
        messages.success(
            request, _("Released. Posts whose moment has passed ask their people to look again.")
        )
    return redirect("desk")

"""Programs that are told what happened: their addresses, their secrets, and the log."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors import tidying
from ambassadors.kept import number
from ambassadors.models import Person
from integrations import webhooks as verbs
from integrations.models import Webhook, WebhookTelling
from integrations.webhooks import WebhookRefused

_PAGE = 25


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def webhooks(request: HttpRequest) -> HttpResponse:
    """List the addresses, and register one."""
    typed = request.POST
    if request.method != "POST":
        return _list(request)
    try:
        row, secret = verbs.register(
            name=tidying.line(typed.get("name", "")),
            url=typed.get("url", "").replace("\x00", "").strip()[:2000],
            events=typed.getlist("events"),
            by=_me(request),
            now=timezone.now(),
        )
    except WebhookRefused as refused:
        return _list(request, refused)
    return _one(request, row, secret=secret)


def _list(request: HttpRequest, refused: WebhookRefused | None = None) -> HttpResponse:
    typed = request.POST
    context = {
        "rows": Webhook.objects.all(),
        "events": verbs.EVENTS.items(),
        "typed": {
            "name": typed.get("name", "")[:200],
            "url": typed.get("url", "")[:2000],
            "events": typed.getlist("events"),
        },
        "field": refused.field if refused else "",
        "error": refused.sentence if refused else "",
    }
    return render(request, "webhooks.html", context, status=422 if refused else 200)


def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One address with what it was told."""
    return _one(request, get_object_or_404(Webhook, pk=pk))


def _one(request: HttpRequest, row: Webhook, *, secret: str = "") -> HttpResponse:
    rows = WebhookTelling.objects.filter(webhook=row).select_related("event")
    context: dict[str, Any] = {
        "hook": row,
        "secret": secret,
        "told": [(name, words) for name, words in verbs.EVENTS.items() if name in row.events],
        "page": Paginator(rows, _PAGE).get_page(request.GET.get("page")),
        "overlap": row.rotated_at
        and row.rotated_at + verbs.OVERLAP > timezone.now()
        and row.rotated_at + verbs.OVERLAP,
    }
    return render(request, "webhook.html", context)


@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it another secret and show it, this once."""
    row = get_object_or_404(Webhook, pk=pk)
    secret = verbs.rotate(webhook=row, by=_me(request), now=timezone.now())
    row.refresh_from_db()
    return _one(request, row, secret=secret)


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Try it out, send something again, switch it on or off, or remove it."""
    row, by, now = get_object_or_404(Webhook, pk=pk), _me(request), timezone.now()
    match request.POST.get("act", ""):
        case "try":
            verbs.try_out(webhook=row, by=by, now=now)
            messages.success(request, _("It leaves within a few seconds. Load the page again."))
        case "again":
            key = number(request.POST.get("telling", "")) or 0
            telling = get_object_or_404(WebhookTelling, webhook=row, pk=key)
            if verbs.again(telling=telling, by=by, now=now):
                messages.success(request, _("It leaves once more, under its own id."))
            else:
                messages.error(request, _("It is off. Switch it on first."))
        case "off":
            verbs.switch_off(webhook=row, why="asked", by=by, now=now)
        case "on":
            verbs.switch_on(webhook=row, by=by, now=now)
        case "remove":
            verbs.remove(webhook=row, by=by, now=now)
            messages.success(request, _("%(name)s is removed.") % {"name": row.name})
            return redirect("webhooks")
    return redirect("webhook", pk=pk)

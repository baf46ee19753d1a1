"""How long the rows of this room are kept (:mod:`ambassadors.retention`)."""

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from ambassadors.models import Takeout
from ambassadors.retention import Kept

from . import takeouts
from .models import ApiAnswer, ApiToken, WebhookEvent


def _over(before: dt.datetime) -> "QuerySet[ApiToken]":
    """Keys that open nothing any more since then."""
    return ApiToken.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before))


KEPT = (
    Kept(
        name="api-answers",
        title=gettext_noop("Answers to programs"),
        why=gettext_noop("So that what a program sends twice happens once."),
        days=1,
        least=1,
        most=1,
        rows=lambda before: ApiAnswer.objects.filter(began_at__lte=before),
    ),
    Kept(
        name="api-tokens",
        title=gettext_noop("Keys for programs that are over"),
        why=gettext_noop("So that whoever finds an old key in a log can tell what it opened."),
        days=365,
        least=30,
        most=730,
        rows=_over,
    ),
    Kept(
        name="webhook-events",
        title=gettext_noop("What programs were told"),
        why=gettext_noop("So that it can be sent again. It names nobody."),
        days=30,
        least=7,
        most=180,
        rows=lambda before: WebhookEvent.objects.filter(at__lte=before),
    ),
    Kept(
        name="takeouts",
        title=gettext_noop("Links to their data for people who have left"),
        why=gettext_noop("So that they can take it along. The address goes with the link."),
        days=0,
        least=0,
        most=0,
        rows=lambda before: Takeout.objects.filter(expires_at__lte=before),
        let_go=takeouts.let_go,
    ),
)

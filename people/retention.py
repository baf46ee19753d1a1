"""How long the rows of this room are kept (:mod:`ambassadors.retention`)."""

from django.utils.translation import gettext_noop

from ambassadors.retention import Kept

from . import adoption, imports, invitations
from .models import Application, Departure, Invitation, Nomination, PeopleImport
from .models.imports import PeopleImport as _Import

_OVER = (_Import.State.DONE, _Import.State.REFUSED, _Import.State.DROPPED)
_LEFT_LYING = (_Import.State.UPLOADED, _Import.State.READ, _Import.State.WAITING)
KEPT = (
    Kept(
        name="declined",
        title=gettext_noop("Applications that were declined"),
        why=gettext_noop(
            "So that a no can be explained while it may be contested (AGG § 15), and no longer."
        ),
        days=180,
        least=60,
        most=180,
        rows=lambda before: Application.objects.filter(state="declined", decided_at__lt=before),
    ),
    Kept(
        name="unanswered",
        title=gettext_noop("Nominations that nobody answered"),
        why=gettext_noop("So that the person can say yes. Only they know of it, and until when."),
        days=0,
        least=0,
        most=0,
        rows=lambda before: Nomination.objects.filter(
            agreed_at__isnull=True, expires_at__lte=before
        ),
    ),
    Kept(
        name="nominations",
        title=gettext_noop("Notes with which somebody was nominated, after the yes"),
        why=gettext_noop("So that the lead can read why, until the person has found their place."),
        days=183,
        least=30,
        most=365,
        rows=lambda before: Nomination.objects.filter(agreed_at__lte=before),
    ),
    Kept(
        name="invitations",
        title=gettext_noop("Addresses to which an invitation went"),
        why=gettext_noop("So long a report may take that a mail did not arrive."),
        days=14,
        least=7,
        most=30,
        rows=lambda before: Invitation.objects.filter(sent_at__lte=before).exclude(address=""),
        let_go=invitations.let_go,
    ),
    Kept(
        name="files",
        title=gettext_noop("Files with people that nobody went on with"),
        why=gettext_noop("So that somebody can look at it once more. Then it is dropped."),
        days=7,
        least=1,
        most=30,
        rows=lambda before: PeopleImport.objects.filter(
            state__in=_LEFT_LYING, uploaded_at__lt=before
        ),
        let_go=imports.let_go,
    ),
    Kept(
        name="imports",
        title=gettext_noop("Reports of imported files"),
        why=gettext_noop("So that somebody can see what a file changed. The file went before."),
        days=90,
        least=7,
        most=365,
        rows=lambda before: PeopleImport.objects.filter(state__in=_OVER, uploaded_at__lt=before),
    ),
    Kept(
        name="departures",
        title=gettext_noop("What the directory said about leaving"),
        why=gettext_noop("So that a mistaken leaving can be understood."),
        days=180,
        least=30,
        most=365,
        rows=lambda before: Departure.objects.filter(
            state__in=[Departure.State.DONE, Departure.State.WITHDRAWN], asked_at__lt=before
        ),
    ),
)
CLOSES = (adoption.close_due,)

"""How long the rows of this room are kept (:mod:`ambassadors.retention`)."""

from django.utils.translation import gettext_noop

from ambassadors.retention import Kept

from .models import Application, Departure, PeopleImport
from .models.imports import PeopleImport as _Import

_OVER = (_Import.State.DONE, _Import.State.REFUSED, _Import.State.DROPPED)
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

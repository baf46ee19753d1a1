"""Every turn of a switch of the works agreement is written to those who watch over it."""

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors.models import Person, SwitchTurn
from ambassadors.switches import SWITCHES

from . import mails


def tell_due(*, now: dt.datetime) -> int:
    """Write to the auditors about turns they were not told of; returns how many mails left.

    A turn stays untold while the mail server is away, and when nobody is an auditor yet.
    """
    count = 0
    auditors = Person.objects.filter(role__name="auditor", left_at__isnull=True, is_active=True)
    for turn in SwitchTurn.objects.filter(told_at__isnull=True).select_related("by").order_by("pk"):
        sent = [_write(turn, auditor) for auditor in auditors]
        if not any(sent):
            break
        count += sum(sent)
        SwitchTurn.objects.filter(pk=turn.pk).update(told_at=now)
    return count


def _write(turn: SwitchTurn, auditor: Person) -> bool:
    known = SWITCHES.get(turn.name)
    with translation.override(auditor.language):
        title = _(known.title) if known else turn.name
        head = _("Switched on: %(title)s") if turn.on else _("Switched off: %(title)s")
        subject = head % {"title": title}
        text = _(
            "%(who)s turned this switch of the works agreement.\n\n%(about)s\n\n"
            "Section of the agreement: %(paragraph)s\n\nThe record: %(page)s"
        ) % {
            "who": turn.by.name if turn.by else "–",
            "about": _(known.about) if known else "",
            "paragraph": turn.paragraph,
            "page": settings.SITE_URL + reverse("agreement"),
        }
    return mails.send(auditor, subject, text, about="a switch")

"""The one mail about a survey: to everybody who is asked, whether they have answered or not."""

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns.hours import Calendar
from campaigns.models import Programme
from integrations import mails

from . import pulse
from .models import PulseMail, PulseRound, PulseSilence

_AT_ONCE = 200  # mails of one tick
_NOON = 12


def wish(*, person: Person, mails: bool, now: dt.datetime) -> None:
    """Note that somebody wants no mails about the survey, or wants them again."""
    if mails:
        PulseSilence.objects.filter(person=person).delete()
    else:
        PulseSilence.objects.get_or_create(person=person, defaults={"since": now})


def send_due(*, now: dt.datetime) -> int:
    """Write to those who are asked, in the morning of a working day by their clock, once each.

    Claimed before it is written: a crash in between costs a mail and never makes a second one.
    Who was written to says nothing about who answered.
    """
    round_ = pulse.current(now)
    if round_ is None or now >= round_.opens_at + dt.timedelta(days=pulse.DAYS_ON_TODAY):
        return 0
    calendar = Calendar(Programme.the(), now)
    due = (
        Person.objects.filter(pk__in=pulse.asked())
        .exclude(pulsesilence__isnull=False)
        .exclude(pulsemail__round=round_)
        .order_by("pk")
    )
    count = 0
    for person in due.iterator(chunk_size=1000):
        if count >= _AT_ONCE:
            break
        if calendar.of(person).quiet(now) or person.local(now).hour >= _NOON:
            continue
        if PulseMail.objects.get_or_create(round=round_, person=person)[1]:
            _write(person, round_)
            count += 1
    return count


def _write(person: Person, round_: PulseRound) -> None:
    with translation.override(person.language):
        body = _(
            "Five questions about trust and pressure, one minute, without your name. They are open"
            " until %(day)s.\n\n%(page)s\n\nThis is the only mail about it, and it goes to"
            " everybody in a team: we do not know who has answered already. On the page you can"
            " turn these mails off."
        ) % {
            "day": formats.date_format(person.local(round_.closes_at), "j. F"),
            "page": settings.SITE_URL + reverse("pulse"),
        }
        mails.send(person, _("How is it, speaking for us?"), body, about="the pulse survey")

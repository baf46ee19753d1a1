"""A first mail to people whom the directory brought, where the company wants one (INVITE_JOINERS).

Whom it is owed to stands in the database; it goes out once, and not in their quiet hours.
"""

import datetime as dt
import uuid

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns.hours import Calendar
from campaigns.models import Programme
from integrations import mails

from .models import Welcome


def owe(person: Person) -> None:
    """Note a newcomer who is to be written to, if the company wants that."""
    if settings.INVITE_JOINERS:
        Welcome.objects.get_or_create(person=person)


def owe_batch(batch: uuid.UUID) -> None:
    """The same for everybody whom a batch of the directory made."""
    if not settings.INVITE_JOINERS:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_welcome (person_id) SELECT person_key FROM ambassadors_directoryrow"
            " WHERE batch = %s AND outcome = 'new' AND person_key IS NOT NULL"
            " ON CONFLICT DO NOTHING",
            [batch],
        )


def send_due(*, most: int, now: dt.datetime) -> int:
    """Write to some of those who are owed a mail; returns how many mails went out.

    Forgotten before it is written: a crash in between costs the mail and never makes a second.
    """
    calendar, count = Calendar(Programme.the(), now), 0
    for welcome in Welcome.objects.select_related("person").order_by("pk")[:most]:
        person = welcome.person
        if calendar.of(person).quiet(now):
            continue
        if not Welcome.objects.filter(pk=welcome.pk).delete()[0] or person.left_at is not None:
            continue
        if not _send(person):
            owe(person)
            break  # the mail server is away; the next turn tries again
        count += 1
    return count


def _send(person: Person) -> bool:
    with translation.override(person.language):
        subject = _("%(organisation)s: Botschaft is open to you") % {
            "organisation": settings.ORGANISATION
        }
        text = _(
            "Hello %(name)s,\n\n"
            "with Botschaft you speak about your work on your own accounts, in your own words, if"
            " you want to. Nobody sees whether you do.\n\n"
            "Log in with this address, without a password: %(url)s\n\n"
            "You need not do anything, and this is the only mail of its kind."
        ) % {"name": person.first_name, "url": settings.SITE_URL}
    return mails.send(person, subject, text, about=f"a welcome to person {person.pk}")

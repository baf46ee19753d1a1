"""What the filter set aside waits for a look: let on its way, or taken for spam."""

import datetime as dt

from django.db import transaction

from ambassadors import audit
from ambassadors.models import Person

from . import letters
from .inquiries import welcome
from .models import Inquiry
from .states import move_inquiry


@transaction.atomic
def release(*, inquiry: Inquiry, by: Person, now: dt.datetime) -> bool:
    """Out of quarantine and on its way; tells whether it still was in it."""
    if inquiry.state != "quarantined" or not move_inquiry(inquiry, to="new"):
        return False
    audit.record("inquiry.released", inquiry, by=by, now=now)
    welcome(inquiry, now=now)
    return True


@transaction.atomic
def discard(*, inquiry: Inquiry, by: Person, now: dt.datetime) -> bool:
    """It is spam. It stays among the discarded until its time is over, so that it can come back."""
    if inquiry.state != "quarantined" or not move_inquiry(inquiry, to="discarded"):
        return False
    audit.record("inquiry.discarded", inquiry, by=by, now=now)
    return True


@transaction.atomic
def take_back(*, inquiry: Inquiry, by: Person, now: dt.datetime) -> bool:
    """Undo a discard; it waits for a look again."""
    if inquiry.state != "discarded" or not move_inquiry(inquiry, to="quarantined"):
        return False
    audit.record("inquiry.undiscarded", inquiry, by=by, now=now)
    return True


def ask_to_look(*, now: dt.datetime) -> None:
    """Once a day tell HR that the filter has set something aside."""
    oldest = Inquiry.objects.filter(state="quarantined").order_by("pk").first()
    if oldest is None:
        return
    day = now - dt.timedelta(days=1)
    if oldest.mails.filter(kind="look", created_at__gt=day).exists():
        return
    for person in Person.objects.filter(role__name="hr", left_at__isnull=True, is_active=True):
        letters.due(oldest, "look", now=now, person_id=person.pk)

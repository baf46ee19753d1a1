"""Posts that need their person: a line on Today, and one mail about an unknown after a day."""

import datetime as dt

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import mails
from integrations.networks import get

from .hours import Calendar
from .models import Delivery, Programme
from .pace import clock

AFTER = dt.timedelta(days=1)
FAILED_SHOWN = dt.timedelta(days=3)
_SHOWN, _READ = 5, 50  # posts of each kind on Today, and of both together that are looked at
REMINDED = "reminded"  # the delivery's reason once the one mail was written


def needs_person(now: dt.datetime) -> Q:
    """Queued posts that only their person lets go on.

    What is on hold waits for its release, and what waits through a time off for its end.
    """
    held = Q(post__suggestion__held_at__isnull=False) | Q(
        post__suggestion__topic__held_at__isnull=False
    )
    blocked = ~Q(blocked__in=[Delivery.Blocked.NOT, Delivery.Blocked.APPROVAL])
    off = Q(blocked=Delivery.Blocked.TIME_OFF, due_at__gt=now)
    return Q(state="queued") & blocked & ~held & ~off


def unfinished(person: Person | int) -> "QuerySet[Delivery]":
    """What has not left, or perhaps not; nearly nobody has any."""
    return Delivery.objects.filter(post__person=person, state__in=["queued", "unknown", "failed"])


def on_today(person: Person, now: dt.datetime) -> tuple[list[Delivery], list[Delivery]]:
    """Posts that wait for what the person says or failed within three days; and the queued rest."""
    asks = (
        Q(state="unknown", look_at__isnull=True)
        | needs_person(now)
        | Q(state="failed", due_at__gte=now - FAILED_SHOWN)
    )
    rows = (
        unfinished(person)
        .filter(Q(state="queued") | asks)
        .annotate(asks=ExpressionWrapper(asks, output_field=BooleanField()))
        .select_related("post__suggestion__topic", "account", "timeoffer")
        .order_by("-asks", "due_at")[:_READ]
    )
    asked: list[Delivery] = [row for row in rows if row.asks]
    queued: list[Delivery] = [row for row in rows if not row.asks]
    asked.sort(key=lambda row: row.state, reverse=True)
    return asked[:_SHOWN], queued[:_SHOWN]


def remind_due() -> int:
    """Write one mail at most about each unknown post that was asked about for a day.

    Marked before it is written: a crash in between costs the mail, never makes a second one.
    """
    now = clock()
    calendar = Calendar(Programme.the(), now)
    rows = (
        Delivery.objects.filter(
            state="unknown",
            look_at__isnull=True,
            first_tried_at__lte=now - AFTER,
            post__person__left_at__isnull=True,
            post__person__is_active=True,
        )
        .exclude(reason=REMINDED)
        .select_related("post__person", "account")
    )
    count = 0
    for delivery in rows[:200]:
        person = delivery.post.person
        if calendar.of(person).quiet(now):
            continue
        waiting = Delivery.objects.filter(pk=delivery.pk, state="unknown", look_at__isnull=True)
        if waiting.exclude(reason=REMINDED).update(reason=REMINDED):
            _write(person, delivery)
            count += 1
    return count


def _write(person: Person, delivery: Delivery) -> None:
    """The mail: which network, when, where to answer; the text itself stays here."""
    page = settings.SITE_URL + reverse("post", args=[delivery.post_id])
    with translation.override(person.language):
        network = get(delivery.account.network).abilities.label
        tried = person.local(delivery.first_tried_at or delivery.due_at)
        subject = _("Is your post on %(network)s there?") % {"network": network}
        body = _(
            "We sent a post of yours to %(network)s on %(day)s at %(time)s and got no clear answer,"
            " so we do not know whether it is there. Please look at your account first, then tell"
            " us here:\n\n%(page)s\n\nThis is the only mail about it."
        ) % {
            "network": network,
            "day": f"{tried:%d.%m.%Y}",
            "time": f"{tried:%H:%M}",
            "page": page,
        }
    mails.send(person, subject, body, about=f"delivery {delivery.key}")

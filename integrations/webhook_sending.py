"""Events leave: claimed by a lease, signed, sent once per try, and tried again for three days."""

import datetime as dt
import random
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from ambassadors.models import Person

from . import mails, webhooks
from .models import Webhook, WebhookTelling
from .sealing import SealBroken
from .webhook_signing import headers
from .wire import Answer, WireError, call

# After the first try. Three days and a little, as the specification suggests.
PAUSES = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
GIVES_UP = dt.timedelta(days=3)  # of nothing but failure, then the address is off
_LEASE = dt.timedelta(seconds=60)  # a try that died is tried again then
_SECONDS = 10.0
_AT_ONCE = 5  # all of them silent to the end of their time take less than the lease
_MOST_BYTES = 65_536  # of an answer; what is longer is an error
_KEPT = 200  # signs of an answer that was none
_JITTER = 0.2


def send_due(*, now: dt.datetime) -> int:
    """Send what is due, the addresses that answer first; returns how many arrived."""
    arrived = 0
    for telling in _claim(now):
        arrived += _send(telling, now)
    return arrived


@transaction.atomic
def _claim(now: dt.datetime) -> list[WebhookTelling]:
    """Take some for this worker; another one looks past them."""
    due = (
        WebhookTelling.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(next_at__lte=now, webhook__off_at__isnull=True)
        .select_related("webhook", "event")
        .order_by(F("webhook__failing_since").asc(nulls_first=True), "next_at")
    )
    found = list(due[:_AT_ONCE])
    WebhookTelling.objects.filter(pk__in=[one.pk for one in found]).update(
        next_at=now + _LEASE, tries=F("tries") + 1, tried_at=now
    )
    for one in found:
        one.tries += 1
    return found


def _send(telling: WebhookTelling, now: dt.datetime) -> bool:
    """One try; tells whether it arrived."""
    body = telling.event.payload.encode()
    try:
        keys = webhooks.secrets_of(telling.webhook, now=now)
        head = headers(keys, telling.event.message_id, int(now.timestamp()), body)
        answer = call(
            "POST",
            telling.webhook.url,
            headers={"Content-Type": "application/json", **head},
            body=body,
            seconds=_SECONDS,
            max_bytes=_MOST_BYTES,
        )
    except (WireError, SealBroken) as error:
        _failed(telling, None, str(error), now)
        return False
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        _arrived(telling, answer.status, now)
        return True
    _failed(telling, answer.status, _words(answer), now)
    if answer.status == HTTPStatus.GONE:
        _off(telling.webhook, "gone", now)
    return False


def _words(answer: Answer) -> str:
    """The beginning of what it said, as a line."""
    text = answer.body[: 4 * _KEPT].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_KEPT]


def _arrived(telling: WebhookTelling, status: int, now: dt.datetime) -> None:
    WebhookTelling.objects.filter(pk=telling.pk, tries=telling.tries).update(
        next_at=None, told_at=now, status=status, said=""
    )
    Webhook.objects.filter(pk=telling.webhook_id, failing_since__isnull=False).update(
        failing_since=None
    )


def _failed(telling: WebhookTelling, status: int | None, said: str, now: dt.datetime) -> None:
    """Note why, and when it is tried again; nothing but failure for three days ends it."""
    WebhookTelling.objects.filter(pk=telling.pk, tries=telling.tries).update(
        next_at=_next(telling.tries, now), status=status, said=said[:_KEPT]
    )
    rows = Webhook.objects.filter(pk=telling.webhook_id)
    rows.filter(failing_since__isnull=True).update(failing_since=now)
    if rows.filter(failing_since__lte=now - GIVES_UP).exists():
        _off(telling.webhook, "failing", now)


def _next(tries: int, now: dt.datetime) -> dt.datetime | None:
    """When the next try is due, a little moved, so that not all come at once; None: no more."""
    if tries > len(PAUSES):
        return None
    factor = 1 + random.uniform(-_JITTER, _JITTER)  # noqa: S311 - no secret
    return now + PAUSES[tries - 1] * factor


def _off(webhook: Webhook, why: str, now: dt.datetime) -> None:
    """Switch it off and say so to the administrators; without a mail server the page says it."""
    if not webhooks.switch_off(webhook=webhook, why=why, by=None, now=now):
        return
    people = Person.objects.filter(role__name="administrator", left_at__isnull=True, is_active=True)
    for person in people:
        with translation.override(person.language):
            subject = _("“%(name)s” is told nothing more") % {"name": webhook.name}
            reason = (
                _("It answered that it is gone for good (410).")
                if why == "gone"
                else _("It has not taken anything for three days.")
            )
            text = f"{reason}\n\n" + _(
                "Once it works again, switch it on there; what it missed can be sent again:"
                "\n\n%(page)s"
            ) % {"page": settings.SITE_URL + reverse("webhook", args=[webhook.pk])}
        mails.send(person, subject, text, about="a webhook that is off")

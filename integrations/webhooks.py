"""Who is told what: addresses are registered, switched, and given a new secret; events are kept.

:func:`tell` writes an event inside the transaction of what happened, so nothing is told that did
not happen and nothing that did is lost; :mod:`integrations.webhook_sending` brings it. An event
says that something happened and its number; whoever may know more asks the API. None is about a
person.
"""

import datetime as dt
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ambassadors import audit, security_log, tidying
from ambassadors.models import Person
from ambassadors.security_log import Event

from . import sealing
from .addresses import AddressRefused, parse
from .models import Webhook, WebhookEvent, WebhookTelling
from .webhook_signing import new_secret

TEST = "webhook.test"
EVENTS: dict[str, Promise | str] = {
    "light.changed": gettext_lazy("A topic’s light changed"),
    "hold.begun": gettext_lazy("A hold began"),
    "hold.ended": gettext_lazy("A hold ended"),
    "suggestion.approved": gettext_lazy("A suggestion was approved"),
    "suggestion.withdrawn": gettext_lazy("A suggestion was withdrawn"),
    "briefing.published": gettext_lazy("An issue of the briefing is out"),
    "inquiry.arrived": gettext_lazy("A question of a stranger arrived (not who, not what)"),
    "month.closed": gettext_lazy("The figures of a month are told"),
}
OVERLAP = dt.timedelta(hours=24)  # in which the old secret signs, too
MOST = 20
_LONGEST = 80


class WebhookRefused(Exception):
    """It was not registered; ``field`` says where the sentence belongs."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@transaction.atomic
def register(
    *, name: str, url: str, events: list[str], by: Person, now: dt.datetime
) -> tuple[Webhook, str]:
    """Register an address; returns its row and its secret, which is shown once.

    Raises :class:`WebhookRefused`.
    """
    if not tidying.is_seen(name) or len(name) > _LONGEST:
        raise WebhookRefused("name", _("Say what is told there, in up to 80 characters."))
    _check(url)
    chosen = sorted(set(events) & EVENTS.keys())
    if not chosen:
        raise WebhookRefused("events", _("Choose what it is told."))
    if Webhook.objects.count() >= MOST:
        raise WebhookRefused("name", _("There are many already. Remove one first."))
    row, secret = Webhook(name=name, url=url, events=chosen, made_by=by, made_at=now), new_secret()
    _seal(row, secret)
    row.save()
    audit.record("webhook.made", row, by=by, now=now, events=chosen)
    return row, secret


def _check(url: str) -> None:
    """Take public addresses over https, and never our own. Raises :class:`WebhookRefused`."""
    try:
        host = parse(url).host
    except AddressRefused as error:
        security_log.tell(Event.ADDRESS_REFUSED, why=error)
        sentence = _("Write a public address that begins with https://.")
        raise WebhookRefused("url", sentence) from error
    ours = {urlsplit(address).hostname for address in (settings.SITE_URL, settings.LINK_URL)}
    if host in ours and urlsplit(settings.SITE_URL).port is None:
        raise WebhookRefused("url", _("This is our own address."))
    if len(url) > Webhook._meta.get_field("url").max_length:  # type: ignore[operator] # noqa: SLF001
        raise WebhookRefused("url", _("The address is too long."))


def _context(row: Webhook) -> dict[str, str]:
    return {"kind": "webhook", "key": str(row.key)}


def _seal(row: Webhook, secret: str, before: str = "") -> None:
    row.sealed, row.key_id = sealing.seal(
        {"secret": secret, "before": before}, context=_context(row)
    )


def secrets_of(row: Webhook, *, now: dt.datetime) -> list[str]:
    """The secrets that sign at a moment, the newest first. Raises SealBroken."""
    held = sealing.unseal(row.sealed, context=_context(row))
    both = row.rotated_at is not None and now < row.rotated_at + OVERLAP and held["before"]
    return [held["secret"], held["before"]] if both else [held["secret"]]


@transaction.atomic
def rotate(*, webhook: Webhook, by: Person, now: dt.datetime) -> str:
    """Give it another secret, shown once. For a day both sign, so that nothing is missed."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    before, secret = secrets_of(row, now=now)[0], new_secret()
    _seal(row, secret, before)
    row.rotated_at = now
    row.save(update_fields=["sealed", "key_id", "rotated_at"])
    audit.record("webhook.rotated", row, by=by, now=now)
    return secret


@transaction.atomic
def switch_off(*, webhook: Webhook, why: str, by: Person | None, now: dt.datetime) -> bool:
    """Tell it nothing more; what waits is over. False when it was off."""
    rows = Webhook.objects.on().filter(pk=webhook.pk)
    if not rows.update(off_at=now, off_why=why):
        return False
    WebhookTelling.objects.filter(webhook=webhook).update(next_at=None)
    audit.record("webhook.off", webhook, by=by, now=now, why=why)
    return True


@transaction.atomic
def switch_on(*, webhook: Webhook, by: Person, now: dt.datetime) -> bool:
    """Tell it what happens from now on. What it missed is sent again by hand."""
    rows = Webhook.objects.filter(pk=webhook.pk, off_at__isnull=False)
    if not rows.update(off_at=None, off_why="", failing_since=None):
        return False
    audit.record("webhook.on", webhook, by=by, now=now)
    return True


@transaction.atomic
def remove(*, webhook: Webhook, by: Person, now: dt.datetime) -> None:
    """Forget it, its secret and its log."""
    audit.record("webhook.removed", webhook, by=by, now=now)
    webhook.delete()


def tell(kind: str, facts: Mapping[str, object], *, now: dt.datetime) -> None:
    """Keep an event for every address that wants it; one query where none does.

    Call it inside the transaction of what happened. ``facts`` are numbers and words of the company,
    never of a person.
    """
    wanting = list(Webhook.objects.on().filter(events__contains=[kind]))
    if wanting:
        _keep(kind, facts, wanting, now)


def _keep(kind: str, facts: Mapping[str, object], wanting: list[Webhook], now: dt.datetime) -> None:
    said = {"type": kind, "timestamp": now.astimezone(dt.UTC).isoformat(), "data": facts}
    payload = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    event = WebhookEvent.objects.create(kind=kind, at=now, payload=payload)
    WebhookTelling.objects.bulk_create(
        WebhookTelling(webhook=webhook, event=event, next_at=now) for webhook in wanting
    )


@transaction.atomic
def try_out(*, webhook: Webhook, by: Person, now: dt.datetime) -> None:
    """Send it something that means nothing."""
    _keep(TEST, {"message": "Moin"}, [webhook], now)
    audit.record("webhook.tried", webhook, by=by, now=now)


@transaction.atomic
def again(*, telling: WebhookTelling, by: Person, now: dt.datetime) -> bool:
    """Send an event once more, under its own id, with all tries anew. False while it is off."""
    if not Webhook.objects.on().filter(pk=telling.webhook_id).exists():
        return False
    WebhookTelling.objects.filter(pk=telling.pk).update(next_at=now, told_at=None, tries=0)
    audit.record("webhook.again", telling, by=by, now=now)
    return True

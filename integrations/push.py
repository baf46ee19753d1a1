"""Notifications on devices: who is registered, and how one message gets to one of them.

The push service belongs to the maker of the browser. It sees that we send and when, and not what:
the text is encrypted for the browser.
"""

import datetime as dt
import email.utils
import hashlib
import json
import logging
import re
import urllib.parse
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import transaction

from ambassadors import security_log
from ambassadors.models import Person
from ambassadors.security_log import Event

from . import addresses, sealing, webpush, wire
from .models import PushDevice, PushKey

log = logging.getLogger(__name__)
MOST_DEVICES = 10  # of one person; an eleventh takes the place of the oldest
_LONGEST = 2000  # characters of an address
_SECONDS = 8.0
_HALF_A_DAY = dt.timedelta(hours=12)  # a signature may last for a day at most (RFC 8292, 2)
_PAUSE = dt.timedelta(minutes=5)
_LONGEST_PAUSE = dt.timedelta(hours=6)
_NOT_OURS = {
    HTTPStatus.UNAUTHORIZED,  # subscribed to another key than ours
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
}


class NotADevice(Exception):
    """No subscription that we could write to; the message is for the log."""


@dataclass(frozen=True, slots=True)
class Push:
    """What one message says, for how long it is worth anything, and which earlier it replaces."""

    title: str
    body: str
    url: str
    topic: str
    ttl: dt.timedelta
    urgent: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Of a person's devices: how many were perhaps reached, and how many must wait."""

    reached: int
    waiting: int


def _own_key(now: dt.datetime) -> ec.EllipticCurvePrivateKey:
    row = PushKey.objects.filter(pk=1).first()
    if row is None:
        made = ec.generate_private_key(ec.SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        sealed, key_id = sealing.seal({"pem": pem}, context={"kind": "push key"})
        fields = {"sealed": sealed, "key_id": key_id, "created_at": now}
        row, _made = PushKey.objects.get_or_create(pk=1, defaults=fields)
    pem = sealing.unseal(row.sealed, context={"kind": "push key"})["pem"]
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it
    return key


def public_key(*, now: dt.datetime) -> str:
    """What a browser binds its subscription to; made on first use."""
    return webpush.pack(webpush.public_point(_own_key(now)))


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _context(digest: str, person_id: int) -> dict[str, str]:
    return {"kind": "push device", "digest": digest, "person": str(person_id)}


def _checked(endpoint: str) -> None:
    """Only https, only public, only the push services of browsers. Raises NotADevice."""
    if len(endpoint) > _LONGEST:
        message = "the address is too long"
        raise NotADevice(message)
    try:
        target = addresses.parse(endpoint)
    except addresses.AddressRefused as error:
        security_log.tell(Event.ADDRESS_REFUSED, why=error)
        raise NotADevice(str(error)) from error
    if addresses.allowed_private(target.host, target.port):
        return
    known = any(
        entry in {"*", target.host} or (entry[:1] == "." and target.host.endswith(entry))
        for entry in settings.PUSH_HOSTS
    )
    if not known or target.literal:
        message = f"{target.host} is no push service of PUSH_HOSTS"
        raise NotADevice(message)


@transaction.atomic
def register(*, by: Person, endpoint: str, p256dh: str, auth: str, now: dt.datetime) -> PushDevice:
    """Keep a browser's subscription; the same one again replaces itself, whosever it was.

    Raises :class:`NotADevice`.
    """
    _checked(endpoint)
    try:
        webpush.browser(p256dh, auth)
    except webpush.KeyRefused as error:
        message = "these are no keys"
        raise NotADevice(message) from error
    digest = _digest(endpoint)
    secrets = {"endpoint": endpoint, "p256dh": p256dh, "auth": auth}
    sealed, key_id = sealing.seal(secrets, context=_context(digest, by.pk))
    fields = {"person": by, "sealed": sealed, "key_id": key_id, "not_before": None}
    device, _made = PushDevice.objects.update_or_create(
        digest=digest, defaults=fields, create_defaults={**fields, "created_at": now}
    )
    newest = PushDevice.objects.filter(person=by).order_by("-created_at", "-pk")[:MOST_DEVICES]
    PushDevice.objects.filter(person=by).exclude(pk__in=[d.pk for d in newest]).delete()
    return device


def unregister(*, by: Person, endpoint: str) -> bool:
    """Forget a browser of this person; False when it was not known."""
    found = PushDevice.objects.filter(person=by, digest=_digest(endpoint))
    return bool(found.delete()[0])


def forget(*, person: Person) -> int:
    """Forget all devices of somebody who leaves; returns how many there were."""
    return PushDevice.objects.filter(person=person).delete()[0]


def send(*, to: Person, push: Push, now: dt.datetime) -> Told:
    """Notify a person on all their devices; those that are gone are forgotten."""
    reached = waiting = 0
    for device in PushDevice.objects.filter(person=to):
        if device.not_before and device.not_before > now:
            waiting += 1
            continue
        match _send(device, push, now):
            case "reached":
                reached += 1
            case "later":
                waiting += 1
            case _:
                device.delete()
    return Told(reached, waiting)


def _send(device: PushDevice, push: Push, now: dt.datetime) -> str:
    """``reached`` (perhaps), ``later`` (surely not, the row says until when), or ``gone``."""
    try:
        secrets = sealing.unseal(device.sealed, context=_context(device.digest, device.person_id))
        answer = _call(secrets, push, now)
    except (sealing.SealBroken, wire.Blocked):
        return "gone"
    except wire.NotSent:
        return _wait(device, now + _PAUSE)
    except wire.PerhapsSent:
        return "reached"
    status = answer.status
    if status in _NOT_OURS:
        return "gone"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _wait(device, now + _retry_after(answer.headers.get("retry-after", ""), now))
    if status >= HTTPStatus.BAD_REQUEST:
        log.error("a push service refused a message: HTTP %s", status)
    return "reached"


def _wait(device: PushDevice, until: dt.datetime) -> str:
    PushDevice.objects.filter(pk=device.pk).update(not_before=until)
    return "later"


def _retry_after(text: str, now: dt.datetime) -> dt.timedelta:
    """Seconds or a date (RFC 9110, 10.2.3), within bounds of ours."""
    wish = _PAUSE
    if re.fullmatch(r"[0-9]{1,9}", text):
        wish = dt.timedelta(seconds=int(text))
    elif text:
        try:
            wish = email.utils.parsedate_to_datetime(text) - now
        except (ValueError, TypeError):
            wish = _PAUSE
    return min(max(wish, dt.timedelta(seconds=1)), _LONGEST_PAUSE)


def _call(secrets: dict[str, str], push: Push, now: dt.datetime) -> wire.Answer:
    endpoint = secrets["endpoint"]
    told = {"title": push.title, "body": push.body, "url": push.url, "tag": push.topic}
    plain = json.dumps(told, ensure_ascii=False).encode()
    parts = urllib.parse.urlsplit(endpoint)
    headers = {
        "Authorization": webpush.authorization(
            f"{parts.scheme}://{parts.netloc}",
            key=_own_key(now),
            contact=_contact(),
            ends=int((now + _HALF_A_DAY).timestamp()),
        ),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(push.ttl.total_seconds())),
        "Topic": push.topic,
        "Urgency": "high" if push.urgent else "normal",
    }
    body = webpush.encrypt(plain, webpush.browser(secrets["p256dh"], secrets["auth"]))
    return wire.call("POST", endpoint, headers=headers, body=body, seconds=_SECONDS)


def _contact() -> str:
    if settings.SITE_URL.startswith("https://"):
        return settings.SITE_URL
    return f"mailto:{email.utils.parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"

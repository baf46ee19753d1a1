"""Reports about mails that did not arrive, by the address they come back to (RFC 3464)."""

import datetime as dt
import email.utils
import hashlib
import hmac
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message

from django.conf import settings

from .models import Invitation
from .states import move_invitation

_SIGNED = re.compile(r"bounces\+([0-9a-z]{1,13})-([0-9a-f]{20})@", re.IGNORECASE)
_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _written(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def _signature(number: str) -> str:
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"bounces {number}".encode(), hashlib.sha256).hexdigest()[:20]


def address_of(pk: int) -> str:
    """Where reports about one invitation come back: signed, and the same in any case of letters.

    Without a domain whose mail we read, the sender is told as with any mail.
    """
    number = _written(pk)
    if not settings.MAIL_DOMAIN:
        return settings.DEFAULT_FROM_EMAIL
    return f"bounces+{number}-{_signature(number)}@{settings.MAIL_DOMAIN}"


def _pk_of(message: Message) -> int | None:
    """Of which invitation a message is, by its recipient; None for a foreign or forged one."""
    for name in _TO:
        for value in message.get_all(name, []):
            for _name, address in email.utils.getaddresses([str(value)]):
                match = _SIGNED.match(address)
                if match and hmac.compare_digest(_signature(match[1].lower()), match[2].lower()):
                    return int(match[1], 36)
    return None


def _reports(message: Message) -> Iterator[tuple[str, str]]:
    """Action and status of each recipient in the delivery reports of a message."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        for group in groups if isinstance(groups, list) else []:
            if isinstance(group, Message) and "Action" in group:
                action = str(group["Action"]).split("(")[0].strip().lower()
                status = _STATUS.match(str(group.get("Status", "")))
                yield action, ".".join(status.groups()) if status else ""


def take(message: EmailMessage, *, now: dt.datetime) -> bool:
    """Take a message that came to a return address of ours; tells whether it did.

    *failed* with a status of class 5, or with none, is for good; *failed* with class 4 (the other
    server gave up) and *delayed* are not. Other mail there (out of office) is taken and ignored.
    """
    del now
    pk = _pk_of(message)
    if pk is None:
        return False
    invitation = Invitation.objects.filter(pk=pk).first()
    if invitation is None:
        return True
    for action, status in _reports(message):
        if action == "failed" and not status.startswith("4"):
            if invitation.state in {"sent", "delayed"}:
                move_invitation(invitation, to="bounced", report=status)
            return True
        if action in {"failed", "delayed"} and invitation.state == "sent":
            move_invitation(invitation, to="delayed", report=status)
            invitation.refresh_from_db(fields=["state"])
    return True

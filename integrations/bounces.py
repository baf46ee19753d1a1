"""Reports about mails that did not arrive, by the address they come back to (RFC 3464)."""

import email.utils
import hashlib
import hmac
import re
from collections.abc import Iterator
from email.message import Message

from django.conf import settings

_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# RFC 3463, of class 5: a full mailbox, trouble of systems and policies say nothing of the address.
_NOT_THE_ADDRESS = re.compile(r"5\.(2\.2|3\.\d+|7\.\d+)$")


def _written(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def _signature(box: str, number: str) -> str:
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"{box} {number}".encode(), hashlib.sha256).hexdigest()[:20]


def return_address(box: str, number: int) -> str:
    """Where reports about one mail come back: signed, and the same in any case of letters.

    ``box`` says whose numbers they are. Without a domain whose mail we read, the sender is told as
    with any mail.
    """
    if not settings.MAIL_DOMAIN:
        return settings.DEFAULT_FROM_EMAIL
    text = _written(number)
    return f"{box}+{text}-{_signature(box, text)}@{settings.MAIL_DOMAIN}"


def number_of(message: Message, box: str) -> int | None:
    """Of which mail a report is, by its recipient; None for a foreign or forged one."""
    signed = re.compile(rf"{box}\+([0-9a-z]{{1,13}})-([0-9a-f]{{20}})@", re.IGNORECASE)
    for name in _TO:
        for value in message.get_all(name, []):
            for _name, address in email.utils.getaddresses([str(value)]):
                match = signed.match(address)
                if match and hmac.compare_digest(
                    _signature(box, match[1].lower()), match[2].lower()
                ):
                    return int(match[1], 36)
    return None


def reports(message: Message) -> Iterator[tuple[str, str]]:
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


def no_such_address(status: str) -> bool:
    """Tell whether a failure is the address's own and for good; one without a status is."""
    return not status or (status.startswith("5") and not _NOT_THE_ADDRESS.match(status))

"""The day's issue by mail, and a hold that concerns the person: one of the ways of the gate."""

import datetime as dt
import re
from dataclasses import dataclass
from email.message import EmailMessage
from smtplib import SMTPRecipientsRefused, SMTPSenderRefused, SMTPServerDisconnected
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from integrations import bounces

from . import briefings, holds, lights, picks, reaching
from .front import front
from .models import HoldRecord, Programme, ReachWish, Way

_SALT = "issue-mail"
_BOX = "issue"
_NO_MAILBOX = {550, 551, 553}  # RFC 5321, 4.2.2
_STATUS = re.compile(r"\s*(5\.\d{1,3}\.\d{1,3})\b")
_CLOSING = 421  # RFC 5321: the server closes the connection, often after so many messages


def stop_address(person: Person) -> str:
    """The one-click address of a mail (RFC 8058). It stops this person's mails, nothing else."""
    token = signing.dumps(person.pk, salt=_SALT)
    return settings.SITE_URL + reverse("issue_mail_stop", args=[token])


def person_of(token: str) -> Person | None:
    """Whose mails a one-click address stops; None for one that we did not write."""
    try:
        pk = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return Person.objects.filter(pk=pk).first()


def send_due(*, now: dt.datetime) -> int:
    """Mail what is due; returns how many mails left. Nothing due opens no connection."""
    mail_server = get_connection()
    try:
        return reaching.send_due(
            way=Way.MAIL, deliver=lambda message: _deliver(message, mail_server), now=now
        )
    finally:
        mail_server.close()


def _deliver(message: reaching.Message, mail_server: BaseEmailBackend) -> None:
    """Hand one mail to the server.

    Raises NotNow while there is none, and Gone where it says that the address does not exist. A
    server that breaks off perhaps has the mail; the next one gets a new connection.
    """
    mail = _mail(message)
    for again in (False, True):
        try:
            mail_server.open()
        except OSError as error:
            raise reaching.NotNow(str(error)) from error
        try:
            mail_server.send_messages([mail])
        except SMTPSenderRefused as error:
            if error.smtp_code == _CLOSING and not again:
                mail_server.close()
                continue
            raise
        except SMTPRecipientsRefused as error:
            _judge(error)
            raise
        except (SMTPServerDisconnected, TimeoutError):
            mail_server.close()
            raise
        return


def _judge(error: SMTPRecipientsRefused) -> None:
    """Raise Gone where the server knows that there is no such address."""
    for code, reply in error.recipients.values():
        said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
        status = _STATUS.match(said)
        if code in _NO_MAILBOX and bounces.no_such_address(status[1] if status else ""):
            raise reaching.Gone(f"{code} {status[1] if status else ''}".strip())


def take(message: EmailMessage, *, now: dt.datetime) -> bool:
    """Take a report about a mail of ours that came back; tells whether it was one.

    Where the address is no more, that person gets no mails until they ask anew. Anything else that
    comes there, an out-of-office note above all, is taken and changes nothing.
    """
    pk = bounces.number_of(message, _BOX)
    if pk is None:
        return False
    wish = ReachWish.objects.filter(pk=pk, way=Way.MAIL).select_related("person").first()
    for action, status in bounces.reports(message):
        if wish and action == "failed" and bounces.no_such_address(status):
            reaching.turn_off(person=wish.person, way=Way.MAIL, why=status or "5.0.0", now=now)
    return True


def _mail(message: reaching.Message) -> EmailMultiAlternatives:
    """The mail in the person's language. No picture, no counter and nothing of another host."""
    person = message.person
    address = stop_address(person)
    with translation.override(person.language), timezone.override(person.zone):
        made = _of_hold(message) if message.hold else _of_day(message)
        context = made.context | {
            "first_name": person.first_name,
            "site": settings.SITE_URL,
            "stop": address,
            "subject": made.subject,
            "wish": message.wish,
        }
        body = render_to_string(made.plain, context)
        page = render_to_string(made.page, context)
    mail = EmailMultiAlternatives(
        " ".join(made.subject.split()),
        re.sub(r"\n{3,}", "\n\n", body),
        from_email=bounces.return_address(_BOX, message.wish.pk),
        to=[person.email],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "List-Unsubscribe": f"<{address}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF, AutoReply",
        },
    )
    mail.attach_alternative(page, "text/html")
    return mail


@dataclass(frozen=True, slots=True)
class _Words:
    """A mail's subject, its two templates and what they need."""

    subject: str
    plain: str
    page: str
    context: dict[str, Any]


def _of_day(message: reaching.Message) -> _Words:
    """The issue with the lights as they are now, and up to three suggestions."""
    day = message.person.local(message.now).date()
    issue, lines = briefings.of_day(day)
    programme = Programme.the()
    context = {
        "issue": issue,
        "lines": lines,
        "sum": lights.in_sum(item.topic for item in lines),
        "programme": programme,
        "suggestions": []
        if programme.is_held
        else picks.for_person(front(message.now), message.person, message.now, picks.MOST),
        "page": settings.SITE_URL + reverse("briefing", args=[day.isoformat()]),
    }
    subject = _("The situation on %(day)s") % {"day": formats.date_format(day, "l, j. F")}
    return _Words(subject, "mail/issue.txt", "mail/issue.html", context)


def _of_hold(message: reaching.Message) -> _Words:
    """A hold: what, why, and what becomes of the person's own posts on it."""
    hold = message.hold
    assert hold  # noqa: S101 - the caller asked
    what = _("everything") if hold.scope == HoldRecord.Scope.PROGRAMME else hold.name
    context = {
        "hold": hold,
        "what": what,
        "meaning": holds.meaning(hold, message.person),
    }
    return _Words(
        _("On hold: %(what)s") % {"what": what}, "mail/hold.txt", "mail/hold.html", context
    )

"""The issue by mail, for those who asked: at their time, in their working hours, once."""

import datetime as dt
import logging
from smtplib import SMTPException, SMTPServerDisconnected

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person

from . import briefings, reminders
from .models import Briefing, BriefingMail, BriefingMailWish, Programme

log = logging.getLogger(__name__)

_SALT = "issue-mail"
_AT_ONCE = 200  # mails of one tick for one time zone; the next minute brings the next
_STILL_WANTED = """
SELECT 1 FROM campaigns_briefing b JOIN campaigns_briefingmailwish w ON w.person_id = %s
WHERE b.id = %s AND b.published_at IS NOT NULL FOR SHARE
"""


@transaction.atomic
def wish(*, by: Person, at: dt.time, now: dt.datetime) -> None:
    """Ask for each issue by mail, not before ``at`` on the person's clock."""
    BriefingMailWish.objects.update_or_create(
        person=by, defaults={"at": at}, create_defaults={"at": at, "since": now}
    )


def stop(*, person: Person) -> bool:
    """No more mails of issues; False when there were none. Needs no reason and no login."""
    return bool(BriefingMailWish.objects.filter(person=person).delete()[0])


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
    """Send today's issue to everybody whose time has come; returns how many mails left.

    For each time zone: working hours, today's issue is out, the person's time is over, no mail
    was written yet. Nothing is claimed while the mail server cannot be reached.
    """
    due = _due(now)
    if not due:
        return 0
    try:
        with get_connection() as mail_server:
            return sum(_once(issue, person, mail_server, now) for issue, person in due)
    except OSError:
        log.exception("no mail server; the next minute tries again")
        return 0


def _due(now: dt.datetime) -> list[tuple[Briefing, Person]]:
    """Whom today's issue is due to, zone by zone, those with the earliest wish first."""
    zones = BriefingMailWish.objects.values_list("person__timezone", flat=True)
    programme = Programme.the()
    found: list[tuple[Briefing, Person]] = []
    for zone in list(zones.distinct().order_by()):
        local = Person(timezone=zone).local(now)
        issue = Briefing.objects.out().filter(day=local.date()).first()
        if issue is None or reminders.quiet_at(local, programme):
            continue
        here = Person.objects.filter(left_at__isnull=True, is_active=True, timezone=zone)
        due = here.filter(briefingmailwish__at__lte=local.time())
        unsent = due.exclude(briefingmail__briefing=issue).order_by("briefingmailwish__at", "pk")
        found += [(issue, person) for person in unsent[:_AT_ONCE]]
    return found


def _once(issue: Briefing, person: Person, mail_server: BaseEmailBackend, now: dt.datetime) -> bool:
    """Claim, then send: a crash in between costs this mail and never makes a second one.

    The issue is locked FOR SHARE while the mail leaves, so a withdrawal that has answered is not
    followed by one; a wish that was taken back meanwhile counts. Raises OSError when the server is
    gone; a server that refuses this one address does not stop the others.
    """
    mails = BriefingMail.objects
    _mail, claimed = mails.get_or_create(briefing=issue, person=person, defaults={"at": now})
    if not claimed:
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STILL_WANTED, [person.pk, issue.pk])
        if cursor.fetchone() is None:
            return False
        try:
            mail_server.send_messages([_message(person, issue.day, now)])
        except SMTPServerDisconnected:
            raise
        except SMTPException:
            log.exception("a mail of an issue was refused")
            return False
    return True


def _message(person: Person, day: dt.date, now: dt.datetime) -> EmailMessage:
    """What the person reads: the lights as they are now. No picture, no counter in it."""
    issue, lines = briefings.of_day(day)
    address = stop_address(person)
    with translation.override(person.language), timezone.override(person.zone):
        context = {
            "issue": issue,
            "lines": lines,
            "person": person,
            "programme": Programme.the(),
            "now": now,
            "page": settings.SITE_URL + reverse("briefing", args=[day.isoformat()]),
            "stop": address,
            "site": settings.SITE_URL,
        }
        subject = _("The situation on %(day)s") % {"day": formats.date_format(day, "l, j. F")}
        body = render_to_string("mail/issue.txt", context)
    headers = {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    return EmailMessage(subject, body, to=[person.email], headers=headers)

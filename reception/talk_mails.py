"""Mails about a talk: written with the step that asks for them, sent by a worker, one thread each.

A crash between sending and noting sends a mail again under the same Message-ID.
"""

import datetime as dt
import hashlib
import logging
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns.hours import Calendar
from campaigns.models import Programme

from . import talk_calendars
from .models import TalkMail, TalkRequest

log = logging.getLogger(__name__)
MOST_TRIES = 8
_AT_ONCE = 200  # mails of one tick


def page_of_asker(request: TalkRequest) -> str:
    """The link to the asker's own page in their language, its code behind the ``#``."""
    page = reverse("talk_asked")
    return f"{settings.SITE_URL}{page}?lang={request.language}#{request.token}"


def page_of_staff(request: TalkRequest) -> str:
    """The page of speakers and coordinators, on this site."""
    return settings.SITE_URL + reverse("talk_request", args=[request.pk])


def said(moment: dt.datetime) -> str:
    """A moment with its weekday and its zone."""
    return f"{formats.date_format(moment, 'D, j. F Y, H:i')} ({moment.tzname()})"


def day(moment: dt.datetime) -> str:
    """A day with its weekday."""
    return formats.date_format(moment, "D, j. F")


def when(request: TalkRequest) -> str:
    """The date in words, or the proposed ones."""
    if begins := request.begins:
        return said(begins)
    if proposed := request.proposed:
        return _(" or ").join(said(date["at"]) for date in proposed)
    return _("date not fixed yet")


def _facts(request: TalkRequest) -> str:
    place = request.place or _("by video")
    lines = [request.event, request.organisation, when(request), place, request.title]
    return "\n".join(line for line in lines if line)


def to_asker(
    request: TalkRequest, sentence: str, *, now: dt.datetime, with_calendar: bool = False
) -> None:
    """Write to the organiser, in the language of the request's form."""
    subject = _("Your talk request: %(event)s") % {"event": request.event}
    text = _(
        "%(sentence)s\n\n%(facts)s\n\nEverything about it, and a button to call it off:\n"
        "%(page)s\n\nWhoever has this link can open the page, so keep it to yourself. If the page"
        " asks for a code, it is:\n%(code)s"
    ) % {
        "sentence": sentence,
        "facts": _facts(request),
        "page": page_of_asker(request),
        "code": request.token,
    }
    TalkMail.objects.create(
        request=request,
        subject=subject[:250],
        text=text,
        with_calendar=with_calendar and bool(request.wall),
        written_at=now,
    )


def to_person(
    request: TalkRequest, person: Person, subject: str, sentence: str, *, now: dt.datetime
) -> None:
    """Write to a speaker or a coordinator; call it in the person's language."""
    text = "\n\n".join([sentence, _facts(request), page_of_staff(request)])
    TalkMail.objects.create(
        request=request, person=person, subject=subject[:250], text=text, written_at=now
    )


def send_due(*, now: dt.datetime) -> int:
    """Send what waits, to people at work only in their working hours; returns how many left."""
    calendar, count = Calendar(Programme.the(), now), 0
    due = TalkMail.objects.filter(sent_at__isnull=True, tries__lt=MOST_TRIES)
    # Askers first: those who sleep must not stand in their way.
    in_turn = due.order_by(F("person").asc(nulls_first=True), "pk").select_related("person")
    for mail in in_turn[:_AT_ONCE]:
        if mail.person and calendar.of(mail.person).quiet(now):
            continue
        with transaction.atomic():
            mine = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=mail.pk).first()
            if mine:
                count += _send(mine, now)
    return count


def _send(mail: TalkMail, now: dt.datetime) -> bool:
    """One mail; what could not be sent is tried again, eight times at most."""
    request, person = mail.request, mail.person
    if person and (person.left_at or not person.is_active):
        mail.delete()
        return False
    host = urlsplit(settings.SITE_URL).hostname or "botschaft"
    reader = person.pk if person else 0
    thread = hashlib.sha256(f"{request.token} {reader}".encode()).hexdigest()[:24]
    before = TalkMail.objects.filter(request=request, person=person, pk__lt=mail.pk).first()
    headers = {"Message-ID": f"<{thread}.{mail.pk}@{host}>", "Auto-Submitted": "auto-generated"}
    if before:
        headers["In-Reply-To"] = headers["References"] = f"<{thread}.{before.pk}@{host}>"
    helper = request.coordinator
    message = EmailMessage(
        mail.subject,
        mail.text,
        settings.DEFAULT_FROM_EMAIL,
        [person.email if person else request.asker_email],
        headers=headers,
        reply_to=[helper.email] if not person and helper and helper.left_at is None else None,
    )
    if mail.with_calendar:
        with translation.override(request.language):
            content = talk_calendars.for_organiser(request)
        message.attach("talk.ics", content, "text/calendar")
    try:
        message.send()
    except (OSError, ValueError):
        log.exception("no mail about talk request %s", request.pk)
        TalkMail.objects.filter(pk=mail.pk).update(tries=F("tries") + 1)
        return False
    TalkMail.objects.filter(pk=mail.pk).update(sent_at=now)
    return True

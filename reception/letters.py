"""The mails about a question: what they say, and that each leaves once."""

import datetime as dt
import uuid
from collections.abc import Iterator
from itertools import islice

from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from campaigns.hours import Calendar
from campaigns.models import Programme
from integrations import mails

from . import tokens
from .models import ContactCard, Inquiry, InquiryMail, InquiryMessage

# An asker's programme quotes what we wrote, this line first: above it stands what is new.
# Not translated by the catalogue, because replies to old mails must be understood too.
ABOVE = {
    "de": "------ Zum Antworten bitte über diese Zeile schreiben ------",
    "en": "------ To reply, please write above this line ------",
}
_LEASE = dt.timedelta(minutes=5)
_MOST_TRIES = 12
_AT_ONCE = 50
_TO_ASKER = ("received", "answer", "expired")


def due(
    inquiry: Inquiry, kind: str, *, now: dt.datetime, person_id: int | None = None,
    message: InquiryMessage | None = None,
) -> None:  # fmt: skip
    """Put a mail into the outbox; it leaves after the commit."""
    InquiryMail.objects.create(
        inquiry=inquiry, kind=kind, person_id=person_id, message=message, created_at=now
    )


def send_due(*, now: dt.datetime) -> int:
    """Write the mails that wait, to colleagues only in their hours; returns how many left.

    A mail is claimed by a conditional UPDATE with a lease. A crash after the server took it and
    before we noted that sends it a second time, with the same Message-ID.
    """
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    count = 0
    for pk in list(islice(_awake(free, now), _AT_ONCE)):
        claimed = InquiryMail.objects.filter(free, pk=pk, sent_at__isnull=True)
        if not claimed.update(lease_until=now + _LEASE, tries=F("tries") + 1):
            continue
        mail = InquiryMail.objects.select_related("inquiry", "person", "message__author").get(pk=pk)
        if _send(mail):
            InquiryMail.objects.filter(pk=pk).update(sent_at=now, lease_until=None)
            count += 1
    return count


def _awake(free: Q, now: dt.datetime) -> Iterator[int]:
    """What waits for somebody whom it may reach now; askers first, they wait for nobody's hours."""
    calendar = Calendar(Programme.the(), now)
    waiting = InquiryMail.objects.filter(free, sent_at__isnull=True, tries__lt=_MOST_TRIES)
    in_turn = waiting.order_by(F("person").asc(nulls_first=True), "pk").select_related("person")
    for mail in in_turn:
        if mail.person is None or not calendar.of(mail.person).quiet(now):
            yield mail.pk


def _over(mail: InquiryMail) -> bool:
    """Tell whether what a colleague should do was done while the mail waited for their hours."""
    inquiry = mail.inquiry
    match mail.kind:
        case "yours":
            return inquiry.state != "assigned" or inquiry.owner_id != mail.person_id
        case "unowned":
            return inquiry.state != "new"
        case "look":
            return inquiry.state != "quarantined"
        case _:
            return inquiry.state not in Inquiry.WAITING


def _send(mail: InquiryMail) -> bool:
    inquiry = mail.inquiry
    about = f"question {inquiry.pk}, {mail.kind}"
    if mail.kind in _TO_ASKER:
        if not inquiry.email:
            return True
        with translation.override(inquiry.language), timezone.override(None):
            return mails.write(_to_asker(mail), about=about)
    person = mail.person
    if person is None or person.left_at or _over(mail):
        return True  # nobody has to read it; the question itself is asked about every minute
    with translation.override(person.language), timezone.override(person.zone):
        subject, text = _to_colleague(mail)
        return mails.send(person, subject, text, about=about)


def _message_id(key: uuid.UUID) -> str:
    return f"<{key}@{settings.MAIL_DOMAIN or 'botschaft.invalid'}>"


def _headers(mail: InquiryMail) -> dict[str, str]:
    """What makes the asker's programme show one thread (RFC 5322, 3.6.4)."""
    found = {"Message-ID": _message_id(mail.key)}
    earlier = [
        _message_id(key)
        for key in mail.inquiry.mails.filter(
            kind__in=_TO_ASKER, sent_at__isnull=False, pk__lt=mail.pk
        ).values_list("key", flat=True)
    ]
    theirs = list(mail.inquiry.messages.exclude(message_id="").values_list("message_id", flat=True))
    if theirs or earlier:
        found["In-Reply-To"] = theirs[-1] if theirs else earlier[-1]
        found["References"] = " ".join(dict.fromkeys([*earlier[:1], *theirs[-5:], *earlier[-5:]]))
    if mail.kind != "answer":
        found["Auto-Submitted"] = "auto-generated"
    return found


def _to_asker(mail: InquiryMail) -> mails.Letter:
    inquiry = mail.inquiry
    page, reply_to = tokens.page(inquiry), tokens.reply_to(inquiry)
    code = _("If the page asks for a code: %(code)s") % {"code": tokens.token(inquiry, "page")}
    house = settings.ORGANISATION
    subject = _("Your question to %(house)s") % {"house": house}
    parts: list[str] = []
    sender = house
    if mail.kind == "received":
        parts = [
            _("Hello,"),
            _("your question has arrived. You will have an answer by %(day)s.")
            % {"day": formats.date_format(timezone.localtime(inquiry.answer_by), "l, j. F")},
            _("Here you can read along, add something or delete it all:"),
            page,
            code,
            _("Nobody asked that here? Then somebody mistyped their address; delete it there."),
        ]
    elif mail.kind == "expired":
        parts = [
            _("Hello,"),
            _("nobody has answered your question, and that is our fault. We are sorry."),
            _("If you still want to know, write once more; it then starts afresh:"),
            page,
            code,
        ]
    elif mail.message:
        author = mail.message.author
        sender = f"{author.first_name}, {house}" if author else house
        subject = f"Re: {subject}"
        parts = [
            *([ABOVE[inquiry.language]] if reply_to else []),
            mail.message.text,
            *_signature(mail.message),
            "-- ",
            _("The whole conversation, and the way to delete it:"),
            page,
            code,
        ]
        if reply_to:
            parts.append(_("You can also simply reply to this mail."))
    return mails.Letter(
        to=inquiry.email,
        subject=subject,
        text="\n\n".join(parts) + "\n",
        sender=sender,
        reply_to=reply_to,
        headers=_headers(mail),
    )


def _signature(message: InquiryMessage) -> list[str]:
    """Name, and the address only of those who want it known."""
    if message.author is None:
        return []
    card = ContactCard.objects.filter(person=message.author).first()
    lines = [message.author.name]
    if card and card.shows_address:
        lines.append(message.author.shown_email)
    return ["\n".join(lines)]


def _to_colleague(mail: InquiryMail) -> tuple[str, str]:
    """Subject and text inside the house. No word of the stranger's travels in them."""
    page = settings.SITE_URL + reverse("question", args=[mail.inquiry_id])
    by = formats.date_format(timezone.localtime(mail.inquiry.answer_by), "l, j. F, H:i")
    if mail.kind == "yours":
        return _("A question for you"), "\n\n".join(
            [
                _("Somebody has asked you something. They were promised an answer by %(by)s.")
                % {"by": by},
                page,
                _("If it does not fit, hand it over there; that is fine."),
            ]
        )
    if mail.kind == "look":
        page = settings.SITE_URL + reverse("quarantine")
        return _("The filter set questions aside"), "\n\n".join(
            [_("Somebody should look whether they are real questions."), page]
        )
    if mail.kind == "unowned":
        return _("A question that nobody can take"), "\n\n".join(
            [_("At the moment nobody is there who could answer it. Promised by %(by)s.")
             % {"by": by}, page]
        )  # fmt: skip
    return _("A question waits, promised by %(by)s") % {"by": by}, "\n\n".join(
        [_("It is still without an answer. Answer it, or hand it over."), page]
    )

"""The two mails about an erasure: it has begun, and it is done. Both only to the person."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ambassadors.models import Erasure
from integrations import mails, takeouts

_AT_ONCE = 200  # mails of one round
_FAILED = 3  # then the mail server is taken to be away
_OWN = gettext_noop(
    "You asked Botschaft to erase your data. Posts that waited are taken back, accounts are"
    " disconnected, and consents are withdrawn already. Everything else is erased on %(day)s,"
    " at %(time)s.\n\n"
    "Until then you can take it back: %(page)s\n\n"
    "Was it not you? Take it back there, and tell your administration.\n\n"
    "The report of what is done, which names nobody: %(report)s"
)
_NOW = gettext_noop(
    "You asked Botschaft to erase your data at once. Your login has ended, posts that waited"
    " are taken back, accounts are disconnected, and consents are withdrawn. The rest is erased"
    " within hours, and nobody can take it back.\n\n"
    "Was it not you? Tell your administration now.\n\n"
    "The report of what is done, which names nobody: %(report)s"
)
_BY_OTHERS = gettext_noop(
    "You no longer work at %(company)s, so what Botschaft still holds about you is erased on"
    " %(day)s, at %(time)s.\n\n"
    "Shall it stay, because you come back? Write to HR; until then they can take it back.\n\n"
    "The report of what is done, which names nobody: %(report)s"
)


def addresses(erasure: Erasure) -> set[str]:
    """Where its person is written to: where they said outside, and at work if it is their wish.

    Whom others erase had left: somebody else may read the mailbox they had here.
    """
    person, outside = erasure.person, takeouts.address_of(erasure.person)
    found = {outside.address} if outside else set()
    return found | {person.email} if erasure.asked_by_id == person.pk else found


def page_of(erasure: Erasure) -> str:
    """Where the report stands; whoever has the address may read it, it names nobody."""
    return settings.SITE_URL + reverse("erasure_report", args=[erasure.key])


def tell_begun(*, now: dt.datetime) -> int:
    """Write to those whose erasure has begun; returns to how many.

    It says what has begun, when it is done, and how to stop it while it can be stopped: whoever did
    not begin it themselves learns of it before it is too late. While the mail server is away, the
    next round tries again.
    """
    count = failed = 0
    for erasure in Erasure.objects.open().filter(told_at=None).select_related("person")[:_AT_ONCE]:
        row = Erasure.objects.filter(pk=erasure.pk)
        if not row.filter(told_at=None).update(told_at=now):
            continue  # the other worker was faster
        if _tell(erasure):
            count += 1
            continue
        row.update(told_at=None)
        failed += 1
        if failed == _FAILED:
            break
    return count


def _tell(erasure: Erasure) -> bool:
    """Write the mail, if there is anywhere to write to."""
    person, own = erasure.person, erasure.asked_by_id == erasure.person_id
    how = _BY_OTHERS if not own else _NOW if person.left_at else _OWN
    written_to = addresses(erasure)
    with translation.override(person.language), timezone.override(person.zone):
        due = timezone.localtime(erasure.due_at)
        text = _(how) % {
            "company": settings.ORGANISATION,
            "day": formats.date_format(due, "l, j. F Y"),
            "time": formats.date_format(due, "H:i"),
            "page": settings.SITE_URL + reverse("erase_me"),
            "report": page_of(erasure),
        }
        sent = _write(_("Your data at Botschaft will be erased"), text, written_to)
    return sent or not written_to


def done(erasure: Erasure, written_to: Iterable[str]) -> None:
    """The last mail: it is done. Nobody can be written to afterwards."""
    text = _(
        "The erasure that began on %(asked)s is done. %(deleted)s rows about you were deleted."
        " %(nameless)s rows that others rely on stay without your name.\n\n"
        "The report, which names nobody: %(page)s\n\n"
        "This was the last mail from Botschaft; this address is not kept."
    ) % {
        "asked": formats.date_format(timezone.localtime(erasure.asked_at), "j. F Y"),
        "deleted": formats.number_format(erasure.report["deleted"]),
        "nameless": formats.number_format(erasure.report["nameless"]),
        "page": page_of(erasure),
    }
    _write(_("Your data at Botschaft are erased"), text, written_to)


def _write(subject: str, text: str, written_to: Iterable[str]) -> bool:
    """Write to all addresses; tells whether a mail left."""
    sent = [mails.send_to(one, subject, text, about="an erasure") for one in sorted(written_to)]
    return any(sent)

"""The two mails about an erasure: it has begun, and it is done. Both only to the person."""

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from ambassadors.models import Erasure, Person
from integrations import mails, takeouts


def addresses(person: Person) -> set[str]:
    """Where the person can be written to: at work, and where they said outside."""
    own = takeouts.address_of(person)
    return {person.email} | ({own.address} if own else set())


def page_of(erasure: Erasure) -> str:
    """Where the report stands; whoever has the address may read it, it names nobody."""
    return settings.SITE_URL + reverse("erasure_report", args=[erasure.key])


def begun(erasure: Erasure, *, at_once: bool) -> None:
    """Say what has begun, when it is done, and how to stop it while it can be stopped.

    Also whoever did not begin it themselves learns of it here, before it is too late. Who has left
    is written to outside alone: somebody else may read the mailbox they had here.
    """
    person = erasure.person
    written_to = addresses(person) - ({person.email} if person.left_at else set())
    with translation.override(person.language), timezone.override(person.zone):
        how = _at_once() if at_once else _own() if erasure.asked_by == person else _by_others()
        due = timezone.localtime(erasure.due_at)
        text = how % {
            "company": settings.ORGANISATION,
            "day": formats.date_format(due, "l, j. F Y"),
            "time": formats.date_format(due, "H:i"),
            "page": settings.SITE_URL + reverse("erase_me"),
            "report": page_of(erasure),
        }
        _write(_("Your data at Botschaft will be erased"), text, written_to)


def _own() -> str:
    return _(
        "You asked Botschaft to erase your data. Posts that waited are taken back, accounts are"
        " disconnected, and consents are withdrawn already. Everything else is erased on %(day)s,"
        " at %(time)s.\n\n"
        "Until then you can take it back: %(page)s\n\n"
        "Was it not you? Take it back there, and tell your administration.\n\n"
        "The report of what is done, which names nobody: %(report)s"
    )


def _at_once() -> str:
    return _(
        "You asked Botschaft to erase your data at once. Your login has ended, posts that waited"
        " are taken back, accounts are disconnected, and consents are withdrawn. The rest is erased"
        " within hours, and nobody can take it back.\n\n"
        "Was it not you? Tell your administration now.\n\n"
        "The report of what is done, which names nobody: %(report)s"
    )


def _by_others() -> str:
    return _(
        "You no longer work at %(company)s, so what Botschaft still holds about you is erased on"
        " %(day)s, at %(time)s.\n\n"
        "Shall it stay, because you come back? Write to HR; until then they can take it back.\n\n"
        "The report of what is done, which names nobody: %(report)s"
    )


def done(erasure: Erasure, written_to: Iterable[str]) -> None:
    """The last mail: it is done. Nobody can be written to afterwards."""
    text = _(
        "What you asked for on %(asked)s is done. %(deleted)s rows about you were deleted."
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


def _write(subject: str, text: str, written_to: Iterable[str]) -> None:
    for address in sorted(written_to):
        mails.send_to(address, subject, text, about="an erasure")

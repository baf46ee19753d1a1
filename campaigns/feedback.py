"""Feedback on Botschaft: one field, to the administrators only, with or without a name."""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import transaction
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from ambassadors import audit, counts
from ambassadors.models import Person

from .models import Feedback
from .refusals import FieldRefused, fitting

LONGEST = 2000
A_DAY = 5  # remarks of one person
_DAY_SECONDS = 25 * 3600
_LONGEST_PATH = 200


class FeedbackRefused(FieldRefused):
    """Nothing was taken; the sentence belongs beside the field."""


def page_of(typed: str) -> str:
    """The path of a page of ours, without what was searched for there; empty for anything else."""
    path = urlsplit(typed).path
    ours = typed.startswith("/") and all(
        url_has_allowed_host_and_scheme(text, None) for text in (typed, path)
    )
    try:
        resolve(path if ours and path.isprintable() and len(path) <= _LONGEST_PATH else "")
    except Resolver404:
        return ""
    return path


def _kind_of(page: str) -> str:
    """A page without the numbers in its path: a page that one person may open names them."""
    return "/" + re.sub(r"<[^>]*>", "…", resolve(page).route) if page else ""


def say(*, by: Person, text: str, page: str, named: bool, now: dt.datetime) -> Feedback:
    """Take a remark. Raises :class:`FeedbackRefused`.

    How many somebody wrote today is counted under a hash whose key is random and gone tomorrow, so
    an unnamed remark belongs to nobody. No audit entry is written: it would name the writer.
    """
    page = page_of(page)
    clean = fitting(FeedbackRefused, "text", text, most=LONGEST, empty=_("There is no text yet."))
    today = by.local(now).date()
    if not _may(by, today):
        raise FeedbackRefused("text", _("That was a lot for today. Please go on tomorrow."))
    return Feedback.objects.create(
        person=by if named else None,
        text=clean,
        page=page if named else _kind_of(page),
        said_on=today,
    )


def _may(person: Person, today: dt.date) -> bool:
    key = cache.get_or_set(f"feedback-key:{today}", lambda: secrets.token_hex(16), _DAY_SECONDS)
    name = hmac.new(str(key).encode(), str(person.pk).encode(), hashlib.sha256).hexdigest()
    return counts.counted(f"feedback:{name}", _DAY_SECONDS) <= A_DAY


@transaction.atomic
def settle(*, feedback: Feedback, done: bool, by: Person, now: dt.datetime) -> bool:
    """Put a remark away as done, or back; tells whether that changed anything. Audited."""
    rows = Feedback.objects.filter(pk=feedback.pk, done_at__isnull=done)
    if not rows.update(done_at=now if done else None):
        return False
    audit.record("feedback.done" if done else "feedback.open", feedback, by=by, now=now)
    return True

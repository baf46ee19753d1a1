"""Open calls: made, changed while they run, closed early."""

import datetime as dt
import uuid

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person, Team, TeamKind
from campaigns.refusals import fitting

from .models import Call
from .pipeline import NotTaken

LONGEST_TITLE, LONGEST_TEXT = 120, 6_000  # characters
FARTHEST = dt.timedelta(days=731)


@transaction.atomic
def save(
    *,
    call: Call,
    team: Team | None,
    kind: TeamKind | None,
    title_de: str,
    title_en: str,
    text_de: str,
    text_en: str,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    timezone: str,
    places: int | None,
    submission: uuid.UUID,
    by: Person,
    now: dt.datetime,
) -> Call:
    """Write a call, new or old; the form of a new one a second time finds the first.

    Raises :class:`NotTaken`.
    """
    new = call.pk is None
    if new and (standing := Call.objects.filter(submission=submission).first()):
        return standing
    empty = _("Give it a title.")
    call.title_de = _line("title_de", title_de, empty)
    call.title_en = _line("title_en", title_en, empty) if title_en.strip() else ""
    empty = _("Say whom you look for, and for what.")
    call.text_de = fitting(NotTaken, "text_de", text_de, most=LONGEST_TEXT, empty=empty)
    call.text_en = (
        fitting(NotTaken, "text_en", text_en, most=LONGEST_TEXT, empty=empty)
        if text_en.strip()
        else ""
    )
    if (team is None) == (kind is None):
        raise NotTaken("for", _("Choose a team or a kind of team."))
    if closes_at <= opens_at:
        raise NotTaken("closes_at", _("The end must be after the beginning."))
    if closes_at <= now:
        raise NotTaken("closes_at", _("This moment is in the past."))
    if closes_at > now + FARTHEST:
        raise NotTaken("closes_at", _("Two years ahead at most."))
    call.team, call.kind, call.places = team, kind, places
    call.opens_at, call.closes_at, call.timezone = opens_at, closes_at, timezone
    if new:
        call.submission, call.made_by, call.made_at = submission, by, now
        call.slug = f"{slugify(call.title_de)[:48] or 'call'}-{submission.hex[:6]}"
        try:
            with transaction.atomic():
                call.save()
        except IntegrityError:  # two clicks in one second
            return Call.objects.get(submission=submission)
    else:
        call.save(
            update_fields=[
                "title_de", "title_en", "text_de", "text_en", "team", "kind", "places", "opens_at",
                "closes_at", "timezone",
            ]
        )  # fmt: skip
    audit.record("call.made" if new else "call.changed", call, by=by, now=now)
    return call


def _line(field: str, text: str, empty: str) -> str:
    return " ".join(fitting(NotTaken, field, text, most=LONGEST_TITLE, empty=empty).split())


@transaction.atomic
def end(*, call: Call, by: Person, now: dt.datetime) -> bool:
    """Close a call early; who applied is still answered. Tells whether it was open."""
    rows = Call.objects.filter(pk=call.pk, ended_at__isnull=True, closes_at__gt=now)
    if not rows.update(ended_at=now):
        return False
    audit.record("call.ended", call, by=by, now=now)
    return True

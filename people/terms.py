"""What the calendar brings to terms: a pause that is over, a term that ends, and who is asked."""

import datetime as dt

from django.conf import settings
from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _

from ambassadors import memberships
from ambassadors.models import Membership, Person

from . import letters, pipeline

ASKED_BEFORE = dt.timedelta(days=30)
_AT_ONCE = 500


def resume_due(*, now: dt.datetime) -> int:
    """Bring back those whose pause ended yesterday or before; returns how many."""
    over = Membership.objects.open().filter(
        stage="paused", paused_until_on__lt=memberships.day_of(now)
    )
    count = 0
    for term in over.select_related("team", "person")[:_AT_ONCE]:
        try:
            pipeline.resume(membership=term, by=None, now=now)
        except pipeline.TooLate:
            continue
        _say_back(term)
        count += 1
    return count


def _say_back(term: Membership) -> None:
    def words() -> tuple[str, str]:
        return _("Your pause in %(team)s is over") % {"team": term.team.name}, _(
            "You set it to end yesterday. If you would rather pause longer, that is one press:"
            "\n\n%(page)s"
        ) % {"page": letters.page("my_teams")}

    letters.write(term.person, words, about=f"pause {term.pk}")


def ask_due(*, now: dt.datetime) -> int:
    """Ask the person, and tell the lead, before an agreed term ends; once a term."""
    last = memberships.day_of(now) + ASKED_BEFORE
    rows = Membership.objects.open().filter(
        until_on__lte=last, renewal_asked_at__isnull=True, stage__in=("active", "paused")
    )
    count = 0
    for term in rows.select_related("team__lead", "person")[:_AT_ONCE]:
        unasked = Membership.objects.filter(pk=term.pk, renewal_asked_at__isnull=True)
        if unasked.update(renewal_asked_at=now):
            _ask(term)
            if term.team.lead:
                _tell(term.team.lead, term)
            count += 1
    return count


def _day(term: Membership) -> str:
    return formats.date_format(term.until_on, "j. F Y") if term.until_on else ""


def _ask(term: Membership) -> None:
    def words() -> tuple[str, str]:
        silence = (
            _("If you say nothing it ends by itself that day.")
            if settings.TERMS_END_IN_SILENCE
            else _("If you say nothing it simply goes on.")
        )
        return _("Your term in %(team)s") % {"team": term.team.name}, _(
            "Your term in the team %(team)s was agreed until %(day)s. Would you like to go on, or"
            " stop there? Both are fine. %(silence)s\n\n%(page)s"
        ) % {
            "team": term.team.name,
            "day": _day(term),
            "silence": silence,
            "page": letters.page("my_teams"),
        }

    letters.write(term.person, words, about=f"term {term.pk}")


def _tell(lead: Person, term: Membership) -> None:
    def words() -> tuple[str, str]:
        return _("%(name)s: the term in %(team)s ends") % {
            "name": term.person.name,
            "team": term.team.name,
        }, _(
            "The term of %(name)s was agreed until %(day)s. They were asked whether they go on;"
            " a word from you helps.\n\n%(page)s"
        ) % {"name": term.person.name, "day": _day(term), "page": letters.page("term", term.pk)}

    letters.write(lead, words, about=f"term {term.pk}")


def end_due(*, now: dt.datetime) -> int:
    """End terms that are over without a word, only where the company chose so.

    ``TERMS_END_IN_SILENCE`` is off by default: then a term goes on until somebody says something.
    Nobody is ended who was not asked two weeks before.
    """
    if not settings.TERMS_END_IN_SILENCE:
        return 0
    rows = Membership.objects.open().filter(
        Q(renewal_asked_at__lte=now - dt.timedelta(days=14)),
        until_on__lt=memberships.day_of(now),
        stage__in=("active", "paused"),
    )
    return sum(
        memberships.end(membership=term, by=None, now=now, reason="term over, no answer")
        for term in rows[:_AT_ONCE]
    )

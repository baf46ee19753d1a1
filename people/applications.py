"""Putting oneself forward, and what HR and the lead answer. The last place goes to one."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.memberships import NoPlace
from ambassadors.models import Membership, Person, Team
from campaigns.refusals import fitting

from . import letters, pipeline
from .models import Application, Call
from .pipeline import AlreadyIn, NotTaken, TooLate
from .states import move_application

LONGEST_WHY = 3_000  # characters


@transaction.atomic
def apply(
    *,
    call: Call,
    why: str,
    topics: Sequence[str],
    languages: Sequence[str],
    networks: Sequence[str],
    hours_per_month: Decimal,
    by: Person,
    now: dt.datetime,
) -> Application:
    """Put oneself forward; a second press finds the first. Raises :class:`NotTaken`.

    No audit entry: whoever takes it back must find that nothing of it remains.
    """
    empty = _("Say why in a sentence or two; there is no right answer.")
    why = fitting(NotTaken, "why", why, most=LONGEST_WHY, empty=empty)
    if call.stands(now) != "open":
        raise NotTaken(
            "", _("This call is closed. What you wrote stands here; keep it if you like.")
        )
    if call.team and _is_in(by, call.team):
        raise NotTaken("", _("You are in this team already."))
    rows = Application.objects.filter(call=call, person=by, state__in=Application.OPEN)
    if standing := rows.first():
        return standing
    try:
        with transaction.atomic():
            return Application.objects.create(
                call=call,
                person=by,
                team=call.team,
                why=why,
                topics=list(topics),
                languages=list(languages),
                networks=list(networks),
                hours_per_month=hours_per_month,
                applied_at=now,
            )
    except IntegrityError:  # two tabs in one second
        return rows.get()


def _is_in(person: Person, team: Team) -> bool:
    rows = Membership.objects.filter(person=person, team=team, ended_on__isnull=True)
    return rows.exclude(stage="nominated").exists()


def withdraw(*, application: Application) -> bool:
    """Take it back at any time; nothing of it remains. Tells whether there was something."""
    rows = Application.objects.filter(pk=application.pk, state__in=Application.OPEN)
    return bool(rows.delete()[0])


@transaction.atomic
def invite(
    *, application: Application, team: Team, by: Person | None, now: dt.datetime
) -> Application:
    """Offer a place in a team, or a place on its waiting list where none is free.

    Of two leads who take the last place in one second, one reads that the person waits now.
    Effects in order: the call's row is held (its places count), place and term, the application;
    mail by :func:`people.pipeline.invite`. Raises :class:`AlreadyIn`, :class:`TooLate`.
    """
    if not _call_has_place(application.call_id):
        return wait(application=application, team=team, by=by, now=now)
    try:
        pipeline.invite(person=application.person, team=team, by=by, now=now)
    except NoPlace:
        return wait(application=application, team=team, by=by, now=now)
    if not move_application(application, to="invited", team=team, decided_at=now):
        raise TooLate
    audit.record("application.invited", application, by=by, now=now, team=team.pk)
    application.refresh_from_db()
    return application


def _call_has_place(call_id: int) -> bool:
    """Hold the call's row until the commit, and count."""
    call = Call.objects.select_for_update(no_key=True).get(pk=call_id)
    taken = Application.objects.filter(call=call, state="invited").count()
    return call.places is None or taken < call.places


@transaction.atomic
def wait(
    *, application: Application, team: Team, by: Person | None, now: dt.datetime
) -> Application:
    """Put somebody on a team's waiting list; who waits already keeps their turn.

    Raises :class:`TooLate`.
    """
    if application.state == "waiting":
        return application
    if not move_application(application, to="waiting", team=team, waiting_since=now):
        raise TooLate
    audit.record("application.waits", application, by=by, now=now, team=team.pk)
    application.refresh_from_db()

    def words() -> tuple[str, str]:
        return _("You are on the waiting list of %(team)s") % {"team": team.name}, _(
            "All places in the team %(team)s are taken at present. You wait in order of time; when"
            " a place is free and it is your turn, you get a mail. You can take your application"
            " back at any time:\n\n%(page)s"
        ) % {"team": team.name, "page": letters.page("call", application.call.slug)}

    letters.after_commit(application.person, words, about=f"application {application.pk}")
    return application


@transaction.atomic
def decline(*, application: Application, word: str, by: Person, now: dt.datetime) -> None:
    """Say no, with a kind word that the person reads. Raises :class:`NotTaken`, TooLate."""
    empty = _("Write them a word; it goes to this person alone.")
    word = fitting(NotTaken, "word", word, most=pipeline.LONGEST_WORD, empty=empty)
    if not move_application(application, to="declined", decided_at=now, word=word):
        raise TooLate
    audit.record("application.declined", application, by=by, now=now)
    title = application.call.title_de

    def words() -> tuple[str, str]:
        return _("About your application: %(title)s") % {"title": title}, _(
            "Not this time. %(who)s writes to you:\n\n%(word)s\n\nOther calls stand here: %(page)s"
        ) % {"who": by.name, "word": word, "page": letters.page("calls")}

    letters.after_commit(application.person, words, about=f"application {application.pk}")


def waiting(team: Team) -> "QuerySet[Application]":
    """Who waits for a place in a team, whose turn it is first."""
    rows = Application.objects.filter(team=team, state="waiting", person__left_at__isnull=True)
    return rows.select_related("person", "call").order_by("waiting_since", "pk")


def move_up(*, team: Team, now: dt.datetime) -> int:
    """Offer free places to those whose turn it is; returns how many were offered one.

    A call that has no place left holds up its own people only.
    """
    count, full = 0, set[int]()
    for row in waiting(team):
        if row.call_id in full:
            continue
        try:
            after = invite(application=row, team=team, by=None, now=now)
        except (AlreadyIn, TooLate):
            continue
        if after.state == "waiting":
            if not Team.objects.having_place().filter(pk=team.pk).exists():
                break
            full.add(row.call_id)
            continue
        count += 1
    return count


def move_up_due(*, now: dt.datetime) -> int:
    """Look after every team somebody waits for; returns how many were offered a place."""
    waits = Application.objects.filter(state="waiting").values("team")
    free = Team.objects.having_place().filter(pk__in=waits)
    return sum(move_up(team=team, now=now) for team in free)

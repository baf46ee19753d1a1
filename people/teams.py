"""Teams and their kinds: made and changed by HR, a team also by its lead."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from ambassadors import audit
from ambassadors.models import Person, Site, Team, TeamKind
from campaigns import wording
from campaigns.refusals import fitting

from .pipeline import NotTaken

LONGEST_NAME, LONGEST_PROFILE, LONGEST_PURPOSE, LONGEST_TASK = 80, 2_000, 1_000, 200
MOST_TASKS = 12


def free_slug(rows: type[Team] | type[TeamKind], name: str) -> str:
    """An address nobody has, from a name in any script."""
    base = slugify(name)[:40] or rows.__name__.lower()
    taken = set(rows.objects.filter(slug__startswith=base).values_list("slug", flat=True))  # type: ignore[attr-defined]
    number = 2
    slug = base
    while slug in taken or slug in {"new", "mine"}:
        slug, number = f"{base}-{number}", number + 1
    return slug


def tasks_of(field: str, text: str) -> list[str]:
    """The lines of a field that say something. Raises :class:`NotTaken`."""
    lines = [" ".join(line.split()) for line in wording.clean(text).split("\n")]
    found = [line for line in lines if not wording.is_blank(line)]
    if len(found) > MOST_TASKS:
        raise NotTaken(field, _("%(most)s tasks at most.") % {"most": MOST_TASKS})
    if any(len(line) > LONGEST_TASK for line in found):
        raise NotTaken(field, _("A task is one sentence, of 200 characters at most."))
    return found


@transaction.atomic
def save_kind(
    *,
    kind: TeamKind,
    name_de: str,
    name_en: str,
    profile_de: str,
    profile_en: str,
    tasks: Sequence[str],
    tasks_en: Sequence[str],
    hours_per_month: Decimal,
    by: Person,
    now: dt.datetime,
) -> TeamKind:
    """Write a kind, new or old; its behaviour never changes. Raises :class:`NotTaken`."""
    empty = _("Give it a name.")
    kind.name_de = _line("name_de", name_de, LONGEST_NAME, empty)
    kind.name_en = _line("name_en", name_en, LONGEST_NAME, empty)
    empty = _("Say in a sentence or two what one is here.")
    kind.profile_de = fitting(NotTaken, "profile_de", profile_de, most=LONGEST_PROFILE, empty=empty)
    kind.profile_en = fitting(NotTaken, "profile_en", profile_en, most=LONGEST_PROFILE, empty=empty)
    kind.tasks, kind.tasks_en = list(tasks), list(tasks_en)
    kind.hours_per_month = hours_per_month
    new = kind.pk is None
    if new:
        kind.slug = free_slug(TeamKind, kind.name_de)
        kind.save()
    else:
        kind.save(
            update_fields=[
                "name_de", "name_en", "profile_de", "profile_en", "tasks", "tasks_en",
                "hours_per_month",
            ]
        )  # fmt: skip
    audit.record("kind.made" if new else "kind.changed", kind, by=by, now=now)
    return kind


@transaction.atomic
def save_team(
    *,
    team: Team,
    name: str,
    purpose: str,
    site: Site | None,
    lead: Person | None,
    capacity: int | None,
    term_months: int | None,
    by: Person,
    now: dt.datetime,
) -> Team:
    """Write a team, new or old. Fewer places than people send nobody away.

    Raises :class:`NotTaken`.
    """
    team.name = _line("name", name, LONGEST_NAME, _("Give it a name."))
    empty = _("Say what the team is there for.")
    team.purpose = fitting(NotTaken, "purpose", purpose, most=LONGEST_PURPOSE, empty=empty)
    if lead is not None and lead.left_at is not None:
        raise NotTaken("lead", _("Nobody here has this address. Write it as they log in."))
    team.site, team.lead, team.capacity, team.term_months = site, lead, capacity, term_months
    new = team.pk is None
    if new:
        team.slug = free_slug(Team, team.name)
        team.save()
    else:
        team.save(update_fields=["name", "purpose", "site", "lead", "capacity", "term_months"])
    audit.record(
        "team.made" if new else "team.changed", team, by=by, now=now,
        lead=lead.pk if lead else None, capacity=capacity,
    )  # fmt: skip
    return team


def _line(field: str, text: str, most: int, empty: str) -> str:
    """One line of text. Raises :class:`NotTaken`."""
    return " ".join(fitting(NotTaken, field, text, most=most, empty=empty).split())

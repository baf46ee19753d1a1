"""A person's yes to a guideline: given once for each version, kept as evidence, asked by starts."""

import datetime as dt

from django.db import connection, transaction

from .models import Acknowledgement, GuidelineReminder, GuidelineVersion, Person, QuizPass

# The guidelines that wait for a yes of ``{person}``, and from when on this holds back publishing
# for them: a version wants one, and there is none to it or a later one. The grace time counts from
# the day the person joined, at the earliest. Nothing here can begin to hold at the moment it is
# written: a version binds a day after it was published, a guideline brought back counts anew, a
# yes is never deleted. So a start need not lock these rows; the clock alone brings them into force.
ASKED = """
SELECT v.guideline_id,
       greatest(v.effective_at, g.counts_from, p.joined_at)
         + make_interval(days => v.grace_days) AS held_from
  FROM ambassadors_person p
  JOIN ambassadors_guidelineversion v ON v.requires_yes AND v.effective_at <= %(now)s
  JOIN ambassadors_guideline g ON g.id = v.guideline_id AND g.retired_at IS NULL
 WHERE p.id = {person}
   AND NOT EXISTS (SELECT FROM ambassadors_acknowledgement a
                     JOIN ambassadors_guidelineversion later ON later.id = a.version_id
                    WHERE a.person_key = p.evidence_key
                      AND later.guideline_id = v.guideline_id AND later.number >= v.number)
"""
_MINE = "SELECT guideline_id, min(held_from) FROM ({asked}) asked GROUP BY 1".replace(
    "{asked}", ASKED.format(person="%(person)s")
)


class NotReadable(Exception):
    """There is no such text to say yes to: a draft, or a language it does not have."""


def asked(person: Person, now: dt.datetime) -> dict[int, dt.datetime]:
    """The guidelines that wait for the person's yes, and from when on they hold back. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_MINE, {"person": person.pk, "now": now})
        return dict(cursor.fetchall())


def holds_back(person: Person, now: dt.datetime) -> bool:
    """Tell whether publishing for this person waits for a yes. One query."""
    return any(held_from <= now for held_from in asked(person, now).values())


@transaction.atomic
def give(
    *, person: Person, version: GuidelineVersion, language: str, now: dt.datetime
) -> Acknowledgement:
    """Keep a yes to a version as it was shown; a standing one is kept as it is.

    Effects in order: the yes, which the database seals with the text's hash; reminders about this
    version and earlier ones are forgotten. The yes is its own proof and names the person by their
    evidence key only, so there is no entry in the record. Raises :class:`NotReadable`.
    """
    if version.published_at is None or not version.text_in(language):
        raise NotReadable
    # The database makes the key; a person made in this very process does not hold it yet.
    key = Person.objects.values_list("evidence_key", flat=True).get(pk=person.pk)
    found, created = Acknowledgement.objects.get_or_create(
        version=version,
        person_key=key,
        defaults={"language": language, "at": now},
    )
    GuidelineReminder.objects.filter(
        person=person, version__guideline=version.guideline_id, version__number__lte=version.number
    ).delete()
    if created:
        found.refresh_from_db(fields=["sha256"])
    return found


def of(person: Person) -> dict[int, Acknowledgement]:
    """The person's yes to the latest version they said it to, by guideline. One query."""
    key = Person.objects.filter(pk=person.pk).values("evidence_key")
    rows = Acknowledgement.objects.filter(person_key__in=key)
    found: dict[int, Acknowledgement] = {}
    for row in rows.select_related("version").order_by("version__number"):
        found[row.version.guideline_id] = row
    return found


def open_for(person: Person, now: dt.datetime) -> list[tuple[GuidelineVersion, dt.datetime]]:
    """What waits for the person's yes: the version in force, and from when on it holds back.

    Two queries; one where nothing waits.
    """
    waiting = asked(person, now)
    if not waiting:
        return []
    rows = GuidelineVersion.objects.in_force(now).filter(guideline__in=waiting)
    versions = rows.select_related("guideline")
    return [(version, waiting[version.guideline_id]) for version in versions]


def passed(*, person: Person, version: GuidelineVersion, now: dt.datetime) -> bool:
    """Note that all answers of a version's quiz were right; tells whether it is the first time."""
    _row, created = QuizPass.objects.get_or_create(
        person=person, version=version, defaults={"passed_at": now}
    )
    return created

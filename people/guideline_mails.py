"""Reminders of a guideline: from the system to the person alone, three at most."""

import datetime as dt

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from ambassadors.acknowledgements import ASKED
from ambassadors.models import Absence, GuidelineReminder, GuidelineVersion, Person
from campaigns.hours import Calendar
from campaigns.models import Programme
from integrations import mails

MOST = 3
_AT_ONCE = 200  # mails of one tick
_NOON = 12
# Those who are asked for a yes, with the version to read; most urgent first.
_DUE = """
SELECT who.id, asked.guideline_id, min(asked.held_from)
  FROM ambassadors_person who CROSS JOIN LATERAL ({asked}) asked
 WHERE who.is_active AND who.left_at IS NULL
   AND NOT EXISTS (SELECT FROM ambassadors_guidelinereminder r
                     JOIN ambassadors_guidelineversion v ON v.id = r.version_id
                    WHERE r.person_id = who.id AND v.guideline_id = asked.guideline_id
                      AND v.number = (SELECT max(number) FROM ambassadors_guidelineversion w
                                       WHERE w.guideline_id = v.guideline_id
                                         AND w.effective_at <= %(now)s)
                      AND (r.count >= %(most)s OR r.last_at > %(now)s
                           - make_interval(days => greatest(v.grace_days / 3, 1))))
 GROUP BY 1, 2 ORDER BY 3, 1 LIMIT %(limit)s
""".replace("{asked}", ASKED.format(person="who.id"))


def remind_due(*, now: dt.datetime) -> int:
    """Write to those whose yes is asked for; returns how many mails left.

    In the morning of a working day by their clock, not while they are away; a third of the grace
    time lies between two mails, and after three there are none. Counted before it is written: a
    crash in between costs a mail and never makes a fourth one. No page reads whom we reminded.
    """
    programme = Programme.the()
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "most": MOST, "limit": 20 * _AT_ONCE})
        due = cursor.fetchall()
    if not due:
        return 0
    people = Person.objects.in_bulk({row[0] for row in due})
    calendar = Calendar(programme, now)
    versions = {
        v.guideline_id: v
        for v in GuidelineVersion.objects.in_force(now).select_related("guideline")
    }
    away = set(
        Absence.objects.filter(
            ended_at__isnull=True, until_on__gte=programme.today(now)
        ).values_list("person", flat=True)
    )
    count = 0
    for pk, guideline, held_from in due:
        person, version = people[pk], versions.get(guideline)
        if version is None or pk in away or not _is_morning(person, calendar, now):
            continue
        if _claim(person, version, now):
            _write(person, version, held_from, now)
            count += 1
        if count >= _AT_ONCE:
            break
    return count


def _is_morning(person: Person, calendar: Calendar, now: dt.datetime) -> bool:
    return not calendar.of(person).quiet(now) and person.local(now).hour < _NOON


def _claim(person: Person, version: GuidelineVersion, now: dt.datetime) -> bool:
    """Count a reminder; False when another worker has just done so."""
    row, made = GuidelineReminder.objects.get_or_create(
        person=person, version=version, defaults={"count": 1, "last_at": now}
    )
    if made:
        return True
    rows = GuidelineReminder.objects.filter(pk=row.pk, last_at=row.last_at, count__lt=MOST)
    return bool(rows.update(count=F("count") + 1, last_at=now))


def _write(
    person: Person, version: GuidelineVersion, held_from: dt.datetime, now: dt.datetime
) -> None:
    """The mail: which guideline, where to read it, and what happens without a yes."""
    with translation.override(person.language):
        title = version.title_in(person.language)
        if held_from <= now:
            then = _("Publishing for you waits for your yes. Copying and opening work as always.")
        else:
            then = _(
                "After %(day)s publishing for you waits for it. Copying and opening always work."
            ) % {"day": formats.date_format(person.local(held_from), "j. F Y")}
        body = _(
            "The guideline “%(title)s” waits for your yes. What changed since yours stands at the"
            " top:\n\n%(page)s\n\n%(then)s\n\nThis mail was written by the system. Nobody sees who"
            " got one; at most three come, and your yes ends them."
        ) % {
            "title": title,
            "page": settings.SITE_URL + reverse("guideline", args=[version.guideline.slug]),
            "then": then,
        }
        subject = _("To read: %(title)s") % {"title": title}
        mails.send(person, subject, body, about="a guideline")

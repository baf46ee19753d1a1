"""A yes to a guideline lets go what waited for it. Nothing that waited was cancelled."""

import datetime as dt

from django.db import connection, transaction

from ambassadors import acknowledgements
from ambassadors.models import GuidelineVersion, Person

_LET_GO = """
UPDATE campaigns_delivery d SET blocked = '', reason = '', claims = 0, next_at = %(now)s
  FROM campaigns_post post
 WHERE post.id = d.post_id AND d.state = 'queued' AND d.blocked = 'guideline'
   AND (%(person)s::bigint IS NULL OR post.person_id = %(person)s)
   AND NOT EXISTS (SELECT FROM ({asked}) asked WHERE asked.held_from <= %(now)s)
""".replace("{asked}", acknowledgements.ASKED.format(person="post.person_id"))


def confirm(*, person: Person, version: GuidelineVersion, language: str, now: dt.datetime) -> int:
    """Keep a person's yes, then let their posts go on; returns how many.

    Two commits: a start locks its post before it reads the person's yes, so both in one could wait
    for each other. A start that read just before the yes may still hold its post; the next minute
    finds it. Raises :class:`acknowledgements.NotReadable`.
    """
    acknowledgements.give(person=person, version=version, language=language, now=now)
    return let_go(now=now, person=person)


@transaction.atomic
def let_go(*, now: dt.datetime, person: Person | None = None) -> int:
    """Let posts go on that no guideline holds any more: one person's, or everybody's."""
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, {"now": now, "person": person.pk if person else None})
        return int(cursor.rowcount)

"""The life of a topic: new, edited, archived. Its light is :mod:`campaigns.lights`' business."""

import datetime as dt
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors import audit
from ambassadors.models import Person

from . import lights
from .models import Delivery, Suggestion, Topic

MOST_ROWS = 30  # facts, pairs of words, links
# What the edit form changes; the light and the archive are steps of their own.
FIELDS = (
    "title", "language", "rule", "say", "leave_out", "if_asked", "facts", "glossary", "links",
    "owner_id",
)  # fmt: skip


class StaleTopic(Exception):
    """Somebody else saved since this page was opened."""


class TopicRefused(Exception):
    """The step did not happen; the message says why."""


@transaction.atomic
def save(
    *, topic: Topic, deputies: Sequence[Person], seen_revision: int, by: Person, now: dt.datetime
) -> Topic:
    """Store a new topic with its first light, or a change if nobody saved since ``seen_revision``.

    Raises :class:`StaleTopic`; the door then shows both texts.
    """
    if topic.pk is None:
        topic.slug = f"{slugify(topic.title)[:40] or 'topic'}-{secrets.token_hex(3)}"
        topic.light_since = now
        topic.save()
        lights.record(topic, before="", why="", by=by, now=now)
        audit.record("topic.made", topic, by=by, now=now)
    else:
        values = {name: getattr(topic, name) for name in FIELDS}
        rows = Topic.objects.current().filter(pk=topic.pk, revision=seen_revision)
        if not rows.update(**values, revision=seen_revision + 1):
            raise StaleTopic
        audit.record("topic.changed", topic, by=by, now=now, revision=seen_revision + 1)
    topic.deputies.set(deputies)
    topic.refresh_from_db()
    return topic


@transaction.atomic
def archive(*, topic: Topic, by: Person, now: dt.datetime) -> bool:
    """Put a topic away: it leaves the desk and Today; its page and history stay. False when it was.

    Raises :class:`TopicRefused` while something of it is still out, planned or on hold.
    """
    rows = Topic.objects.current().filter(pk=topic.pk)
    if not rows.select_for_update().exists():
        return False
    live = Suggestion.objects.live(now).filter(topic=topic).count()
    if live:
        raise TopicRefused(
            ngettext(
                "%(n)s suggestion on it is still out. Withdraw it first.",
                "%(n)s suggestions on it are still out. Withdraw them first.",
                live,
            )
            % {"n": live}
        )
    if Delivery.objects.filter(post__suggestion__topic=topic, state="queued").exists():
        raise TopicRefused(_("Colleagues have planned posts on it. Hold it, or wait for them."))
    if not rows.filter(held_at__isnull=True).update(archived_at=now, revision=F("revision") + 1):
        raise TopicRefused(_("It is on hold. Release it first."))
    audit.record("topic.archived", topic, by=by, now=now)
    return True


@transaction.atomic
def bring_back(*, topic: Topic, by: Person, now: dt.datetime) -> bool:
    """Take a topic out of the archive, with the light it had; False when it was not there."""
    rows = Topic.objects.filter(pk=topic.pk, archived_at__isnull=False)
    if not rows.update(archived_at=None, revision=F("revision") + 1):
        return False
    audit.record("topic.brought_back", topic, by=by, now=now)
    return True

"""A topic's light: one way to change it, one writer of its history, one answer to "is it new?"."""

import datetime as dt
import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ambassadors import audit
from ambassadors.models import Person
from integrations import webhooks

from .models import Briefing, Delivery, LightChange, Line, Programme, Topic

log = logging.getLogger(__name__)

LONGEST_WHY = 1000  # characters
_MOST_NEWS = 100
# How old the answer to an open page may be: 4,000 pages ask, the database is asked once.
_KEPT_SECONDS = 5
_FRAGMENT_SECONDS = 60
_KEY = "situation"
_VERSION = re.compile(r"[0-9a-f]{16}")


class LightRefused(Exception):
    """The light stays as it is; the message says why."""


def record(
    topic: Topic, *, before: str, why: str, by: Person | None, now: dt.datetime
) -> LightChange:
    """Append a change to a topic's history; call it inside the transaction of the change.

    ``topic`` is as it stands after the change, its row locked by the caller's UPDATE.
    """
    return LightChange.objects.create(
        topic=topic,
        at=now,
        actor_id=by.pk if by else None,
        before=before,
        after=topic.line,
        why=why,
    )


@transaction.atomic
def change(*, topic: Topic, to: str, seen: str, why: str, by: Person, now: dt.datetime) -> bool:
    """Set the light to ``share``, ``careful`` or ``own``; False when it stands so already.

    ``seen`` is the line the person saw. Raises :class:`LightRefused` when somebody changed it
    since, when the topic is on hold (its release is a step of its own) or in the archive.
    """
    if to == seen:
        return False
    free = Topic.objects.current().filter(pk=topic.pk, held_at__isnull=True)
    as_seen = free.filter(own_view=seen == "own", light_when_free=_stored(seen))
    if not as_seen.update(light_when_free=_stored(to), own_view=to == "own", light_since=now):
        raise LightRefused(_("The light changed while you were writing. Please look again."))
    topic.refresh_from_db()
    record(topic, before=seen, why=why, by=by, now=now)
    audit.record("light", topic, by=by, now=now, light=to)
    facts = {"topic": topic.pk, "light": topic.light, "line": topic.line, "why": why}
    webhooks.tell("light.changed", facts, now=now)
    return True


def _stored(line: str) -> str:
    return Topic.Light.CAREFUL if line == Line.OWN else line


def changed_since(topic: Topic, seen: int) -> LightChange | None:
    """The latest change after the one a page knew (its id, 0 for none)."""
    return LightChange.objects.filter(topic=topic, pk__gt=seen).first()


def latest(topic: Topic) -> int:
    """The id of the latest change, 0 when there was none."""
    found = LightChange.objects.filter(topic=topic).values_list("pk", flat=True).first()
    return found or 0


def of_day(topics: Iterable[Topic], since: dt.datetime) -> list[LightChange]:
    """Changes of a day's topics since a moment, newest first; each topic's latest only."""
    rows = LightChange.objects.filter(topic__in=topics, at__gt=since).exclude(before="")
    found: dict[int, LightChange] = {}
    for change_ in rows.select_related("topic").order_by("-at", "-pk")[:_MOST_NEWS]:
        found.setdefault(change_.topic_id, change_)
    return list(found.values())


def with_changes(planned: list[Delivery]) -> list[tuple[Delivery, LightChange | None]]:
    """Each planned post with the latest change of its topic's light since it was written."""
    topics = {d.post.suggestion.topic_id for d in planned if d.post.suggestion}
    if not topics:
        return [(delivery, None) for delivery in planned]
    since = min(delivery.post.created_at for delivery in planned)
    latest_of: dict[int, LightChange] = {}
    rows = LightChange.objects.filter(topic__in=topics, at__gt=since)
    for change_ in rows.order_by("-at", "-pk")[:_MOST_NEWS]:
        latest_of.setdefault(change_.topic_id, change_)
    found = []
    for delivery in planned:
        suggestion = delivery.post.suggestion
        new = latest_of.get(suggestion.topic_id) if suggestion else None
        found.append((delivery, new if new and new.at > delivery.post.created_at else None))
    return found


def version(day: dt.date) -> str:
    """A word that differs when Today's situation differs; at most five seconds old.

    Made of what is shown, not of a counter: rows that commit out of order cannot be missed.
    """
    key = f"{_KEY}:{day}"
    if known := _kept(key):
        return known
    found = _version(day)
    _keep({key: found, f"{_KEY}:{found}": "holds"}, _KEPT_SECONDS)
    return found


def fragment(version_: str, language: str, timezone: str, make: Callable[[], str]) -> str:
    """What an open page is sent for a version, made once for each language and clock.

    After a change thousands ask at once, and all of them see the same.
    """
    key = f"{_KEY}:{version_}:{language}:{timezone}"
    if known := _kept(key):
        return known
    made = make()
    _keep({key: made}, _FRAGMENT_SECONDS)
    return made


def _kept(key: str) -> str | None:
    """From the cache; None without one."""
    try:
        found: str | None = cache.get(key)
    except Exception:  # noqa: BLE001 - whatever Redis throws, the database knows
        log.warning("no cache; the database tells what is new")
        return None
    return found


def _keep(values: dict[str, str], seconds: int) -> None:
    try:
        cache.set_many(values, seconds)
    except Exception:  # noqa: BLE001
        log.debug("no cache to keep it")


def is_still(version_: str) -> bool:
    """Tell, from the cache alone, whether a version was found true within five seconds.

    It needs no login: whoever asks has been given the version, and learns only that it still holds.
    """
    if not _VERSION.fullmatch(version_):
        return False
    return _kept(f"{_KEY}:{version_}") is not None


def _version(day: dt.date) -> str:
    issues = Briefing.objects.out().filter(day__lte=day)
    issue = issues.values_list("pk", "revision", "contact__name", "contact__email").first()
    topics = Topic.objects.current().order_by("pk")
    shown = list(
        topics.values_list(
            "pk", "revision", "light_when_free", "own_view", "held_at", "held_reason"
        )
    )
    held = Programme.objects.values_list("held_at", "held_reason", "press_contact").first()
    return hashlib.sha256(repr((day, issue, shown, held)).encode()).hexdigest()[:16]


def in_sum(topics: Iterable[Topic]) -> str:
    """How many topics stand on which light, what is on hold first; empty for none."""
    count = Counter(topic.light for topic in topics)
    words = {
        "hold": ngettext("%(n)d topic on hold", "%(n)d topics on hold", count["hold"]),
        "careful": ngettext("%(n)d with care", "%(n)d with care", count["careful"]),
        "share": ngettext("%(n)d free to share", "%(n)d free to share", count["share"]),
    }
    told = [text % {"n": count[light]} for light, text in words.items() if count[light]]
    return ", ".join(told) + "." if told else ""

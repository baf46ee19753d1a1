"""Who has a suggestion open just now, and nothing about a moment ago.

A sorted set in Redis for each suggestion: person and time of the last sign, gone after a minute.
Redis and no row, because nobody may look up later who worked when: it is in no database and no
backup of it, and losing it costs nothing. When Redis is away, nobody seems to be here.
"""

import datetime as dt
from functools import cache

import redis
from django.conf import settings

from ambassadors.models import Person

SECONDS = 50  # without a sign somebody is gone; the page gives one every 15


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.3, socket_connect_timeout=0.3, decode_responses=True
    )


def here(*, suggestion_id: int, person: Person, now: dt.datetime) -> list[str]:
    """Say that the person is here, and return the names of the others who are."""
    key, at = f"here:{suggestion_id}", now.timestamp()
    try:
        with _client().pipeline(transaction=False) as pipe:
            pipe.zadd(key, {str(person.pk): at})
            pipe.zremrangebyscore(key, "-inf", at - SECONDS)
            pipe.expire(key, SECONDS)
            pipe.zrange(key, 0, -1)
            found = pipe.execute()[-1]
    except redis.RedisError:
        return []
    others = [int(member) for member in found if member != str(person.pk)]
    if not others:
        return []
    return list(Person.objects.filter(pk__in=others).values_list("name", flat=True))


def gone(*, suggestion_id: int, person: Person) -> None:
    """Say that the person closed the page."""
    try:
        _client().zrem(f"here:{suggestion_id}", str(person.pk))
    except redis.RedisError:
        return

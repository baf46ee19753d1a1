"""Clicks, counted once for each visitor, link and day, without knowing or keeping who it was.

The redirect writes to Redis alone, in one atomic step; once a second a worker moves what was
counted into rows. A visitor is a keyed hash of link, network (IPv4 /24, IPv6 /64) and browser. Its
key is random, made by the day's first visitor, lies in Redis alone, is kept by no process, and ends
with the day: then nobody can compute a hash again, and the hashes end with it.
"""

import datetime as dt
import hashlib
import hmac
import json
import logging
import os
import time
import uuid
from collections import Counter
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from .failpoints import failpoint
from .models import ClickBucket
from .senders import sender, undeclared_proxy

log = logging.getLogger(__name__)

# So many different browsers of one network count for one link and day. A carrier's network has
# many people behind it; whoever invents browsers must not invent clicks without end. Whoever comes
# from no known network, like all behind a proxy that nobody told us of, is of one network, too.
MOST_OF_ONE_NETWORK = 500
_PATIENCE = 0.3  # seconds for Redis; a person waits meanwhile
_PAUSE = 1.0  # seconds without a try after Redis failed
_SALT_BYTES = 32
_KEPT = dt.timedelta(days=1)  # for buckets that were written down
_OPEN, _CLOSED, _PROXY = "clicks:open", "clicks:closed", "clicks:proxy"
_PROXY_SEEN = 7 * 24 * 3600  # seconds for which the administrators' page tells of it

# KEYS: visitors, crowd (of the day), open bucket. ARGV: visitor, network, field of the bucket, end
# of the day, most visitors of a network. Returns 1 when it counted.
_COUNT = """
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end
local crowd = redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('EXPIREAT', KEYS[2], ARGV[4])
if crowd > tonumber(ARGV[5]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIREAT', KEYS[1], ARGV[4])
redis.call('HINCRBY', KEYS[3], ARGV[3], 1)
return 1
"""
# KEYS: open bucket, closed bucket. ARGV: an id for the bucket that is closed now. A bucket that
# was closed before and not yet let go comes first.
_CLOSE = """
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'id', ARGV[1])
end
return redis.call('HGETALL', KEYS[2])
"""
# KEYS: closed bucket. ARGV: its id.
_LET_GO = """
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
_WRITE_DAYS = """
INSERT INTO campaigns_clickday (link_id, day, count)
SELECT link.id, new.day, new.count
FROM jsonb_to_recordset(%s) AS new (link bigint, day date, count integer)
JOIN campaigns_shortlink link ON link.id = new.link
ORDER BY link.id, new.day
ON CONFLICT (link_id, day) DO UPDATE SET count = campaigns_clickday.count + excluded.count
"""
_WRITE_TOTALS = """
UPDATE campaigns_shortlink link SET clicks = link.clicks + new.count
FROM jsonb_to_recordset(%s) AS new (link bigint, count integer)
WHERE link.id = new.link
"""


class _Redis:
    """The connection and the scripts; after a failure nobody waits for it for a second."""

    def __init__(self) -> None:
        self.client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            # a connection that Redis closed while nobody clicked; counting twice counts once
            retry=Retry(NoBackoff(), 1),
        )
        self.count, self.close, self.let_go = (
            self.client.register_script(script) for script in (_COUNT, _CLOSE, _LET_GO)
        )
        self.rests_until = 0.0


@cache
def _redis() -> _Redis:
    return _Redis()


@cache
def _key() -> bytes:
    """So that what is sent to Redis says nothing to whoever reads along there."""
    return hashlib.sha256(f"clicks {settings.SECRET_KEY}".encode()).digest()


def _veiled(*parts: object) -> bytes:
    return hmac.digest(_key(), "\n".join(map(str, parts)).encode(errors="replace"), "sha256")


def _hidden(salt: bytes, what: bytes) -> str:
    """96 bits that cannot be computed again when the day's salt is gone."""
    return hmac.digest(salt, what, "sha256")[:12].hex()


def _salt(client: "redis.Redis", name: str, end: int) -> bytes:
    """The day's salt; its first visitor makes it. Raises RedisError when it does not stay."""
    found: Any = client.get(name)
    if found is None:
        client.set(name, os.urandom(_SALT_BYTES), nx=True, exat=end)
        found = client.get(name)
    if found is None:
        message = "the day's salt is gone"
        raise redis.RedisError(message)
    return bytes(found)


def _day(now: dt.datetime) -> tuple[dt.date, int]:
    """The day at the installation's clock, and when it ends in Unix seconds, 25 h off at most."""
    zone = timezone.get_default_timezone()
    day = now.astimezone(zone).date()
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone).timestamp()
    return day, int(min(end + 60, now.timestamp() + 25 * 3600))


def count(request: HttpRequest, link_id: int, *, now: dt.datetime) -> bool:
    """Count a person's visit unless they came through the link today; False when it was not.

    Without Redis the visit is not counted: leading on comes first.
    """
    store = _redis()
    if time.monotonic() < store.rests_until:
        return False
    network = sender(request)
    day, end = _day(now)
    keys = [*(f"clicks:{name}:{day}" for name in ("seen", "crowd")), _OPEN]
    visitor = _veiled(link_id, network, request.META.get("HTTP_USER_AGENT", ""))
    crowd = _veiled(link_id, network)
    try:
        salt = _salt(store.client, f"clicks:salt:{day}", end)
        counted = store.count(
            keys,
            [
                *(_hidden(salt, visitor), _hidden(salt, crowd)),
                *(f"{link_id}:{day}", end, MOST_OF_ONE_NETWORK),
            ],
        )
        if undeclared_proxy(request):
            store.client.set(_PROXY, 1, ex=_PROXY_SEEN)
    except redis.RedisError:
        log.warning("no Redis; clicks are not counted for now")
        store.rests_until = time.monotonic() + _PAUSE
        return False
    return bool(counted == 1)


def through_undeclared_proxy() -> bool:
    """Tell whether clicks of the last week came through a proxy that no setting names.

    False also while Redis does not answer.
    """
    try:
        return settings.TRUSTED_PROXIES == 0 and bool(_redis().client.exists(_PROXY))
    except redis.RedisError:
        return False


def drain(*, now: dt.datetime) -> int:
    """Write down what was counted since the last time; returns how many clicks that were.

    Each bucket is written once: its id is remembered in the transaction that writes it. Killed
    before the commit, the bucket is still there; killed after it, the id is known.
    """
    store = _redis()
    found: list[bytes] = store.close([_OPEN, _CLOSED], [str(uuid.uuid4())])
    if not found:
        return 0
    said = [part.decode() for part in found]
    bucket = dict(zip(said[::2], said[1::2], strict=True))
    bucket_id = bucket.pop("id")
    failpoint("clicks_closed")
    written = _write(bucket_id, bucket, now)
    failpoint("clicks_written")
    store.let_go([_CLOSED], [bucket_id])
    return written


@transaction.atomic
def _write(bucket_id: str, bucket: dict[str, str], now: dt.datetime) -> int:
    """Add a bucket to the rows, unless it was; links that are gone are passed over."""
    _row, new = ClickBucket.objects.get_or_create(id=bucket_id, defaults={"written_at": now})
    if not new:
        return 0
    days: list[dict[str, Any]] = []
    totals: Counter[int] = Counter()
    for field, number in bucket.items():
        link, _, day = field.partition(":")
        days.append({"link": int(link), "day": day, "count": int(number)})
        totals[int(link)] += int(number)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_DAYS, [json.dumps(days)])
        sums = [{"link": link, "count": number} for link, number in totals.items()]
        cursor.execute(_WRITE_TOTALS, [json.dumps(sums)])
    ClickBucket.objects.filter(written_at__lt=now - _KEPT).delete()
    failpoint("clicks_uncommitted")
    return sum(totals.values())

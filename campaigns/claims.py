"""Who comes next: free accounts, the longest unserved first, as many as the hosts allow."""

from django.db import connection, transaction

from integrations import limits
from integrations.models import Circuit

from . import pace
from .failpoints import failpoint
from .models import Delivery
from .pace import clock

MOST_PER_HOST = 64  # deliveries in flight at one host

# The first due delivery of every account that is free, the longest unserved accounts first (I9).
_FREE = """
WITH due AS (
  SELECT DISTINCT ON (account_id) id, account_id, due_at
    FROM campaigns_delivery
   WHERE state = 'queued' AND blocked = '' AND due_at <= now()
     AND (next_at IS NULL OR next_at <= now()) AND (lease_until IS NULL OR lease_until < now())
   ORDER BY account_id, due_at, id),
busy AS (
  SELECT d.account_id, a.network, a.base_url
    FROM campaigns_delivery d JOIN integrations_connectedaccount a ON a.id = d.account_id
   WHERE d.state = 'sending'
   UNION
  SELECT d.account_id, a.network, a.base_url
    FROM campaigns_delivery d JOIN integrations_connectedaccount a ON a.id = d.account_id
   WHERE d.state = 'queued' AND d.lease_until >= now()),
free AS MATERIALIZED (
  SELECT due.id, due.due_at, a.last_served_at, a.network, a.base_url,
         row_number() OVER (PARTITION BY a.network, a.base_url
                            ORDER BY a.last_served_at NULLS FIRST, due.due_at) AS place
    FROM due JOIN integrations_connectedaccount a ON a.id = due.account_id
   WHERE NOT EXISTS (SELECT FROM busy WHERE busy.account_id = a.id)
     AND NOT EXISTS (SELECT FROM integrations_bucket b
                      WHERE b.account_id = a.id AND b.left <= 0 AND b.resets_at > now())
     AND {circuit}),
room AS (
  SELECT host.network, host.base_url, least(
           %(most)s - (SELECT count(*) FROM busy
                        WHERE (busy.network, busy.base_url) = (host.network, host.base_url)),
           (SELECT b.left FROM integrations_bucket b
             WHERE b.account_id IS NULL AND b.resets_at > now()
               AND (b.network, b.base_url) = (host.network, host.base_url))) AS places
    FROM (SELECT DISTINCT network, base_url FROM free) host)
SELECT free.id FROM free JOIN room USING (network, base_url)
 WHERE free.place <= room.places
 ORDER BY free.last_served_at NULLS FIRST, free.due_at
 LIMIT %(candidates)s
"""
# Others claim at the same time, so more are found than are taken. Found first and locked by their
# numbers, because a queue's statistics are stale when it fills: one join for both is planned for
# one row and read once for each of ten thousand.
_LOCK = """
SELECT id FROM campaigns_delivery
 WHERE id = ANY(%(found)s) AND state = 'queued' AND blocked = '' AND due_at <= now()
   AND (next_at IS NULL OR next_at <= now()) AND (lease_until IS NULL OR lease_until < now())
 ORDER BY array_position(%(found)s, id)
 LIMIT %(limit)s
   FOR UPDATE SKIP LOCKED
"""
_HOST_ANSWERS = """NOT EXISTS (SELECT FROM integrations_circuit c WHERE c.opened_at IS NOT NULL
                      AND (c.network, c.base_url) = (a.network, a.base_url))"""
_THIS_HOST = "(a.network, a.base_url) = (%(network)s, %(base_url)s)"
_CLAIM = """
UPDATE campaigns_delivery SET fence = fence + 1, claims = claims + 1,
       lease_until = now() + %(lease)s::interval
 WHERE id = ANY(%(ids)s)
"""


def claim(*, limit: int) -> list[Delivery]:
    """Take up to ``limit`` due deliveries, the longest unserved accounts first.

    Counted before the work, so a worker that dies with a poisonous one has been counted. A silent
    host gets one probe a minute.
    """
    failpoint("before_claim")
    with transaction.atomic():
        ids = _lock(_FREE.format(circuit=_HOST_ANSWERS), limit=limit)
        for host in limits.probes_due(now=clock()) if Circuit.objects.exists() else ():
            ids += _lock(
                _FREE.format(circuit=_THIS_HOST),
                limit=1,
                network=host.network,
                base_url=host.base_url,
            )
        if not ids:
            return []
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, {"ids": ids, "lease": f"{pace.LEASE.total_seconds()} seconds"})
        rows = (
            Delivery.objects.filter(pk__in=ids)
            .select_related(
                "post__suggestion",
                "post__picture__crop_of",
                "post__link",
                "post__document",
                "account",
            )
            .prefetch_related("post__more_pictures")
            .order_by("due_at", "pk")
        )
        claimed = list(rows)
        limits.take([row.account for row in claimed], now=clock())
    return claimed


def _lock(sql: str, *, limit: int, **values: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"most": MOST_PER_HOST, "candidates": 4 * limit, **values})
        found = [row[0] for row in cursor.fetchall()]
        if not found:
            return []
        cursor.execute(_LOCK, {"found": found, "limit": limit})
        return [row[0] for row in cursor.fetchall()]
